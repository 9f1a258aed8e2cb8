#include <Eigen/Core>
#include <cstdio>
#include <vector>

// [readme
#include <distil/adapters/eigen.hpp>
#include <distil/distil.hpp>

using Logits = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// One step of distillation: the loss, and in `gradient` what the student's backward pass starts from.
double distillation_step(Logits const& student, Logits const& teacher, std::vector<int> const& labels,
                         Logits& gradient) {
  distil::loss_value const loss = distil::hinton_kd.with_grad(student, teacher, labels, gradient,
                                                              {.temperature = 4.0F, .soft_weight = 0.7});
  return loss;  // 0.3 * cross entropy + 0.7 * 4^2 * KL(teacher || student), the mean over the batch, in nats
}
// readme]

int main() {
  Logits const student = Logits::Random(8, 10), teacher = 3 * Logits::Random(8, 10);
  std::vector<int> const labels = {3, 1, 4, 1, 5, 9, 2, 6};
  Logits gradient(8, 10);
  double const before = distillation_step(student, teacher, labels, gradient);
  Logits const moved = student - 0.1F * gradient;
  double const after = distillation_step(moved, teacher, labels, gradient);
  std::printf("loss %.4f, and %.4f one step down its gradient\n", before, after);
  return after < before ? 0 : 1;
}
