#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include "distil/core/execution.hpp"
#include "distil/simd/convert.hpp"
#include "distil/sweep/batch_of_term.hpp"

/// From a loss that needs all of a row at once, such as one that sorts it, to value and gradient of a batch: checks,
/// weights and divisor first, then row by row in chunks, then the sums in order.
///
/// A term is one of the sweeps (see evaluate.hpp) but for its kernel, in the place of which it has
///
///   template <class T> class worker   what one thread needs while it goes through rows:
///     reserve(term)                   static: the memory of this thread. It throws where memory ends
///     worker(term)
///     value(row, wants_gradient)      the loss of a row, as a double; what its gradient needs is kept until the next
///     write(row, gradient, scale, accumulate)   scale * d loss / d row, over what is there or added to it
///
/// Only rows that count reach a worker. Such a term stands alone: it does not run in the sweeps of others.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// A sum of many numbers whose rounding does not grow with their number (Kahan 1965).
class compensated_sum {
 public:
  compensated_sum& operator+=(double summand) {
    double const corrected = backend::subtract(summand, lost_);
    double const next = backend::add(sum_, corrected);
    lost_ = backend::subtract(backend::subtract(next, sum_), corrected);
    sum_ = next;
    return *this;
  }
  [[nodiscard]] double value() const { return sum_; }

 private:
  double sum_ = 0.0, lost_ = 0.0;
};

/// Every class of a row gets the same value.
template <class Gradient>
void fill_row(detail::row_view<Gradient> const& gradient, index row, Gradient value) {
  if (gradient.column_stride == 1) {
    std::fill_n(&gradient(row, 0), gradient.columns, value);
  } else {
    for (index column = 0; column < gradient.columns; ++column) gradient(row, column) = value;
  }
}

/// A row in its arithmetic type, wherever it lies.
template <class T, class Storage>
void read_row(detail::row_view<Storage const> const& matrix, index row, T* to) {
  if (matrix.column_stride == 1) return widen_row(&matrix(row, 0), matrix.columns, to);
  for (index column = 0; column < matrix.columns; ++column)
    to[column] = detail::widen<T>(matrix(row, column));
}

/// And back; with `accumulate` the sum with what lies there, rounded once.
template <class T, class Storage>
void write_row(T const* from, detail::row_view<Storage> const& matrix, index row, bool accumulate) {
  if (matrix.column_stride == 1 && accumulate) {
    return narrow_row<true>(from, matrix.columns, &matrix(row, 0));
  }
  if (matrix.column_stride == 1) return narrow_row<false>(from, matrix.columns, &matrix(row, 0));
  for (index column = 0; column < matrix.columns; ++column) {
    Storage& element = matrix(row, column);
    element = detail::narrow<Storage>(accumulate ? detail::widen<T>(element) + from[column] : from[column]);
  }
}

template <class T, class Gradient, class Term>
class whole_row_evaluation : batch_of_term<T, Gradient, Term> {
  using base = batch_of_term<T, Gradient, Term>;
  using base::chunks_, base::options_, base::output_, base::student_, base::term_, base::terms_,
      base::with_gradient;
  using worker = typename Term::template worker<T>;

 public:
  using base::base;

  loss_value run(detail::any_policy policy) {
    if (student_.rows > 0) {
      index const chunk_rows =
          std::max(ceiling(student_.rows, most_chunks), ceiling(least_chunk_elements, student_.columns));
      chunks_ = ceiling(student_.rows, chunk_rows);
      worker::reserve(term_);  // on this thread, so that a lack of memory can be reported
      auto const body = [this, chunk_rows](index chunk) {
        index const first = chunk * chunk_rows;
        run_chunk(first, std::min(first + chunk_rows, student_.rows), *this->sums_of(chunk));
      };
      policy(chunks_, student_.rows * student_.columns, detail::chunk_task(body));
    }
    return this->reduce();
  }

 private:
  static constexpr index ceiling(index a, index b) { return (a + b - 1) / b; }

  void run_chunk(index first, index last, term_sums& sums) noexcept {
    worker::reserve(term_);
    worker work(term_);
    for (index row = first; row < last; ++row) {
      double multiplier = 0.0;
      this->multipliers_of(row, &multiplier);
      if (multiplier == 0.0) {
        skip(row, sums);
        continue;
      }
      double const value = work.value(row, with_gradient);
      sums.value += multiplier * value;
      record(row, multiplier, value, sums);
      if constexpr (with_gradient) {
        if (terms_[0].has_gradient(multiplier)) {
          work.write(row, output_, static_cast<T>(terms_[0].scale_of(multiplier)), options_.accumulate);
        } else {
          clear(row);
        }
      }
    }
  }

  void record(index row, double multiplier, double value, term_sums& sums) const {
    if (!this->writes_by_row()) return;
    this->write_row(
        row, &multiplier, [value](std::size_t) { return row_record{value}; }, &sums);
  }

  void skip(index row, term_sums& sums) const {
    record(row, 0.0, 0.0, sums);
    if constexpr (with_gradient) clear(row);
  }

  void clear(index row) const {
    if (!options_.accumulate) fill_row(output_, row, detail::narrow<typename Gradient::element>(T(0)));
  }
};

/// The value of a term that needs whole rows, and where `output` is a view and not `no_gradient`, the gradient with
/// respect to the student.
template <class Student, class Output, class Term>
loss_value evaluate_whole_rows(char const* where, detail::any_policy policy,
                               detail::row_view<Student const> const& student, Output const& output,
                               objective_options const& options, Term const& term) {
  using T = std::common_type_t<arithmetic_t<Student>, typename Term::arithmetic>;
  return whole_row_evaluation<T, Output, Term>(where, student, output, options, term).run(policy);
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
