#pragma once

#include "distil/response/softmax/partition_kernel.hpp"
#include "distil/response/softmax/pull_back_kernel.hpp"

namespace distil {

/// Options of `softmax` and `log_softmax` and of their pull-backs.
struct softmax_options {
  /// Divides the logits: one number or one per row; within [1e-15, 1e15]. Default 1.
  row_parameter temperature = 1;

  /// Adds to the output instead of overwriting it; for pull-backs. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// A function from logits to a matrix of the same shape, with its pull-back: `softmax` and `log_softmax`.
template <template <class> class Kernel, bool Logarithmic>
class softmax_function {
 public:
  using options_type = softmax_options;
  static constexpr bool takes_teacher_logits = false;
  static constexpr char const* name = Logarithmic ? "log_softmax" : "softmax";

  template <matrix_argument Logits, class Output>
  void operator()(Logits const& logits, Output&& output, softmax_options const& options = {}) const {
    (*this)(serial, logits, std::forward<Output>(output), options);
  }

  template <execution_policy Policy, class Logits, class Output>
  void operator()(Policy policy, Logits const& logits, Output&& output,
                  softmax_options const& options = {}) const {
    simd::evaluate(name, detail::any_policy(policy), logits,
                   detail::output_rows(std::forward<Output>(output)), {.accumulate = options.accumulate},
                   logits_term<Kernel>({.temperature = options.temperature}));
  }

  template <matrix_argument Outputs, class Upstream, class Gradient>
  void pull_back(Outputs const& outputs, Upstream const& upstream, Gradient&& gradient,
                 softmax_options const& options = {}) const {
    pull_back(serial, outputs, upstream, std::forward<Gradient>(gradient), options);
  }

  template <execution_policy Policy, class Outputs, class Upstream, class Gradient>
  void pull_back(Policy policy, Outputs const& outputs, Upstream const& upstream, Gradient&& gradient,
                 softmax_options const& options = {}) const {
    auto const seen = detail::input_rows(upstream);
    using element = std::remove_const_t<typename decltype(seen)::element>;
    simd::evaluate(name, detail::any_policy(policy), outputs,
                   detail::output_rows(std::forward<Gradient>(gradient)), {.accumulate = options.accumulate},
                   kernels::pull_back_term<element, Logarithmic>(seen, options.temperature));
  }
};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
