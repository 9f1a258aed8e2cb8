#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "distil/response/ranking/candidates.hpp"
#include "distil/sweep/whole_rows.hpp"

namespace distil {

namespace detail {

/// Scores of all classes.
template <class Storage>
struct dense_scores {
  using storage = Storage;
  detail::row_view<Storage const> scores;

  void check(char const* where, index rows, index columns) const {
    require_shape(where, "teacher", scores, rows, columns);
  }
  void inspect(char const*, index) const {}
  [[nodiscard]] index column(index, index candidate) const { return candidate; }
};

/// Scores of some.
template <class Storage, class Id>
struct sparse_scores {
  using storage = Storage;
  detail::row_view<Storage const> scores;
  matrix_view<Id const> ids;

  void check(char const* where, index rows, index) const {
    require_matrix(where, "teacher.scores", scores);
    require(
        scores.rows == rows, where, "teacher.scores",
        [&] { return detail::said("of ", scores.rows, " rows"); },
        [&] { return detail::said("of ", rows, ", the rows of the student"); });
    require(
        ids.rows == rows && ids.columns == scores.columns && (rows == 0 || ids.data != nullptr), where,
        "teacher.ids", [&] { return shape_text(ids.rows, ids.columns); },
        [&] { return said(shape_text(rows, scores.columns), ", the shape of the scores"); });
  }
  void inspect(char const* where, index columns) const {
    using arithmetic = arithmetic_t<Storage>;
    for (index row = 0; row < ids.rows; ++row) {
      for (index i = 0; i < ids.columns; ++i) {
        bool const padding =
            static_cast<arithmetic>(scores(row, i)) == -std::numeric_limits<arithmetic>::infinity();
        require(
            padding || (ids(row, i) >= 0 && ids(row, i) < columns), where, "teacher.ids",
            [&] { return detail::said(ids(row, i), " in row ", row); },
            [&] { return detail::said("within [0, ", columns, ") where the score is not -inf"); });
      }
    }
  }
  [[nodiscard]] index column(index row, index candidate) const {
    return static_cast<index>(ids(row, candidate));
  }
};

template <class Matrix>
auto as_scores(Matrix const& matrix) {
  auto const seen = logit_rows(matrix);
  return dense_scores<std::remove_const_t<typename decltype(seen)::element>>{seen};
}
template <class Storage, class Id>
auto as_scores(candidate_scores<Storage, Id> const& candidates) {
  return sparse_scores<Storage, Id>{candidates.scores, candidates.ids};
}

}  // namespace detail

inline namespace DISTIL_ARCH_NAMESPACE {

/// A candidate of a row: its scores, and the derivative of the row's loss by the student's.
template <class T>
struct ranked_candidate {
  T teacher, student;
  index column;
  double gradient;
};

/// Candidates of a row, the teacher's best first; equal ones in the order of their columns. Those from `top` on are in
/// no order.
template <class T>
struct ranked_row {
  std::span<ranked_candidate<T>> candidates;
  index top;
  double inverse_temperature;
  bool wants_gradient;
};

/// A loss of the order in which the teacher puts the candidates of each row, as a term of whole rows. A class takes part
/// when neither side has masked it by -inf. The function has
///
///   needs_different   static: a row counts when the teacher tells two of its candidates apart; else when it has one
///   reserve<T>(candidates)      static: the memory of this thread beside that of the row
///   operator()(ranked_row<T>)   the loss; writes the gradient of each candidate when it is wanted
template <class Student, class Scores, class Function>
struct ranking_term : detail::term_base {
  using arithmetic = arithmetic_t<typename Scores::storage>;
  template <class T>
  class worker;

  detail::row_view<Student const> student;
  Scores teacher;
  Function function;
  row_parameter temperature;
  index top;

  template <class Options>
  ranking_term(detail::row_view<Student const> the_student, Scores const& the_teacher, Options const& options)
      : term_base{.rows = options.rows},
        student(the_student),
        teacher(the_teacher),
        function(options),
        temperature(options.temperature),
        top(options.top) {}

  void check(char const* where, index row_count, index columns) const {
    teacher.check(where, row_count, columns);
    detail::require_temperature(where, temperature, {}, row_count);
    detail::require(top >= 0, where, "top", top, ">= 0 (0: all)");
    function.check(where);
    detail::require_rows(where, rows, row_count);
  }
  void check_numbers([[maybe_unused]] char const* where, [[maybe_unused]] detail::computing_type type) const {
    if constexpr (requires { function.check_numbers(where, type); }) function.check_numbers(where, type);
  }
  void check_apart(char const* where, detail::matrix_extent const& gradient) const {
    detail::require_apart(where, gradient, "teacher", teacher.scores);
  }
  void inspect(char const* where, index /*rows*/, index columns) const {
    detail::require_row_values(where, "temperature", temperature, detail::is_temperature,
                               detail::must_be_temperature);
    detail::require_row_weights(where, rows);
    teacher.inspect(where, columns);
  }

  [[nodiscard]] bool alike() const { return false; }

  /// Nearly always the first two candidates decide.
  [[nodiscard]] detail::row_weight weigh(bool student_is_masked, index row) const {
    detail::row_weight const weight = weight_of(row);
    if (student_is_masked || !(weight.multiplier > 0.0)) return {};
    double earlier = 0.0;
    bool any = false;
    for (index i = 0; i < teacher.scores.columns; ++i) {
      double const score = detail::widen<double>(teacher.scores(row, i));
      if (score == masked || detail::widen<double>(student(row, teacher.column(row, i))) == masked) continue;
      if (!Function::needs_different || (any && score != earlier)) return weight;
      if (score != score) return weight;  // NaN must be seen
      earlier = score;
      any = true;
    }
    return {};
  }

  static constexpr double masked = -std::numeric_limits<double>::infinity();
};

template <class Student, class Scores, class Function>
template <class T>
class ranking_term<Student, Scores, Function>::worker {
  using candidate = ranked_candidate<T>;

 public:
  static void reserve(ranking_term const& term) {
    simd::scratch<candidate>(term.teacher.scores.columns);
    Function::template reserve<T>(term.teacher.scores.columns);
  }

  explicit worker(ranking_term const& term) : term_(term) {}

  double value(index row, bool wants_gradient) {
    if (!gather(row)) return std::numeric_limits<double>::quiet_NaN();
    index const size = static_cast<index>(candidates_.size());
    index const sorted = term_.top > 0 ? std::min(term_.top, size) : size;
    auto const better = [](candidate const& a, candidate const& b) {
      return a.teacher > b.teacher || (a.teacher == b.teacher && a.column < b.column);
    };
    auto const first = candidates_.begin();
    if (sorted < size) std::nth_element(first, first + sorted, candidates_.end(), better);
    std::sort(first, first + sorted, better);
    return term_.function(ranked_row<T>{candidates_, sorted, 1.0 / term_.temperature[row], wants_gradient});
  }

  template <class Gradient>
  void write(index row, detail::row_view<Gradient> const& gradient, T scale, bool accumulate) const {
    if (broken_ || !accumulate) {
      simd::fill_row(gradient, row,
                     detail::narrow<Gradient>(broken_ ? std::numeric_limits<T>::quiet_NaN() : T(0)));
    }
    if (broken_) return;
    for (candidate const& one : candidates_) {
      Gradient& element = gradient(row, one.column);
      element = detail::narrow<Gradient>(
          static_cast<T>(detail::widen<double>(element) + static_cast<double>(scale) * one.gradient));
    }
  }

 private:
  /// False when a score is NaN or +inf.
  bool gather(index row) {
    auto const& scores = term_.teacher.scores;
    candidate* const all = simd::scratch<candidate>(scores.columns);
    std::size_t count = 0;
    broken_ = false;
    for (index i = 0; i < scores.columns; ++i) {
      T const of_teacher = detail::widen<T>(scores(row, i));
      if (of_teacher == -simd::infinity<T>) continue;
      index const column = term_.teacher.column(row, i);
      T const of_student = detail::widen<T>(term_.student(row, column));
      if (of_student == -simd::infinity<T>) continue;
      if (!(of_teacher < simd::infinity<T>) || !(of_student < simd::infinity<T>)) broken_ = true;
      all[count++] = {of_teacher, of_student, column, 0.0};
    }
    candidates_ = {all, count};
    return !broken_;
  }

  ranking_term const& term_;
  std::span<candidate> candidates_;
  bool broken_ = false;
};

/// The face of the ranking losses.
template <class Function>
struct ranking_loss : detail::binary_face<ranking_loss<Function>, typename Function::options_type> {
  static constexpr char const* name = Function::name;
  using options_type = typename Function::options_type;

  template <class Student, class Teacher, class Output>
  [[nodiscard]] static loss_value evaluate(detail::any_policy policy, Student const& student,
                                           Teacher const& teacher, Output const& output,
                                           options_type const& options) {
    auto const scores = detail::logit_rows(student);
    return simd::evaluate_whole_rows(
        name, policy, scores, output, {.accumulate = options.accumulate},
        detail::with_weight(name, options.weight, make_term(scores, teacher, options)));
  }

 private:
  template <class Student, class Teacher>
  [[nodiscard]] static auto make_term(detail::row_view<Student const> student, Teacher const& teacher,
                                      options_type const& options) {
    auto const scores = detail::as_scores(teacher);
    return ranking_term<Student, std::remove_const_t<decltype(scores)>, Function>(student, scores, options);
  }
};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
