#pragma once

#include <algorithm>
#include <array>
#include <type_traits>

#include "distil/response/distribution/term.hpp"
#include "distil/sweep/batch_of_term.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// One row of the student and of the teacher, as a loss of whole rows sees it.
template <class T>
struct whole_row {
  index row;
  T const* student;  ///< q, or log q for a logarithmic term
  index classes;
  T* teacher;  ///< p, or log p; may be changed
  index teacher_classes;
  double temperature;
  T scale;                       ///< multiplies the gradient
  T* upstream;                   ///< where dL/dq goes, or dL/d log q; none wanted: nullptr
  double* of_teacher = nullptr;  ///< where T dL/dT of the teacher's side goes, not scaled; 0 if nothing does
};

/// Rows of losses that need each row in one piece. A block of rows at a time becomes probabilities in the scratch of
/// its thread; the term gives each row's value and its derivative by those probabilities, which is pulled back into
/// the gradient.
///
/// A term is a `distribution_term` with
///
///   logarithmic                      static: it takes log q, and gives dL/d log q
///   logarithmic_teacher              static: it takes log p
///   prepare<T>(columns)              what all rows share, made on the calling thread
///   row(prepared, whole_row<T>)      the value of one row, which counts, as a double
///   wants_upstream()                 where it has one: whether it needs the derivative by probabilities for itself
///
/// or a `softened_distribution_term` with these, which has derivatives by the temperatures.
template <class T, class Student, class Gradient, class Term>
class distribution_rows : simd::batch_of_term<T, Gradient, Term> {
  using base = simd::batch_of_term<T, Gradient, Term>;
  using base::chunks_, base::options_, base::output_, base::term_, base::terms_, base::with_gradient;
  struct of_rows {};

 public:
  distribution_rows(char const* where, detail::row_view<Student const> const& student,
                    Gradient const& gradient, objective_options const& options, Term const& term)
      : base(where, student, gradient, options, term), student_(student) {}

  loss_value run(detail::any_policy policy) {
    auto const ceiling = [](index a, index b) { return (a + b - 1) / b; };
    if (student_.rows > 0) {
      block_rows_ = std::max<index>(1, simd::least_chunk_elements / student_.columns);
      index const blocks = ceiling(student_.rows, block_rows_);
      index const chunk_rows = ceiling(blocks, simd::most_chunks) * block_rows_;
      chunks_ = ceiling(student_.rows, chunk_rows);
      (void)reserve();  // on this thread before any work, so that a lack of memory can be reported
      auto const prepared = term().template prepare<T>(student_.columns);
      auto const body = [&](index chunk) noexcept {
        index const last = std::min((chunk + 1) * chunk_rows, student_.rows);
        for (index first = chunk * chunk_rows; first < last; first += block_rows_) {
          run_block(prepared, first, std::min(block_rows_, last - first), *this->sums_of(chunk));
        }
      };
      detail::run_chunks(policy, chunks_, student_.rows * student_.columns, detail::chunk_task(body));
    }
    return this->reduce();
  }

 private:
  [[nodiscard]] Term const& term() const { return term_; }

  /// Memory of this thread for a block: q, p, dL/dq, and the temperatures of both.
  struct memory {
    matrix_view<T> student, teacher, upstream;
    double *temperature, *teacher_temperature;
  };
  [[nodiscard]] memory reserve() const {
    index const own = block_rows_ * student_.columns, teachers = block_rows_ * term().teacher.matrix.columns;
    T* const numbers = simd::scratch<T, of_rows>(2 * own + teachers);
    double* const temperatures = simd::scratch<double, distribution_rows>(2 * block_rows_);
    return {{numbers, block_rows_, student_.columns},
            {numbers + 2 * own, block_rows_, term().teacher.matrix.columns},
            {numbers + own, block_rows_, student_.columns},
            temperatures,
            temperatures + block_rows_};
  }

