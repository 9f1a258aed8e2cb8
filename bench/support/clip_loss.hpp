#pragma once

#include "support/pair_loss.hpp"

namespace bench {

/// A loss between two pairs of encoders; images and texts are the halves of each matrix's columns.
template <class Loss>
bool add_clip_loss(char const* operation, Loss const& loss) {
  auto const half = [](auto matrix, bool second) {
    matrix.columns /= 2;
    matrix.data += second ? matrix.columns : 0;
    return matrix;
  };
  return add_form<float>(
             operation, {"value", 2, 0},
             [=](auto policy, auto const& batch) -> double {
               return loss(policy, half(batch.student, false), half(batch.student, true),
                           half(batch.teacher, false), half(batch.teacher, true));
             },
             relation_sizes) &&
         add_form<float>(
             operation, {"gradient", 3, 0},
             [=](auto policy, auto const& batch) -> double {
               return loss.with_grad(policy, half(batch.student, false), half(batch.student, true),
                                     half(batch.teacher, false), half(batch.teacher, true),
                                     half(batch.gradient, false), half(batch.gradient, true));
             },
             relation_sizes);
}

}  // namespace bench
