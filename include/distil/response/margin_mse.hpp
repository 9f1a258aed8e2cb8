#pragma once

#include <cmath>
#include <limits>

#include "distil/sweep/whole_rows.hpp"

namespace distil {

/// Options of `margin_mse`.
struct margin_mse_options {
  /// Which column of each row is the positive one; a row with `rows.ignore_label` does not count. Default: the first.
  label_view positives = {};

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its logits hold. Default 1.
  double weight = 1.0;

  /// Weights, ignored label, reduction, divisor.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// Scores of a positive and its negatives in one row, as a term of whole rows.
template <class Student, class Teacher>
struct margin_mse_term : detail::term_base {
  using arithmetic = arithmetic_t<Teacher>;
  template <class T>
  class worker;

  detail::row_view<Student const> student;
  detail::row_view<Teacher const> teacher;
  label_view positives;

  margin_mse_term(detail::row_view<Student const> the_student, detail::row_view<Teacher const> the_teacher,
                  margin_mse_options const& options)
      : term_base{.rows = options.rows},
        student(the_student),
        teacher(the_teacher),
        positives(options.positives) {}

  [[nodiscard]] std::int64_t positive(index row) const { return positives.size() > 0 ? positives[row] : 0; }
  [[nodiscard]] bool ignored(index row) const {
    return positives.size() > 0 && positives[row] == rows.ignore_label;
  }

  void check(char const* where, index row_count, index columns) const {
    detail::require_shape(where, "teacher", teacher, row_count, columns);
    if (positives.size() > 0) detail::require_size(where, "positives", positives.size(), row_count);
    detail::require_rows(where, rows, row_count);
  }
  void check_apart(char const* where, detail::matrix_extent const& gradient) const {
    detail::require_apart(where, gradient, "teacher", teacher);
  }
  void inspect(char const* where, index row_count, index columns) const {
    detail::require_row_weights(where, rows);
    for (index row = 0; row < row_count; ++row) {
      detail::require(
          ignored(row) || (positive(row) >= 0 && positive(row) < columns), where, "positive",
          [&] { return detail::said(positive(row), " in row ", row); },
          [&] { return detail::said("within [0, ", columns, ") or the ignored label ", rows.ignore_label); });
    }
  }

  [[nodiscard]] bool alike() const { return false; }

  /// A row counts when it has a positive and a negative.
  [[nodiscard]] detail::row_weight weigh(bool student_is_masked, index row) const {
    detail::row_weight const weight = weight_of(row);
    if (student_is_masked || !(weight.multiplier > 0.0) || ignored(row)) return {};
    if (masked(row, positive(row))) return {};
    for (index column = 0; column < student.columns; ++column) {
      if (column != positive(row) && !masked(row, column)) return weight;
    }
    return {};
  }
  [[nodiscard]] bool masked(index row, index column) const {
    constexpr double masked = -std::numeric_limits<double>::infinity();
    return detail::widen<double>(student(row, column)) == masked ||
           detail::widen<double>(teacher(row, column)) == masked;
  }
};

/// With the lead of the positive d_j = (z_0 - z_j) - (t_0 - t_j) over n negatives:
///
///   value = sum d_j^2 / n        dL/dz_j = -2 d_j / n, dL/dz_0 = 2 sum d_j / n
template <class Student, class Teacher>
template <class T>
class margin_mse_term<Student, Teacher>::worker {
 public:
  static void reserve(margin_mse_term const& term) { simd::scratch<T>(2 * term.student.columns); }

  explicit worker(margin_mse_term const& term) : term_(term) {}

