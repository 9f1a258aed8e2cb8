#pragma once

#include "distil/response/forward_kl.hpp"

#include "divergence_case.hpp"

namespace distil::testing {

struct forward_kl_case : divergence_case<distil::forward_kl> {
  static constexpr char const* name = "forward_kl";
  static constexpr error_bound bound = forward_kl_function::bound;
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, setting const& s) {
    return scaled(z, t, s, reference::forward_kl<long double>, reference::forward_kl_gradient<long double>,
                  reference::forward_kl_by_temperature<long double>);
  }
};

}  // namespace distil::testing
