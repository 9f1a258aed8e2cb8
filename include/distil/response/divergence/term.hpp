#pragma once

#include <type_traits>

#include "distil/response/divergence/expectation_kernel.hpp"
#include "distil/response/divergence/function.hpp"
#include "distil/response/divergence/kernel.hpp"
#include "distil/response/divergence/kl_blend_kernel.hpp"
#include "distil/response/teacher/softened_term.hpp"
#include "distil/simd/scratch_lease.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE {

/// Divergences whose derivative by the temperature can be had: by log p, too.
template <class Function>
inline constexpr bool moves_by_temperature =
    kernels::teacher_expectation<Function> ||
    kernels::function_by_log_p<typename kernels::function_in_rows<float, Function>::type>;

namespace kernels {

/// The kernel that knows most about a Function.
template <class T, class Function, class Teacher>
struct divergence_kernels {
  using type = divergence_kernel<T, Function, Teacher>;
};
template <class T, teacher_expectation Function, class Teacher>
struct divergence_kernels<T, Function, Teacher> {
  using type = expectation_kernel<T, Function, Teacher>;
};
template <class T, kl_blend Function, class Teacher>
struct divergence_kernels<T, Function, Teacher> {
  using type = kl_blend_kernel<T, Function, Teacher>;
};

}  // namespace kernels

/// A divergence between a dense teacher and the student as a term of a sum.
template <class Function, class Storage, teacher_form Form>
struct divergence_term : detail::dense_term<Storage, Form, detail::softened_term> {
  using base = detail::dense_term<Storage, Form, detail::softened_term>;
  template <class T>
  using reader = kernels::teacher_reader<T, Form>;
  template <class T>
  using kernel = typename kernels::divergence_kernels<T, Function, reader<T>>::type;

  Function function;
  /// Of a Function that looks at whole rows, in the copy that is evaluated.
  static constexpr bool looks_at_rows =
      !std::is_same_v<typename kernels::function_in_rows<float, Function>::type, Function>;
  mutable std::conditional_t<looks_at_rows, simd::scratch_lease, simd::nothing> memory = {};

  divergence_term(Function const& the_function, dense_teacher<Storage, Form> const& the_teacher,
                  divergence_options const& options)
      : base(detail::softened_term(options), the_teacher), function(the_function) {}

  void check(char const* where, index row_count, index columns) const {
    this->check_teacher(where, row_count, columns);
    this->check_temperature(where, row_count);
    this->check_derivative(where, moves_by_temperature<Function>);
    this->check_softening(where, this->teacher.moves(), row_count);
    this->check_rows(where, row_count);
    if constexpr (requires { function.check(where); }) function.check(where);
  }

  void check_numbers(char const* where, detail::computing_type type) const {
    this->check_factors(where, type);
    if constexpr (requires { function.check_numbers(where, type); }) function.check_numbers(where, type);
  }

  /// Memory for a row of this thread before any work, so that a lack of it can be reported.
  void reserve([[maybe_unused]] char const* where, [[maybe_unused]] index columns) const {
    if constexpr (looks_at_rows) {
      memory.take(where);
      (void)memory.memory(static_cast<std::size_t>(columns) * sizeof(double));
    }
  }

  void inspect(char const* where, index /*rows*/, index columns) const {
    reserve(where, columns);
    this->inspect_temperature(where);
    this->inspect_softening(where);
    this->inspect_rows(where);
  }

  [[nodiscard]] bool alike() const {
    return !this->some_row_is_absent(this->teacher.matrix.rows) && base::alike();
  }

  [[nodiscard]] detail::row_weight weigh(bool student_is_masked, index row) const {
    return this->with_factor(base::weigh(student_is_masked, row), row);
  }
};

/// The term of a dense teacher, or a bare matrix of logits.
template <class Function, class Teacher>
struct term_of {
  [[nodiscard]] static auto make(Function const& function, Teacher const& teacher,
                                 divergence_options const& options) {
    auto const dense = detail::as_teacher(teacher);
    return divergence_term(function, dense, options);
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE
