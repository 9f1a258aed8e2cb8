#include <distil/response/wasserstein_logits.hpp>

#include "support/loss.hpp"

namespace {

constexpr bench::shape on[] = {{1024, 10}, {64, 100}};

distil::matrix_view<float const> cost_of(distil::index classes) {
  static std::map<distil::index, std::vector<float>> made;
  auto& cost = made[classes];
  for (distil::index i = static_cast<distil::index>(cost.size()); i < classes * classes; ++i) {
    cost.push_back(i % (classes + 1) == 0 ? 0.0F : 0.5F + static_cast<float>(i % 7) / 14.0F);
  }
  return {cost.data(), classes, classes};
}

bool const registered =
    bench::add_form<float>(
        "wasserstein_logits", {"value", 2, 2},
        [](auto policy, auto const& batch) -> double {
          return distil::wasserstein_logits(policy, batch.student, batch.teacher,
                                            cost_of(batch.student.columns));
        },
        on) &&
    bench::add_form<float>(
        "wasserstein_logits", {"gradient", 3, 2},
        [](auto policy, auto const& batch) -> double {
          return distil::wasserstein_logits.with_grad(policy, batch.student, batch.teacher,
                                                      cost_of(batch.student.columns), batch.gradient);
        },
        on);

}  // namespace
