// Succeeds when the library that it links chooses what the environment forces, or refuses what the machine cannot run.

#include <cstdio>
#include <stdexcept>
#include <vector>

#include "../program/expected.hpp"
#include "kernels.hpp"

int main() {
  std::vector<float> const logits{1, 2, 3, 3, 2, 1};
  std::vector<int> const labels{0, 2};
  std::vector<float> gradient(logits.size());
  try {
    double const loss = distillation_loss(logits, logits, labels, gradient);
    std::printf("loss %g\n", loss);
    return expected::level() && loss > 0.7 && loss < 0.8 ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (std::invalid_argument const& error) {
    std::printf("%s\n", error.what());
    return expected::level() ? EXIT_FAILURE : EXIT_SUCCESS;
  }
}
