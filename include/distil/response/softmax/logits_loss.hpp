#pragma once

#include "distil/response/softmax/partition_kernel.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE {

/// The face of a value per row of logits with its gradient: `log_sum_exp` and `entropy`.
template <class Name, template <class, class> class Kernel>
struct logits_loss {
  static constexpr char const* name = Name::text;

  template <matrix_argument Logits>
  [[nodiscard]] loss_value operator()(Logits const& logits, logits_options const& options = {}) const {
    return (*this)(serial, logits, options);
  }

  template <execution_policy Policy, class Logits>
  [[nodiscard]] loss_value operator()(Policy policy, Logits const& logits,
                                      logits_options const& options = {}) const {
    return simd::evaluate(name, policy, logits, {}, logits_term<Kernel>(options));
  }

  template <matrix_argument Logits, class Gradient>
  loss_value with_grad(Logits const& logits, Gradient&& gradient, logits_options const& options = {}) const {
    return with_grad(serial, logits, std::forward<Gradient>(gradient), options);
  }

  template <execution_policy Policy, class Logits, class Gradient>
  loss_value with_grad(Policy policy, Logits const& logits, Gradient&& gradient,
                       logits_options const& options = {}) const {
    return simd::evaluate_with_gradient(name, policy, logits, std::forward<Gradient>(gradient),
                                        {.accumulate = options.accumulate}, logits_term<Kernel>(options));
  }

  /// As a term of `fuse`: an entropy bonus, a penalty on the partition sum.
  [[nodiscard]] auto term(logits_options const& options = {}) const {
    detail::require(!options.accumulate, name, "accumulate", "set on a term", "set on the objective");
    return logits_term<Kernel>(options);
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE
