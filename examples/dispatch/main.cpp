// One program for every x86-64 machine: it runs the best of the kernels it carries, and says which.
//   DISTIL_FORCE_ARCH=x86-64 ./dispatch_example

#include <cstdio>
#include <distil/dispatch.hpp>
#include <exception>
#include <string>
#include <vector>

#include "kernels.hpp"

int main() {
  try {
    constexpr int rows = 64;
    constexpr int classes = 1000;
    std::vector<float> student, teacher, gradient(rows * classes);
    for (int i = 0; i < rows * classes; ++i) {
      student.push_back(static_cast<float>(i % 7));
      teacher.push_back(static_cast<float>(i % 5));
    }
    std::vector<int> const labels(rows, 3);
    double const loss = distillation_loss(student, teacher, labels, gradient);
    std::printf("kernels for %s: loss %.4f\n", std::string(distil::active_architecture()).c_str(), loss);
  } catch (std::exception const& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
