#pragma once

#include "distil/response/cross_entropy/kernel.hpp"

namespace distil {
inline namespace DISTIL_ARCH_NAMESPACE {

/// Cross entropy as a term of a sum.
template <class Targets>
struct cross_entropy_term : detail::cross_entropy_base<Targets> {
  using arithmetic = arithmetic_t<typename Targets::storage>;
  template <class T>
  using kernel = kernels::cross_entropy_kernel<T, cross_entropy_term>;

  using detail::cross_entropy_base<Targets>::cross_entropy_base;
};

/// See `cross_entropy`.
struct cross_entropy_loss
    : detail::binary_face<cross_entropy_loss, cross_entropy_options, loss_value, detail::target_argument> {
  static constexpr char const* name = "cross_entropy";
  static constexpr error_bound bound{
      .value = 16, .gradient = 16, .temperature_gradient = 2, .temperature_floor = 2};

  template <class Student, class Targets, class Output>
  [[nodiscard]] static loss_value evaluate(detail::any_policy policy, Student const& student,
                                           Targets const& targets, Output const& output,
                                           cross_entropy_options const& options) {
    return simd::evaluate(name, policy, student, output, {.accumulate = options.accumulate},
                          make_term(targets, options));
  }

  /// Cross entropy as a term of `fuse`. Targets and spans must outlive the objective.
  template <class Targets>
  [[nodiscard]] auto term(Targets const& targets, cross_entropy_options const& options = {}) const {
    detail::require(!options.accumulate, name, "accumulate", "set on a term", "set on the objective");
    return make_term(targets, options);
  }

 private:
  template <class Targets>
  [[nodiscard]] static auto make_term(Targets const& targets, cross_entropy_options const& options) {
    auto const seen = detail::as_targets(targets);
    return cross_entropy_term<std::remove_const_t<decltype(seen)>>(seen, options);
  }
};

/// Cross entropy of the student's logits. @alias CE, NLL, log loss
///
/// @formula   L = (1 / sum w_b c_y) * sum_b w_b sum_i -target_bi log q_bi, q = softmax(z / T) [nats]
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     targets  labels of 32 or 64 bits, one per row (`rows.ignore_label` does not count); or
///            `mixed_labels`; or a [rows, classes] matrix of soft targets >= 0, taken as they are: they need
///            not sum to one
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the
///            targets
/// @gradient  w_b / sum w * (q sum_i target_i - target) / T
/// @throws    std::invalid_argument when a shape, option, weight, label or target is refused; nothing is written then
/// @error     `bound`
/// @nan       a NaN or +inf logit, and a NaN soft target, makes the loss and gradient of its row NaN (masked classes may
///            get 0), no other's. A target on a masked class makes the loss +inf, smoothed mass included (PyTorch
///            does the same). A fully masked row counts for nothing
/// @cost      one read and one write, 1 exponential an element; a second read with smoothing or soft targets,
///            which are read once before; 1 number of scratch a class
/// @source    mean and class weights as in PyTorch's cross_entropy: the divisor is the sum of the labels'
///            class weights (with soft targets, the rows). Smoothing: Szegedy et al. 2016, arXiv:1512.00567
/// @example   distil::cross_entropy.with_grad(student, labels, gradient, {.label_smoothing = 0.1})
inline constexpr cross_entropy_loss cross_entropy{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