  // Not inlined, so that the value is the same with and without gradient.
  [[gnu::noinline]] double value(index row, bool /*wants_gradient*/) {
    index const columns = term_.student.columns;
    gradient_ = simd::scratch<T>(2 * columns);
    T* const other = gradient_ + columns;
    simd::read_row(term_.student, row, gradient_);
    simd::read_row(term_.teacher, row, other);
    auto const first = static_cast<index>(term_.positive(row));
    double const first_student = static_cast<double>(gradient_[first]);
    double const first_teacher = static_cast<double>(other[first]);
    index const negatives = count(first, other);
    double const each = 2.0 / static_cast<double>(negatives);
    simd::compensated_sum sum, squares;
    for (index column = 0; column < columns; ++column) {
      if (column == first) continue;
      if (masked(column, other)) {
        gradient_[column] = T(0);
        continue;
      }
      double const lead = (first_student - static_cast<double>(gradient_[column])) -
                          (first_teacher - static_cast<double>(other[column]));
      squares += lead * lead;
      sum += lead;
      gradient_[column] = static_cast<T>(-each * lead);
    }
    gradient_[first] = static_cast<T>(each * sum.value());
    bool const broken = !std::isfinite(squares.value());
    if (broken) std::fill_n(gradient_, columns, std::numeric_limits<T>::quiet_NaN());
    return broken ? std::numeric_limits<double>::quiet_NaN()
                  : squares.value() / static_cast<double>(negatives);
  }

  template <class Gradient>
  void write(index row, detail::row_view<Gradient> const& gradient, T scale, bool accumulate) {
    for (index column = 0; column < gradient.columns; ++column) gradient_[column] *= scale;
    simd::write_row(gradient_, gradient, row, accumulate);
  }

 private:
  [[nodiscard]] bool masked(index column, T const* other) const {
    return gradient_[column] == -simd::infinity<T> || other[column] == -simd::infinity<T>;
  }
  [[nodiscard]] index count(index first, T const* other) const {
    index negatives = 0;
    for (index column = 0; column < term_.student.columns; ++column) {
      negatives += column != first && !masked(column, other) ? 1 : 0;
    }
    return negatives;
  }

  margin_mse_term const& term_;
  T* gradient_ = nullptr;  ///< the student's row at first
};

/// See `margin_mse`.
struct margin_mse_loss : detail::binary_face<margin_mse_loss, margin_mse_options> {
  static constexpr char const* name = "margin_mse";
  static constexpr error_bound bound{.value = 16, .gradient = 16};

  template <class Student, class Teacher, class Output>
  [[nodiscard]] static loss_value evaluate(detail::any_policy policy, Student const& student,
                                           Teacher const& teacher, Output const& output,
                                           margin_mse_options const& options) {
    auto const scores = detail::logit_rows(student);
    return simd::evaluate_whole_rows(
        name, policy, scores, output, {.accumulate = options.accumulate},
        detail::with_weight(name, options.weight, make_term(scores, teacher, options)));
  }

 private:
  template <class Student, class Teacher>
  [[nodiscard]] static auto make_term(detail::row_view<Student const> student, Teacher const& teacher,
                                      margin_mse_options const& options) {
    auto const scores = detail::logit_rows(teacher);
    return margin_mse_term<Student, std::remove_const_t<typename decltype(scores)::element>>(student, scores,
                                                                                             options);
  }
};

/// Squared difference between the student's and the teacher's margins of a positive passage over negative ones: how
/// retrievers learn from rerankers, whatever the scale and offset of their scores. @alias MarginMSE
///
/// @formula   L = (1 / sum w) * sum_b w_b / n_b * sum_j ((z_0 - z_j) - (t_0 - t_j))^2, over the n_b negatives j of the
///            positive 0
/// @param     student  [queries, candidates] scores; -inf: the negative takes no part (ragged lists are padded so)
/// @param     teacher  [queries, candidates] scores; -inf as with the student. Where a data set has margins m_j alone,
///            the row is 0, -m_1, -m_2 ...
/// @param     gradient [queries, candidates] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  w_b / sum w / n * -2 d_j for the negatives and 2 sum_j d_j for the positive, d the difference of margins
/// @throws    std::invalid_argument when a shape, option, weight or positive is refused; nothing is written then
/// @error     `bound`, the value relative to m^2 and the gradient to m, with m the sum of the largest
///            magnitudes of a score on both sides
/// @nan       a NaN or +inf score on either side makes loss and gradient of its row NaN, no other's. A row without
///            positive or without negative counts for nothing
/// @cost      one read of student and teacher and one write
/// @source    Hofstaetter et al. 2020, arXiv:2010.02666. The mean is over queries of that over negatives, which is
///            sentence-transformers' where all queries have as many. Scores of a teacher within [0, 1] make margins too
///            small to learn from (sentence-transformers#3540): pass its logits
/// @example   distil::margin_mse.with_grad(scores, teacher_scores, gradient)
inline constexpr margin_mse_loss margin_mse{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
