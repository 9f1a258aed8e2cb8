#include "support/plain_eigen.hpp"

// Hinton's loss with its gradient, as one writes it on Eigen.
double by_hand(bench::eigen_batch const& on, bench::eigen_output gradient) {
  return bench::plain_eigen_hinton_kd(on, gradient);
}
