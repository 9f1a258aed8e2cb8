#pragma once

#include "support/loss.hpp"

namespace bench {

/// A loss that compares every pair of rows or classes, on shapes that this allows.
template <class Loss>
bool add_pairwise_loss(char const* operation, Loss const& loss) {
  static constexpr shape on[] = {{1024, 10}, {1024, 100}, {256, 1000}, {64, 32000}};
  return add_form<float>(
             operation, {"value", 2, 2, 1},
             [loss](auto policy, auto const& batch) -> double {
               return loss(policy, batch.student, batch.teacher);
             },
             on) &&
         add_form<float>(
             operation, {"gradient", 3, 2, 1},
             [loss](auto policy, auto const& batch) -> double {
               return loss.with_grad(policy, batch.student, batch.teacher, batch.gradient);
             },
             on);
}

}  // namespace bench
