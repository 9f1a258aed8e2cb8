#pragma once

#include <type_traits>

#include "distil/response/teacher/softened_term.hpp"
#include "distil/response/top_k/kernel.hpp"

namespace distil {

namespace detail {

inline constexpr auto is_log_of_tail = [](double value) { return value < 0.0; };
inline constexpr char const* must_be_log_of_tail = "less than 0";

/// What can be said of a top-k teacher without looking at its rows.
template <class Id, class Storage>
void require_top_k(char const* where, top_k_teacher<Id, Storage> const& teacher, index rows, index columns) {
  top_k_options const& options = teacher.options;
  require(options.form.has_value(), where, "form of the top-k teacher", "not said",
          "teacher_form::logits, log_probabilities or probabilities");
  require(options.tail.has_value(), where, "tail of the top-k teacher", "not said",
          "tail_policy::truncate, renormalise_teacher, renormalise_both, bucket, uniform or floor");
  require_matrix(where, "ids", teacher.ids);
  require(
      teacher.ids.rows == rows && teacher.ids.columns <= most_listed, where, "ids",
      [&] { return shape_text(teacher.ids.rows, teacher.ids.columns); },
      [&] { return detail::said(rows, " x k, with the rows of the student"); });
  require(
      teacher.values.rows == rows && teacher.values.columns == teacher.ids.columns, where, "values",
      [&] { return shape_text(teacher.values.rows, teacher.values.columns); },
      [&] { return said(shape_text(rows, teacher.ids.columns), ", the shape of the ids"); });
  require(rows == 0 || teacher.values.data != nullptr, where, "values", "a null pointer", "a matrix");
  require(columns <= most_listed, where, "number of classes", columns, "less than 2^31 with a top-k teacher");
  if (options.counts.size() > 0) require_size(where, "counts", options.counts.size(), rows);
  if (options.log_tail_mass) {
    require_parameter(where, "log_tail_mass", *options.log_tail_mass, rows, is_log_of_tail,
                      must_be_log_of_tail);
  }
  if (options.captured_at) {
    require_parameter(where, "captured_at", *options.captured_at, rows, is_temperature, must_be_temperature);
    require(teacher.knows_mass(), where, "captured_at", "given",
            "left out for logits without log_tail_mass, which belong to no temperature");
  }
  bool const needs_mass = *options.tail == tail_policy::truncate || *options.tail == tail_policy::bucket ||
                          *options.tail == tail_policy::uniform;
  require(!needs_mass || teacher.knows_mass(), where, "tail of the top-k teacher",
          "truncate, bucket or uniform for logits without log_tail_mass",
          "a policy that renormalises, or floor, since logits of some classes do not tell the mass of the "
          "others");
  require(options.log_floor >= -1e4 && options.log_floor <= 0.0, where, "log_floor", options.log_floor,
          "within [-1e4, 0]");
}

}  // namespace detail

inline namespace DISTIL_ARCH_NAMESPACE {

/// A divergence between a top-k teacher and the student as a term of a sum. See `top_k`.
template <class Function, class Teacher>
struct top_k_term : detail::softened_term {
  using arithmetic = arithmetic_t<typename Teacher::storage>;
  template <class T>
  using kernel = kernels::top_k_kernel<T, Function>;

  Function function;
  Teacher teacher;
  mutable simd::scratch_lease memory = {};  ///< of the copy that is evaluated

  top_k_term(Function const& the_function, Teacher const& the_teacher, divergence_options const& options)
      : softened_term(options), function(the_function), teacher(the_teacher) {}

  [[nodiscard]] double temperature_of_teacher(index row) const {
    return (teacher_temperature ? *teacher_temperature : temperature)[row];
  }

  void check(char const* where, index rows_of_student, index columns) const {
    detail::require_top_k(where, teacher, rows_of_student, columns);
    detail::require(
        *teacher.options.tail != tail_policy::truncate || kernels::class_terms<float, Function>::expects,
        where, "tail of the top-k teacher", "truncate",
        "another policy, since only forward KL and soft cross entropy are sums over the teacher's classes");
    check_temperature(where, rows_of_student);
    check_softening(where, teacher.moves(), rows_of_student);
    check_derivative(where, kernels::class_terms<float, Function>::has_chi);
    detail::require_rows(where, rows, rows_of_student);
    if constexpr (requires { function.check(where); }) function.check(where);
  }

  void check_numbers(char const* where, detail::computing_type type) const {
    check_factors(where, type);
    if constexpr (requires { function.check_numbers(where, type); }) function.check_numbers(where, type);
  }

  void check_apart(char const* where, detail::matrix_extent const& gradient) const {
    detail::require_apart(where, gradient, "ids", teacher.ids);
    detail::require_apart(where, gradient, "values", teacher.values);
  }

  void inspect(char const* where, index rows_of_student, index columns) const {
    inspect_temperature(where);
    inspect_softening(where);
    inspect_captured_at(where, teacher.options.captured_at);
    if (teacher.options.log_tail_mass) {
      detail::require_row_values(where, "log_tail_mass", *teacher.options.log_tail_mass,
                                 detail::is_log_of_tail, detail::must_be_log_of_tail);
    }
    inspect_weights(where);
    memory.take(where);
    auto const words = static_cast<std::size_t>(columns) / 64 + 1;
    auto* const seen = reinterpret_cast<std::uint64_t*>(memory.memory(words * sizeof(std::uint64_t)));
    std::fill(seen, seen + words, 0);
    for (index row = 0; row < rows_of_student; ++row) {
      if (!(weight_of(row).multiplier > 0.0)) continue;
      detail::require_ids(where, teacher, row, columns, seen);
      if (teacher.options.form != teacher_form::logits) kernels::require_mass(where, teacher, row);
    }
  }

  [[nodiscard]] bool alike() const {
    if (!term_base::alike() || some_row_is_absent(teacher.ids.rows)) return false;
    for (index row = 0; row < teacher.ids.rows; ++row) {
      if (teacher.empty(row)) return false;
    }
    return true;
  }

  [[nodiscard]] detail::row_weight weigh(bool student_is_masked, index row) const {
    detail::row_weight const weight = weight_of(row);
    if (student_is_masked || !(weight.multiplier > 0.0) || teacher.empty(row)) return {};
    return with_factor(weight, row);
  }
};

template <class Function, class Id, class Storage>
struct term_of<Function, top_k_teacher<Id, Storage>> {
  [[nodiscard]] static auto make(Function const& function, top_k_teacher<Id, Storage> const& teacher,
                                 divergence_options const& options) {
    using of_rows = typename kernels::function_in_rows<float, Function>::type;
    static_assert(
        std::is_same_v<of_rows, Function>,
        "distil: this divergence looks at all classes of its teacher first, and takes no top-k teacher");
    if constexpr (std::is_same_v<of_rows, Function>) return top_k_term(function, teacher, options);
  }
};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
