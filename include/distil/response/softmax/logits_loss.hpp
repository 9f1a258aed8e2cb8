#pragma once

#include "distil/response/softmax/partition_kernel.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE {

/// The face of a value per row of logits with its gradient: `log_sum_exp` and `entropy`.
template <class Name, template <class> class Kernel>
struct logits_loss : detail::unary_face<logits_loss<Name, Kernel>, logits_options> {
  static constexpr char const* name = Name::text;

  template <class Logits, class Output>
  [[nodiscard]] static loss_value evaluate(detail::any_policy policy, Logits const& logits,
                                           Output const& output, logits_options const& options) {
    return simd::evaluate(name, policy, logits, output, {.accumulate = options.accumulate},
                          logits_term<Kernel>(options));
  }

  /// As a term of `fuse`: an entropy bonus, a penalty on the partition sum.
  [[nodiscard]] auto term(logits_options const& options = {}) const {
    detail::require(!options.accumulate, name, "accumulate", "set on a term", "set on the objective");
    return logits_term<Kernel>(options);
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE
