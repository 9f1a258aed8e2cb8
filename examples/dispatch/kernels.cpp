// [readme
#include "kernels.hpp"

#include <distil/response.hpp>

// An ordinary function in an ordinary source. It is compiled once for each architecture, and callers get the best.
distil::loss_value distillation_loss(std::span<float const> student, std::span<float const> teacher,
                                     std::span<int const> labels, std::span<float> gradient) {
  auto const rows = static_cast<distil::index>(labels.size());
  auto const classes = static_cast<distil::index>(student.size()) / rows;
  return distil::hinton_kd.with_grad(
      distil::matrix_view(student.data(), rows, classes), distil::matrix_view(teacher.data(), rows, classes),
      labels, distil::matrix_view(gradient.data(), rows, classes), {.temperature = 4.0F, .soft_weight = 0.7});
}
// readme]
