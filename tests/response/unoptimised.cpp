// A debug build: intrinsics are macros then, and nothing is inlined unless it must be.
#include <cmath>
#include <cstdio>

#include "../support/batches.hpp"
#include "distil/response/cross_entropy.hpp"
#include "distil/response/hinton_kd.hpp"
#include "distil/response/normalized_jensen_shannon.hpp"
#include "distil/response/softmax.hpp"

int main() {
  distil::testing::batch<float> b(20, 133);
  auto const z = b.student.view();
  auto const t = b.teacher.view();
  auto const g = b.gradient.view();
  double const kd = distil::hinton_kd.with_grad(z, t, b.labels, g, {.temperature = 4});
  double const ce = distil::cross_entropy(z, b.labels);
  double const kl = distil::forward_kl(z, distil::log_probabilities(t, 1), {.temperature = 4});
  distil::softmax(t, g);
  double const same = distil::forward_kl(z, distil::probabilities(g, 1), {.temperature = 4});
  double const near =
      distil::normalized_jensen_shannon.with_grad(z, t, g, {.temperature = 4, .teacher_mix = 1e-9});
  std::printf("%.7g is %.7g; %.7g is %.7g and %.7g\n", kd, 0.1 * ce + 0.9 * kl, kl, same, near);
  bool const agree = std::abs(kl - same) < 1e-5 && std::abs(kl - near) < 1e-5;
  return std::abs(kd - 0.1 * ce - 0.9 * kl) < 1e-5 && agree ? 0 : 1;
}
