#pragma once

#include "distil/response/soft_cross_entropy.hpp"

#include "divergence_case.hpp"

namespace distil::testing {

struct soft_cross_entropy_case : divergence_case<distil::soft_cross_entropy> {
  static constexpr char const* name = "soft_cross_entropy";
  static constexpr error_bound bound = soft_cross_entropy_function::bound;
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, setting const& s) {
    return scaled(z, t, s, reference::soft_cross_entropy<long double>,
                  reference::forward_kl_gradient<long double>,
                  reference::soft_cross_entropy_by_temperature<long double>);
  }
};

}  // namespace distil::testing
