#pragma once

#include "distil/response/entropy.hpp"

#include "logits_case.hpp"

namespace distil::testing {

struct entropy_case : logits_case<distil::entropy> {
  static constexpr char const* name = "entropy";
  static constexpr error_bound bound = entropy_loss::bound;
  static truth of(exact_row const& z, exact_row const&, std::int64_t, setting const& s) {
    auto const one = reference::entropy(z, s.temperature);
    return {
        .value = one.value,
        .weight = one.weight,
        .gradient = one.weight == 0 ? exact_row(z.size(), 0) : reference::entropy_gradient(z, s.temperature),
        .by_temperature = one.weight == 0 ? 0 : reference::entropy_by_temperature(z, s.temperature),
        .value_scale = size_of_classes(z),
        .gradient_scale = 1 / s.temperature};
  }
};

}  // namespace distil::testing