  template <class Prepared>
  void run_block(Prepared const& prepared, index first, index rows, simd::term_sums& sums) {
    memory const here = reserve();
    for (index r = 0; r < rows; ++r) {
      here.temperature[r] = term().temperature[first + r];
      here.teacher_temperature[r] = term().temperature_of_teacher(first + r);
    }
    auto const per_row = [rows](double const* values) {
      return row_parameter(std::span<double const>(values, static_cast<std::size_t>(rows)));
    };
    softmax_options const options{.temperature = per_row(here.temperature),
                                  .accumulate = options_.accumulate};
    auto const logits = detail::rows_from(student_, first, rows);
    auto const student = detail::rows_from(here.student, 0, rows),
               upstream = detail::rows_from(here.upstream, 0, rows);
    if constexpr (Term::logarithmic) {
      distil::log_softmax(serial, logits, student, {.temperature = options.temperature});
    } else {
      distil::softmax(serial, logits, student, {.temperature = options.temperature});
    }
    soften<Term::logarithmic_teacher>(serial, term().teacher, first, rows, per_row(here.teacher_temperature),
                                      detail::rows_from(here.teacher, 0, rows));
    for (index r = 0; r < rows; ++r) run_row(prepared, here, first + r, r, sums);
    if constexpr (with_gradient) {
      auto const gradient = detail::rows_from(output_, first, rows);
      if constexpr (Term::logarithmic) {
        distil::log_softmax.pull_back(serial, student, upstream, gradient, options);
      } else {
        distil::softmax.pull_back(serial, student, upstream, gradient, options);
      }
    }
  }

  template <class Prepared>
  void run_row(Prepared const& prepared, memory const& here, index row, index r, simd::term_sums& sums) {
    double weight = 0.0;
    this->multipliers_of(row, &weight);
    T* const student = &here.student(r, 0);
    bool const by_temperature =
        !term().temperature_gradient.empty() || !term().teacher_temperature_gradient.empty();
    bool wants_upstream = with_gradient || by_temperature;
    if constexpr (requires { term().wants_upstream(); })
      wants_upstream = wants_upstream || term().wants_upstream();
    T* const upstream = wants_upstream ? &here.upstream(r, 0) : nullptr;
    simd::row_record found{};
    if (weight != 0.0) {
      T const scale = static_cast<T>(terms_[0].scale_of(weight));
      double of_teacher = 0.0;
      found.value = term().row(prepared, whole_row<T>{row, student, student_.columns, &here.teacher(r, 0),
                                                      here.teacher.columns, here.temperature[r], scale,
                                                      upstream, by_temperature ? &of_teacher : nullptr});
      sums.value += weight * found.value;
      if constexpr (requires { term().teacher_temperature; }) {
        if (by_temperature && scale != T(0)) {
          double const of_student =
              -moment_of<T>(student, upstream, student_.columns) / static_cast<double>(scale);
          auto const slopes = term().with_factor_slope(found.value, of_student, of_teacher);
          found.derivative = slopes.student / term().temperature[row];
          if (term().teacher_temperature) {
            found.teacher_derivative = slopes.teacher / (*term().teacher_temperature)[row];
          }
        }
      }
    }
    if (with_gradient && !terms_[0].has_gradient(weight)) {
      std::fill(student, student + student_.columns, Term::logarithmic ? -simd::infinity<T> : T(0));
      std::fill(upstream, upstream + student_.columns, T(0));
    }
    if (!this->writes_by_row()) return;
    this->write_row(
        row, &weight, [&](std::size_t) { return found; }, &sums);
  }

  detail::row_view<Student const> student_;
  index block_rows_ = 1;
};

/// The value of a loss of whole rows, and where `output` is a view and not `no_gradient`, its gradient with respect to the
/// student.
template <class Student, class Output, class Term>
loss_value evaluate_rows(char const* where, detail::any_policy policy, Student const& student,
                         Output const& output, bool accumulate, Term const& term) {
  auto const logits = detail::logit_rows(student);
  using element = std::remove_const_t<typename decltype(logits)::element>;
  using T = std::common_type_t<arithmetic_t<element>, typename Term::arithmetic>;
  return distribution_rows<T, element, Output, Term>(where, logits, output, {.accumulate = accumulate}, term)
      .run(policy);
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
