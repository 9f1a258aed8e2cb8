#pragma once

#include "distil/response/swapped_kl.hpp"

#include "forward_kl.hpp"
#include "labelled_case.hpp"

namespace distil::testing {

struct swapped_kl_case : labelled_case<swapped_kl_case, distil::swapped_kl> {
  static constexpr char const* name = "swapped_kl";
  static constexpr error_bound bound = swapped_kl_definition::bound;
  static constexpr bool has_temperature_gradient = true;

  static std::vector<setting> settings() { return temperatures(); }
  static swapped_kl_options options(setting const& s, row_options const& rows, std::span<double> slope,
                                    bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .rows = rows,
            .accumulate = accumulate,
            .temperature_gradient = slope};
  }
  static truth of(exact_row const& z, exact_row t, std::int64_t label, setting const& s) {
    if (skips(z, t, label)) return skipped(z);
    std::swap(*std::max_element(t.begin(), t.end()), t[static_cast<std::size_t>(label)]);
    return forward_kl_case::of(z, t, label, s);
  }
};

}  // namespace distil::testing
