#pragma once

#include "distil/response/log_softmax.hpp"
#include "distil/response/softmax.hpp"
#include "distil/response/teacher/softened_term.hpp"
#include "distil/response/teacher/term.hpp"
#include "distil/simd/vectors.hpp"

/// What the losses share that look at whole distributions: sorted, transported, or coupled with other rows. They
/// cannot run on the row sweeps, and work on softmax probabilities in scratch instead.
namespace distil::inline DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// The logarithms of stored probabilities, row by row.
template <class T, class Storage>
void take_logarithms(detail::row_view<Storage const> const& from, matrix_view<T> const& to) {
  for (index row = 0; row < from.rows; ++row) {
    T* const out = &to(row, 0);
    if (from.column_stride == 1) {
      simd::widen_row(&from(row, 0), from.columns, out);
    } else {
      for (index column = 0; column < from.columns; ++column)
        out[column] = detail::widen<T>(from(row, column));
    }
    simd::for_each_register<T>(from.columns, [&](auto place) { place.store(log(place.load(out)), out); });
  }
}

/// softmax(t / T) of some rows, or its logarithm, whatever the form of the teacher; `temperature` is what its logits
/// are divided by.
template <bool Logarithmic = false, class T, class Policy, class Storage, teacher_form Form>
void soften(Policy policy, dense_teacher<Storage, Form> const& teacher, index first, index count,
            row_parameter const& temperature, matrix_view<T> const& to) {
  auto const apply = [&](auto const& logits) {
    if constexpr (Logarithmic) {
      distil::log_softmax(policy, logits, to, {.temperature = temperature});
    } else {
      distil::softmax(policy, logits, to, {.temperature = temperature});
    }
  };
  auto const rows = detail::rows_from(teacher.matrix, first, count);
  if constexpr (Form == teacher_form::probabilities) {
    take_logarithms<T>(rows, to);
    apply(to);
  } else {
    apply(rows);
  }
}

}  // namespace kernels

namespace kernels {

/// A sum of q x over that of the same q: what their rounding has in common cancels.
template <class T, class Weight, class Value>
[[nodiscard]] T mean_under(index size, Weight const& weight, Value const& value) {
  T const mass = simd::sum_of<T>(size, weight);
  T const sum = simd::sum_of<T>(size, [&](auto at) { return zero_safe_product(weight(at), value(at)); });
  return sum / mass;
}

/// What a row of log-probabilities adds to a derivative by T, times -T: sum h (l - E l), with l = log q and h the loss's
/// derivative by it. d log q / dT = -(l - E l) / T.
template <class T>
[[nodiscard]] double moment_of(T const* log_q, T const* h, index classes) {
  lanes<T> const mean(mean_under<T>(
      classes, [&](auto at) { return exp_nonpositive(at.load(log_q)); },
      [&](auto at) { return at.load(log_q); }));
  return static_cast<double>(simd::sum_of<T>(
      classes, [&](auto at) { return zero_safe_product(at.load(h), at.load(log_q) - mean); }));
}

/// The same for sum p (log p - log r) by the distribution p itself.
template <class T>
[[nodiscard]] double moment_of_divergence(T const* p, T const* log_r, index classes) {
  lanes<T> const mean(mean_under<T>(
      classes, [&](auto at) { return at.load(p); }, [&](auto at) { return log(at.load(p)); }));
  return static_cast<double>(simd::sum_of<T>(classes, [&](auto at) {
    lanes<T> const here = at.load(p), log_p = log(here);
    return zero_safe_product(here, (log_p - at.load(log_r)) * (log_p - mean));
  }));
}

}  // namespace kernels

/// A loss between whole distributions of a teacher and of the student, p = softmax(t / T) and q = softmax(z / T).
template <class Storage, teacher_form Form, class Base = detail::tempered_term>
struct distribution_term : detail::dense_term<Storage, Form, Base> {
  using base = detail::dense_term<Storage, Form, Base>;
  using base::teacher, base::temperature;

  distribution_term(dense_teacher<Storage, Form> const& the_teacher, Base const& the_base)
      : base(the_base, the_teacher) {}
  distribution_term(
      dense_teacher<Storage, Form> const& the_teacher, row_parameter const& the_temperature,
      row_options const& options,
      std::span<double> by_temperature = {}) requires(std::is_same_v<Base, detail::tempered_term>)
      : base({{.rows = options, .temperature_gradient = by_temperature}, the_temperature}, the_teacher) {}

  /// For a teacher whose classes are others than the student's.
  void check_rows_of_teacher(char const* where, index row_count) const {
    detail::require_matrix(where, "teacher", teacher.matrix);
    detail::require(
        teacher.matrix.rows == row_count, where, "teacher",
        [&] { return detail::said("of ", teacher.matrix.rows, " rows"); },
        [&] { return detail::said("of as many rows as the student, ", row_count); });
  }

  /// What the teacher's logits are divided by in a row.
  [[nodiscard]] double temperature_of_teacher(index row) const {
    double const softened_at = own_or_common(row);
    if constexpr (Form == teacher_form::logits) return softened_at;
    return teacher.captured_at ? softened_at / (*teacher.captured_at)[row] : 1.0;
  }

 private:
  [[nodiscard]] double own_or_common(index row) const {
    if constexpr (std::is_same_v<Base, detail::softened_term>) {
      if (this->teacher_temperature) return (*this->teacher_temperature)[row];
    }
    return temperature[row];
  }
};

/// The same with what every divergence has: a temperature of the teacher's own, and a factor that does not move.
template <class Storage, teacher_form Form>
struct softened_distribution_term : distribution_term<Storage, Form, detail::softened_term> {
  using base = distribution_term<Storage, Form, detail::softened_term>;

  template <class Options>
  softened_distribution_term(dense_teacher<Storage, Form> const& the_teacher, Options const& options)
      : base(the_teacher, detail::softened_term(options)) {}

  [[nodiscard]] double factor_of(index row) const {
    if (this->factor) return (*this->factor)[row];
    if (!this->squared) return 1.0;
    return this->temperature[row] *
           (this->teacher_temperature ? (*this->teacher_temperature)[row] : this->temperature[row]);
  }
  /// T dL/dT of a row, from T dL/dT at a fixed factor of the sides that move with each temperature.
  struct slopes {
    double student, teacher;
  };
  [[nodiscard]] slopes with_factor_slope(double value, double of_student, double of_teacher) const {
    double const of_factor = this->squared && !this->factor ? value : 0.0;
    if (!this->teacher_temperature) return {of_student + of_teacher + 2.0 * of_factor, 0.0};
    return {of_student + of_factor, of_teacher + of_factor};
  }

  void check(char const* where, index row_count, index /*columns*/) const {
    this->check_rows_of_teacher(where, row_count);
    this->check_temperature(where, row_count);
    this->check_softening(where, this->teacher.moves(), row_count);
    this->check_rows(where, row_count);
  }
  void check_numbers(char const* where, detail::computing_type type) const {
    this->check_factors(where, type);
  }
  void inspect(char const* where, index /*rows*/, index /*columns*/) const {
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

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE
