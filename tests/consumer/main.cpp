#include <cstdio>
#include <distil/version.hpp>

#include "loss.hpp"

double loss_of_the_other_unit();

int main() {
  double const loss = loss_of_two_samples();
  std::printf("distil %s: %g\n", DISTIL_VERSION, loss);
  return loss > 0 && loss == loss_of_the_other_unit() ? 0 : 1;
}
