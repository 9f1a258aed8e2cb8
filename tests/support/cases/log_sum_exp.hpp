#pragma once

#include <algorithm>
#include "distil/response/log_sum_exp.hpp"

#include "logits_case.hpp"

namespace distil::testing {

struct log_sum_exp_case : logits_case<distil::log_sum_exp> {
  static constexpr char const* name = "log_sum_exp";
  static constexpr bool moves_with_a_constant = true;
  static constexpr error_bound bound = log_sum_exp_loss::bound;
  static truth of(exact_row const& z, exact_row const&, std::int64_t, setting const& s) {
    if (reference::fully_masked(z)) return {.gradient = exact_row(z.size(), 0)};
    long double const top = *std::max_element(z.begin(), z.end()) / s.temperature;
    return {.value = reference::log_sum_exp(z, s.temperature),
            .weight = 1,
            .gradient = reference::log_sum_exp_gradient(z, s.temperature),
            .by_temperature = reference::log_sum_exp_by_temperature(z, s.temperature),
            .value_scale = size_of_classes(z) + static_cast<double>(std::abs(top)),
            .gradient_scale = 1 / s.temperature};
  }
};

}  // namespace distil::testing
