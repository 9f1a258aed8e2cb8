#pragma once

#include "distil/response/log_softmax.hpp"
#include "distil/response/softmax.hpp"
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
template <class Storage, teacher_form Form>
struct distribution_term : detail::dense_term<Storage, Form> {
  using base = detail::dense_term<Storage, Form>;
  using base::teacher, base::temperature;

  distribution_term(dense_teacher<Storage, Form> const& the_teacher, row_parameter const& the_temperature,
                    row_options const& options, std::span<double> by_temperature = {})
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
  [[nodiscard]] double teacher_temperature(index row) const {
    if constexpr (Form == teacher_form::logits) return temperature[row];
    return teacher.captured_at ? temperature[row] / (*teacher.captured_at)[row] : 1.0;
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE
