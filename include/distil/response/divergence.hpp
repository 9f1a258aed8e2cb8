#pragma once

#include <type_traits>

#include "distil/response/divergence/expectation_kernel.hpp"
#include "distil/response/divergence/function.hpp"
#include "distil/response/divergence/kernel.hpp"
#include "distil/response/divergence/kl_blend_kernel.hpp"
#include "distil/response/top_k/term.hpp"

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

/// Divergences whose derivative by the temperature can be had: by log p, too.
template <class Function>
inline constexpr bool moves_by_temperature =
    kernels::teacher_expectation<Function> ||
    kernels::function_by_log_p<typename kernels::function_in_rows<float, Function>::type>;

namespace kernels {

/// The kernel that knows most about a Function.
template <class T, class Axis, class Function, class Teacher>
struct divergence_kernels {
  using type = divergence_kernel<T, Axis, Function, Teacher>;
};
template <class T, class Axis, teacher_expectation Function, class Teacher>
struct divergence_kernels<T, Axis, Function, Teacher> {
  using type = expectation_kernel<T, Axis, Function, Teacher>;
};
template <class T, class Axis, kl_blend Function, class Teacher>
struct divergence_kernels<T, Axis, Function, Teacher> {
  using type = kl_blend_kernel<T, Axis, Function, Teacher>;
};

}  // namespace kernels

/// A divergence between one teacher and the student as a term of a sum.
template <class Function, class Storage, teacher_form Form>
struct divergence_term : detail::term_base {
  using arithmetic = arithmetic_t<Storage>;
  template <class T, class Axis>
  using reader = kernels::teacher_reader<T, Axis, Form>;
  template <class T, class Axis>
  using kernel = typename kernels::divergence_kernels<T, Axis, Function, reader<T, Axis>>::type;

  Function function;
  dense_teacher<Storage, Form> teacher;
  row_parameter temperature = 1;
  std::optional<row_parameter> teacher_temperature;
  std::optional<row_parameter> factor;
  bool squared = true;
  /// Of a Function that looks at whole rows, in the copy that is evaluated.
  static constexpr bool looks_at_rows =
      !std::is_same_v<typename kernels::function_in_rows<float, Function>::type, Function>;
  mutable std::conditional_t<looks_at_rows, simd::scratch_lease, simd::nothing> memory = {};

  divergence_term(Function const& the_function, dense_teacher<Storage, Form> const& the_teacher,
                  divergence_options const& options)
      : term_base{.rows = options.rows,
                  .temperature_gradient = options.temperature_gradient,
                  .teacher_temperature_gradient = options.teacher_temperature_gradient},
        function(the_function),
        teacher(the_teacher),
        temperature(options.temperature),
        teacher_temperature(options.teacher_temperature),
        factor(options.factor),
        squared(options.scale_by_temperature_squared) {}

  void check(char const* where, index rows_of_student, index columns) const {
    detail::require_shape(where, "teacher", teacher.matrix, rows_of_student, columns);
    detail::require_temperature(where, temperature, temperature_gradient, rows_of_student);
    detail::require(!wants_derivative() || moves_by_temperature<Function>, where, "temperature_gradient",
                    "asked for", "left out, since this divergence has no d_log_p");
    detail::require_softening(where, *this, rows_of_student);
    if (teacher.captured_at) {
      detail::require_parameter(where, "captured_at", *teacher.captured_at, rows_of_student,
                                detail::is_temperature, detail::must_be_temperature);
    }
    detail::require_rows(where, rows, rows_of_student);
    if constexpr (requires { function.check(where); }) function.check(where);
  }

  void check_numbers(char const* where, detail::computing_type type) const {
    detail::require_factors(where, factor, type);
    if constexpr (requires { function.check_numbers(where, type); }) function.check_numbers(where, type);
  }

  /// Whether the kernel is to differentiate by the temperatures.
  [[nodiscard]] bool wants_derivative() const {
    return !temperature_gradient.empty() || !teacher_temperature_gradient.empty();
  }

  void check_apart(char const* where, detail::matrix_extent const& gradient) const {
    detail::require_apart(where, gradient, "teacher", teacher.matrix);
  }

  /// Memory for a row of this thread before any work, so that a lack of it can be reported.
  void reserve([[maybe_unused]] char const* where, [[maybe_unused]] index columns) const {
    if constexpr (looks_at_rows) {
      memory.take(where);
      (void)memory.memory(static_cast<std::size_t>(columns) * sizeof(double));
    }
  }

  void inspect(char const* where, index /*rows*/, index columns) const {
    using detail::require_row_values;
    reserve(where, columns);
    require_row_values(where, "temperature", temperature, detail::is_temperature,
                       detail::must_be_temperature);
    detail::require_softening_of_rows(where, *this);
    if (teacher.captured_at) {
      require_row_values(where, "captured_at", *teacher.captured_at, detail::is_temperature,
                         detail::must_be_temperature);
    }
    require_row_values(where, "rows.weights", rows.weights, detail::is_weight, detail::must_be_weight);
  }

  [[nodiscard]] bool alike() const {
    return term_base::alike() && !detail::some_row_is_absent(factor, teacher.matrix.rows) &&
           !detail::any_begins_masked(teacher);
  }

  [[nodiscard]] detail::row_weight weigh(bool student_is_masked, index row) const {
    detail::row_weight const weight = weight_of(row);
    if (student_is_masked || !(weight.multiplier > 0.0) || detail::fully_masked(teacher, row)) return {};
    return detail::weight_with_factor(weight, factor, row);
  }
};

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
/// is p * x with 0 * inf = 0. Options of its own, and functions of one or several sums: see divergence_function.hpp. A
/// summand is free to differ by a multiple of q - p, whose sum is 0, from the one in the books: that keeps a small
/// divergence accurate.
template <class Function>
struct divergence {
  static constexpr char const* name = detail::name_of<Function>();
  using options_type = typename detail::options_of_function<Function>::type;

  Function function = {};

  template <matrix_argument Student, class Teacher>
  [[nodiscard]] loss_value operator()(Student const& student, Teacher const& teacher,
                                      options_type const& options = {}) const {
    return (*this)(serial, student, teacher, options);
  }

  template <execution_policy Policy, class Student, class Teacher>
  [[nodiscard]] loss_value operator()(Policy policy, Student const& student, Teacher const& teacher,
                                      options_type const& options = {}) const {
    return simd::evaluate(name, policy, student, {}, make_term(teacher, options));
  }

  template <matrix_argument Student, class Teacher, class Gradient>
  loss_value with_grad(Student const& student, Teacher const& teacher, Gradient&& gradient,
                       options_type const& options = {}) const {
    return with_grad(serial, student, teacher, std::forward<Gradient>(gradient), options);
  }

  template <execution_policy Policy, class Student, class Teacher, class Gradient>
  loss_value with_grad(Policy policy, Student const& student, Teacher const& teacher, Gradient&& gradient,
                       options_type const& options = {}) const {
    return simd::evaluate_with_gradient(name, policy, student, std::forward<Gradient>(gradient),
                                        {.accumulate = options.accumulate}, make_term(teacher, options));
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
    auto const of_call = detail::function_for(function, options);
    auto const shared = detail::shared_options(options);
    if constexpr (detail::is_top_k<Teacher>) {
      using of_rows = typename kernels::function_in_rows<float, Function>::type;
      if constexpr (std::is_same_v<of_rows, Function>) {
        return top_k_term(of_call, teacher, shared);
      } else {
        static_assert(
            std::is_same_v<of_rows, Function>,
            "distil: this divergence looks at all classes of its teacher first, and takes no top-k teacher");
      }
    } else {
      auto const dense = detail::as_teacher(teacher);
      return divergence_term(of_call, dense, shared);
    }
  }
};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
