#pragma once

#include <algorithm>
#include <concepts>
#include <type_traits>

#include "distil/response/temperature/moving_temperature.hpp"
#include "distil/simd/chunk_sums.hpp"
#include "distil/simd/vectors.hpp"
#include "distil/simd/write_matrix.hpp"

namespace distil {

/// What `standardized` itself is asked for, around a loss that is called with its own options.
struct standardized_loss_options {
  /// Added to the standard deviation; finite and >= 0. Default 1e-7 (Sun et al. 2024).
  double epsilon = 1e-7;

  /// Multiplies value and gradients of the loss, so that `accumulate` sums a whole objective; finite and >= 0. A loss of
  /// weight 0 is absent, whatever its logits hold. Default 1.
  double weight = 1.0;
};

namespace detail {

template <class T, class Options>
concept operand_beside = !std::same_as<std::remove_cvref_t<T>, Options>;

/// A loss of logits of a student and of a teacher. A face says so; of a loss without one, naming its options does.
template <class Loss>
constexpr bool compares_logits() {
  if constexpr (requires { Loss::takes_teacher_logits; }) {
    return Loss::takes_teacher_logits;
  } else {
    return requires { typename Loss::options_type; };
  }
}

}  // namespace detail

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

inline void require_epsilon(char const* where, double epsilon) {
  detail::require(detail::is_weight(epsilon), where, "epsilon", epsilon, detail::must_be_weight);
}

/// A batch whose rows of logits have mean 0 and standard deviation 1, in memory of this thread until its next for the
/// same `Loss`; and the way back for the gradient of whatever loss was taken of it.
template <class T>
class standardized_rows {
 public:
  matrix_view<T> student, teacher;
  matrix_view<T> upstream;  ///< for the loss's gradient

  /// Shapes are checked before.
  template <class Loss, class Policy, class Student, class Teacher>
  standardized_rows(std::type_identity<Loss>, Policy policy, detail::row_view<Student const> const& z,
                    detail::row_view<Teacher const> const& t, double epsilon, bool with_gradient) {
    index const size = z.rows * z.columns, teacher_size = t.rows * t.columns;
    T* const numbers = simd::scratch<T, memory_of<Loss>>((with_gradient ? 2 : 1) * size + teacher_size);
    row_spread* const found = simd::scratch<row_spread, memory_of<Loss>>(2 * z.rows);
    student = {numbers, z.rows, z.columns};
    teacher = {numbers + size, t.rows, t.columns};
    if (with_gradient) upstream = {numbers + size + teacher_size, z.rows, z.columns};
    spread_ = found;
    epsilon_ = epsilon;
    find_statistics<T>(policy, z, found);
    find_statistics<T>(policy, t, found + z.rows);
    standardize(policy, z, found, student);
    standardize(policy, t, found + z.rows, teacher);
  }

  /// From dL/dz' to dL/dz, which times a weight is written to the gradient:
  ///
  ///   (h - mean h - z' (h . z') (deviation + epsilon) / ((C - 1) deviation)) / (deviation + epsilon)
  template <class Policy, class Gradient>
  void pull_back(Policy policy, detail::row_view<Gradient> const& gradient, double weight, bool adds) const {
    each_row(policy, student, [&](index row) {
      T* const h = &upstream(row, 0);
      if (weight == 0.0) return std::fill(h, h + student.columns, T(0));
      T const* const z = &student(row, 0);
      index const classes = student.columns;
      lanes<T> const masked(-simd::infinity<T>), zero(0);
      T const size = simd::sum_of<T>(classes, [&](auto at) { return abs(at.load(h)); });
      if (size == T(0)) return;  // a row that does not count, whatever it holds
      row_spread const& of = spread_[row];
      T const sum = simd::sum_of<T>(classes, [&](auto at) { return at.load(h); });
      T const product = simd::sum_of<T>(classes, [&](auto at) {
        lanes<T> const here = at.load(z);
        return select(here == masked, zero, at.load(h) * here);
      });
      double const along =
          of.any() ? static_cast<double>(product) / (of.count - 1.0) * (size_of(of) / of.deviation) : 0.0;
      lanes<T> const mean(static_cast<double>(sum) / of.count), slope(along), over(weight / size_of(of));
      simd::for_each_register<T>(classes, [&](auto at) {
        lanes<T> const here = at.load(z);
        at.store(select(here == masked, zero, (at.load(h) - mean - slope * here) * over), h);
      });
    });
    simd::write_matrix(policy, upstream, gradient, adds);
  }

 private:
  template <class Loss>
  struct memory_of {};

  /// What a row's distances from its mean are divided by.
  [[nodiscard]] double size_of(row_spread const& of) const {
    return of.any() ? of.deviation + epsilon_ : 1.0;
  }

  template <class Policy, class Body>
  static void each_row(Policy policy, matrix_view<T> const& matrix, Body const& body) {
    simd::for_chunks(policy, matrix.rows, simd::worth_a_chunk(matrix.columns), matrix.rows * matrix.columns,
                     [&](index first, index last) {
                       for (index row = first; row < last; ++row) body(row);
                     });
  }

  template <class Policy, class Storage>
  void standardize(Policy policy, detail::row_view<Storage const> const& from, row_spread const* found,
                   matrix_view<T> const& to) const {
    each_row(policy, to, [&](index row) {
      T* const out = &to(row, 0);
      if (from.column_stride == 1) {
        simd::widen_row(&from(row, 0), from.columns, out);
      } else {
        for (index column = 0; column < from.columns; ++column)
          out[column] = detail::widen<T>(from(row, column));
      }
      auto const standard = scaled_distance<T>::of_rows(
          [&](auto const& number) { return lanes<T>(static_cast<T>(number(row))); },
          [&](index of) { return found[of].mean; }, [&](index of) { return 1.0 / size_of(found[of]); });
      simd::for_each_register<T>(to.columns, [&](auto at) { at.store(standard.of(at.load(out)), out); });
    });
  }

  row_spread const* spread_ = nullptr;
  double epsilon_ = 0.0;
};

}  // namespace kernels

/// See `standardized`: any other loss, of standardized copies, with its own options. `Operand`: what the loss takes after
/// the teacher, such as labels.
template <class Loss>
struct standardized_loss {
  static constexpr char const* name = "logit_standardization";
  using options_type = typename Loss::options_type;

  Loss loss = {};
  double epsilon = standardized_loss_options{}.epsilon;
  double weight = standardized_loss_options{}.weight;

  template <matrix_argument Student, class Teacher>
  [[nodiscard]] auto operator()(Student const& student, Teacher const& teacher,
                                options_type const& options = {}) const {
    return value(serial, student, teacher, options);
  }
  template <execution_policy Policy, class Student, class Teacher>
  [[nodiscard]] auto operator()(Policy policy, Student const& student, Teacher const& teacher,
                                options_type const& options = {}) const {
    return value(policy, student, teacher, options);
  }
  template <matrix_argument Student, class Teacher, detail::operand_beside<options_type> Operand>
  [[nodiscard]] auto operator()(Student const& student, Teacher const& teacher, Operand const& operand,
                                options_type const& options = {}) const {
    return value(serial, student, teacher, options, operand);
  }
  template <execution_policy Policy, class Student, class Teacher,
            detail::operand_beside<options_type> Operand>
  [[nodiscard]] auto operator()(Policy policy, Student const& student, Teacher const& teacher,
                                Operand const& operand, options_type const& options = {}) const {
    return value(policy, student, teacher, options, operand);
  }

  template <matrix_argument Student, class Teacher, class Gradient>
  auto with_grad(Student const& student, Teacher const& teacher, Gradient&& gradient,
                 options_type const& options = {}) const {
    return descend(serial, student, teacher, std::forward<Gradient>(gradient), options);
  }
  template <execution_policy Policy, class Student, class Teacher, class Gradient>
  auto with_grad(Policy policy, Student const& student, Teacher const& teacher, Gradient&& gradient,
                 options_type const& options = {}) const {
    return descend(policy, student, teacher, std::forward<Gradient>(gradient), options);
  }
  template <matrix_argument Student, class Teacher, class Operand,
            detail::operand_beside<options_type> Gradient>
  auto with_grad(Student const& student, Teacher const& teacher, Operand const& operand, Gradient&& gradient,
                 options_type const& options = {}) const {
    return descend(serial, student, teacher, std::forward<Gradient>(gradient), options, operand);
  }
  template <execution_policy Policy, class Student, class Teacher, class Operand,
            detail::operand_beside<options_type> Gradient>
  auto with_grad(Policy policy, Student const& student, Teacher const& teacher, Operand const& operand,
                 Gradient&& gradient, options_type const& options = {}) const {
    return descend(policy, student, teacher, std::forward<Gradient>(gradient), options, operand);
  }

 private:
  /// The value of the loss, and the derivatives by its temperatures, with the weight.
  template <class Value>
  Value weighed(Value value, options_type const& options) const {
    if (weight == 1.0) return value;
    auto const weigh = [this](double& number) { number = weight == 0.0 ? 0.0 : weight * number; };
    auto const weigh_all = [&](std::span<double> numbers) {
      for (double& number : numbers) weigh(number);
    };
    weigh(value.value);
    if constexpr (requires { options.temperature_gradient; }) weigh_all(options.temperature_gradient);
    if constexpr (requires { options.teacher_temperature_gradient; }) {
      weigh_all(options.teacher_temperature_gradient);
    }
    return value;
  }

  template <class Policy, class Student, class Teacher>
  auto rows_of(Policy policy, Student const& student, Teacher const& teacher, bool with_gradient) const {
    auto const z = detail::logit_rows(student);
    auto const t = detail::logits_of_teacher(teacher);
    kernels::require_epsilon(name, epsilon);
    detail::require(detail::is_weight(weight), name, "weight", weight, detail::must_be_weight);
    detail::require_matrix(name, "student", z);
    detail::require_matrix(name, "teacher", t);
    constexpr bool of_any_classes = requires { Loss::teacher_has_own_classes; };
    detail::require_shape(name, "teacher", t, z.rows, of_any_classes ? t.columns : z.columns);
    using T = std::common_type_t<arithmetic_t<typename decltype(z)::element>,
                                 arithmetic_t<typename decltype(t)::element>>;
    return kernels::standardized_rows<T>(std::type_identity<Loss>{}, policy, z, t, epsilon, with_gradient);
  }
  template <class Policy, class Student, class Teacher, class... Operand>
  auto value(Policy policy, Student const& student, Teacher const& teacher, options_type const& options,
             Operand const&... operand) const {
    auto const rows = rows_of(policy, student, teacher, false);
    static_assert(
        requires {
          requires !detail::is_misused<decltype(loss(policy, rows.student, rows.teacher, operand...,
                                                     options))>;
        },
        "distil: a loss that is standardized takes logits of a student and of a teacher, and is called "
        "with what else it takes: labels, a cost, a projection");
    return weighed(loss(policy, rows.student, rows.teacher, operand..., options), options);
  }
  template <class Policy, class Student, class Teacher, class Gradient, class... Operand>
  auto descend(Policy policy, Student const& student, Teacher const& teacher, Gradient&& gradient,
               options_type const& options, Operand const&... operand) const {
    auto const z = detail::logit_rows(student);
    auto const output = detail::output_rows(std::forward<Gradient>(gradient));
    detail::require_shape(name, "gradient", output, z.rows, z.columns);
    detail::require_apart(name, output, "teacher", detail::logits_of_teacher(teacher));
    detail::require_distinct_elements(name, output);
    detail::require_writable_over_student(name, output, z);
    auto const rows = rows_of(policy, student, teacher, true);
    options_type of_rows = options;
    of_rows.accumulate = false;
    auto const result =
        loss.with_grad(policy, rows.student, rows.teacher, operand..., rows.upstream, of_rows);
    if (z.rows > 0) rows.pull_back(policy, output, weight, options.accumulate);
    return weighed(result, options);
  }
};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
