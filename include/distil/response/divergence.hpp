#pragma once

#include "distil/response/divergence/term.hpp"

namespace distil {

namespace detail {

/// A function's own name, or the generic one.
template <class Function>
constexpr char const* name_of() {
  if constexpr (requires { Function::name; }) {
    return Function::name;
  } else {
    return "divergence";
  }
}

}  // namespace detail

inline namespace DISTIL_ARCH_NAMESPACE {

/// A divergence D(p, q) between a teacher p = softmax(t / T) and a student q = softmax(z / T), row by row.
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 D(p_b, q_b) [nats]; with `teacher_temperature` S, p = softmax(t / S)
///            and T S in the place of T^2; with `factor`, that
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0). Of one row that
///            is an Eigen column vector: its transpose
/// @param     teacher  [rows, classes] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`;
///            any storage; or `top_k(ids, values, ...)`
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the
///            teacher; no temporary matrix, but a temporary view
/// @throws    std::invalid_argument when a shape, option, weight or temperature is refused; nothing is
///            written then
/// @nan       a NaN or +inf logit makes the loss and gradient of its row NaN (masked classes may get 0);
///            other rows are not touched. A row whose student or teacher is fully masked counts for nothing:
///            loss 0, gradient 0, weight 0
/// @cost      two reads of student and teacher and one write, two exponentials and as many more as Function needs, which
///            is asked once a class, and once more for the gradient where it is a function of its sums; 2 numbers of
///            scratch a class; a closed form needs one read. No allocation after a thread's first call
/// @error     as Function states
/// @source    Csiszar 1967 for divergences of this form; dL/dz = (psi - q sum psi) / T with psi = dD / d log
///            q
/// @example   inline constexpr distil::divergence<squared_hellinger> hellinger{};
///
/// Function says what is summed, lanes in and lanes out, with log-probabilities that may be -inf:
///
///   template <class Lanes> Lanes value(Lanes log_p, Lanes log_q) const;     // summand of the divergence
///   template <class Lanes> Lanes d_log_q(Lanes log_p, Lanes log_q) const;   // its derivative (psi)
///   template <class Lanes> Lanes d_log_p(Lanes log_p, Lanes log_q) const;   // for dL/dT
///
/// or, for a teacher's expectation of something linear, just `expectation` (see forward_kl.hpp). A static
/// member `name` appears in errors; `homogeneous = true` says that the summand for p = 0 is proportional to q, as it is in
/// every f-divergence, and saves two sweeps with a top-k teacher that is renormalised. Inside, `zero_safe_product(p, x)`
/// is p * x with 0 * inf = 0. Options of its own, and functions of one or several sums: see divergence/function.hpp. A
/// summand is free to differ by a multiple of q - p, whose sum is 0, from the one in the books: that keeps a small
/// divergence accurate.
template <class Function>
struct divergence
    : detail::binary_face<divergence<Function>, typename detail::options_of_function<Function>::type>,
      detail::bound_of_function<Function> {
  static constexpr char const* name = detail::name_of<Function>();
  using options_type = typename detail::options_of_function<Function>::type;

  Function function = {};

  constexpr divergence() = default;
  constexpr divergence(Function const& the_function) : function(the_function) {}

  template <class Student, class Teacher, class Output>
  [[nodiscard]] loss_value evaluate(detail::any_policy policy, Student const& student, Teacher const& teacher,
                                    Output const& output, options_type const& options) const {
    return simd::evaluate(name, policy, student, output, {.accumulate = options.accumulate},
                          make_term(teacher, options));
  }

  /// This divergence as a term of `fuse`. The teacher and every span in the options must outlive the
  /// objective.
  template <class Teacher>
  [[nodiscard]] auto term(Teacher const& teacher, options_type const& options = {}) const {
    detail::require(!options.accumulate, name, "accumulate", "set on a term", "set on the objective");
    return make_term(teacher, options);
  }

 private:
  template <class Teacher>
  [[nodiscard]] auto make_term(Teacher const& teacher, options_type const& options) const {
    return term_of<Function, Teacher>::make(detail::function_for(function, options), teacher,
                                            detail::shared_options(options));
  }
};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
