#pragma once

#include <tuple>

#include "distil/sweep/evaluate.hpp"

namespace distil {
inline namespace DISTIL_ARCH_NAMESPACE {

/// A sum of terms on the same student logits, evaluated in one pair of sweeps: no term's gradient exists on
/// its own. See `fuse`.
template <class... Terms>
class objective
    : public detail::unary_face<objective<Terms...>, objective_options, objective_value<sizeof...(Terms)>> {
 public:
  static constexpr char const* name = "fuse";

  explicit objective(Terms const&... terms) : terms_(terms...) {}

  template <class Student, class Output>
  [[nodiscard]] objective_value<sizeof...(Terms)> evaluate(detail::any_policy policy, Student const& student,
                                                           Output const& output,
                                                           objective_options const& options) const {
    return std::apply(
        [&](auto const&... term) { return simd::evaluate(name, policy, student, output, options, term...); },
        terms_);
  }

 private:
  std::tuple<Terms...> terms_;
};

/// Sums terms on the same student logits into one objective:
///
///   auto objective = distil::fuse(0.3 * distil::cross_entropy.term(labels, {.label_smoothing = 0.1}),
///                                 0.7 * distil::forward_kl.term(teacher, {.temperature = 4.0F}));
///   auto loss = objective.with_grad(student, gradient);    // loss.terms[1] is the divergence alone
///
/// @formula   L = sum_k coefficient_k * L_k, each term with its own weights, ignored labels, reduction and
///            divisor
/// @throws    std::invalid_argument as the terms do, under the name fuse
/// @cost      the student is read twice and the gradient written once, whatever the number of terms
/// Every matrix, label and span a term views must outlive the objective.
template <detail::row_term... Terms>
[[nodiscard]] objective<Terms...> fuse(Terms const&... terms) {
  return objective<Terms...>(terms...);
}

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
