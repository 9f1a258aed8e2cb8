#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "distil/core/length_in_range.hpp"
#include "distil/sweep/evaluate.hpp"

namespace distil {

/// Mean and unbiased standard deviation of a row's unmasked classes, and how many they are. NaN or infinite where an
/// element is.
struct row_spread {
  double mean, deviation, count;

  /// Whether there is a deviation to speak of: squares of smaller ones are lost in float.
  [[nodiscard]] bool any() const { return deviation > 1e-18; }
};

/// The largest class of a row, and how many are as large.
struct row_peak {
  double maximum, ties;
};

namespace detail {

/// The spread of a row whose squares or sums leave the range of the arithmetic type; no other's, since this is slow.
/// A deviation that no double holds is the largest of them. An infinite or NaN element leaves what was found.
template <class Storage>
row_spread spread_in_double(detail::row_view<Storage const> const& matrix, index row,
                            row_spread const& found) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  auto const masked = [&](index column) { return widen<double>(matrix(row, column)) == -infinity; };
  auto const at = [&](index column) { return masked(column) ? 0.0 : widen<double>(matrix(row, column)); };
  double const scale = scale_of_entries(matrix.columns, at);
  if (std::isnan(scale)) return found;
  double sum = 0.0, rest = 0.0, squares = 0.0;
  for (index column = 0; column < matrix.columns; ++column) sum += scale * at(column);
  double const mean = sum / found.count;
  for (index column = 0; column < matrix.columns; ++column) {
    if (masked(column)) continue;
    double const distance = scale * at(column) - mean;
    rest += distance;
    squares += distance * distance;
  }
  double const variance =
      std::max(0.0, squares - rest * rest / found.count) / std::max(1.0, found.count - 1.0);
  return {(mean + rest / found.count) / scale,
          std::min(std::sqrt(variance) / scale, std::numeric_limits<double>::max()), found.count};
}

}  // namespace detail
}  // namespace distil

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;

/// (z - centre) * by of rows, whose differences may leave the range of T: they are taken of quarters, which are exact.
template <class T>
struct scaled_distance {
  lanes<T> quarter, rest, by;

  /// `per_row(get)` makes a register of a number of each row; `centre(row)` and `by_row(row)` are double.
  template <class Per, class Centre, class By>
  static DISTIL_INLINE scaled_distance of_rows(Per const& per_row, Centre const& centre, By const& by_row) {
    return {per_row([&](index row) { return centre(row) / 4; }), per_row([&](index row) {
              double const exact = centre(row) / 4;
              return exact - static_cast<double>(static_cast<T>(exact));
            }),
            per_row([&](index row) { return 4 * by_row(row); })};
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> of(lanes<T> z) const {
    return (fma(z, lanes<T>(0.25), -quarter) - rest) * by;
  }
};

/// What all statistics share: they have no gradient, and write what they found once a second sweep is through.
template <class T, class Statistic>
class statistic_kernel : public simd::kernel_defaults<T> {
 public:
  [[nodiscard]] DISTIL_INLINE bool refines() const { return true; }
  [[nodiscard]] DISTIL_INLINE lanes<T> value() const { return lanes<T>(0); }

 protected:
  template <class Term>
  DISTIL_INLINE statistic_kernel(Term const& term, simd::tile const& rows)
      : simd::kernel_defaults<T>(rows), rows_(rows.rows), to_(term.to + rows.first_row) {}

  /// `make(lane)` gives that of one row.
  template <class Make>
  DISTIL_INLINE void write(Make const& make) const {
    for (index row = 0; row < rows_; ++row) to_[row] = make(static_cast<std::size_t>(row));
  }

  struct numbers {
    T of[static_cast<std::size_t>(lanes<T>::size)];
    explicit DISTIL_INLINE numbers(lanes<T> values) { values.store(of); }
    DISTIL_INLINE double operator[](std::size_t lane) const { return static_cast<double>(of[lane]); }
  };

 private:
  index rows_;
  Statistic* to_;
};

/// The squares are summed around the mean, in a second sweep, and what rounding the mean has cost is taken off (Chan,
/// Golub, LeVeque 1983): accurate however far the row is from 0.
template <class T>
class spread_kernel : public statistic_kernel<T, row_spread> {
  using base = statistic_kernel<T, row_spread>;
  static DISTIL_INLINE simd::mask<T> masked(lanes<T> logit) { return logit == lanes<T>(-simd::infinity<T>); }

 public:
  static constexpr bool needs_maximum = false;

  struct partial {
    lanes<T> sum{0}, count{0};
  };
  struct refinement {
    lanes<T> rest{0}, squares{0};
  };

  template <class Term, class Student>
  DISTIL_INLINE spread_kernel(Term const& term, Student const&, simd::tile const& rows, lanes<T>)
      : base(term, rows) {}

  struct adds_both {
    template <class Strips, class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& z, Strips const&, index,
                                  Keep const&) const {
      auto const absent = masked(z.logit);
      sums.sum += select(absent, lanes<T>(0), z.logit);
      sums.count += select(absent, lanes<T>(0), lanes<T>(1));
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_both summand() const { return {}; }
  DISTIL_INLINE void fold(partial const& sums) {
    sums_.sum += sums.sum;
    sums_.count += sums.count;
  }
  DISTIL_INLINE void join(spread_kernel const& other) { fold(other.sums_); }
  DISTIL_INLINE void close(simd::running_maximum<T> const&) {
    count_ = this->axis_.sum(sums_.count);
    mean_ = this->axis_.sum(sums_.sum) / max(count_, lanes<T>(1));
  }

  template <class Strips>
  DISTIL_INLINE void refine(refinement& sums, lanes<T> logit, Strips const&, index) const {
    lanes<T> const distance = select(masked(logit), lanes<T>(0), logit - mean_);
    sums.rest += distance;
    sums.squares = fma(distance, distance, sums.squares);
  }
  DISTIL_INLINE void fold_refined(refinement const& sums) {
    refined_.rest += sums.rest;
    refined_.squares += sums.squares;
  }
  DISTIL_INLINE void join_refined(spread_kernel const& other) { fold_refined(other.refined_); }
  DISTIL_INLINE void close_refined() {
    typename base::numbers const means(mean_), counts(count_), rests(this->axis_.sum(refined_.rest)),
        squares(this->axis_.sum(refined_.squares));
    base::write([&](std::size_t row) -> row_spread {
      double const count = counts[row], rest = rests[row];
      if (!(count > 0.0)) return {0.0, 0.0, 0.0};
      double const about_mean = squares[row] - rest * (rest / count);
      double const variance = count > 1.0 && !(about_mean <= 0.0) ? about_mean / (count - 1.0) : 0.0;
      return {means[row] + rest / count, std::sqrt(variance), count};
    });
  }

 private:
  partial sums_;
  refinement refined_;
  lanes<T> count_{0}, mean_{0};
};

/// The maximum is the sweeps' own.
template <class T>
class peak_kernel : public statistic_kernel<T, row_peak> {
  using base = statistic_kernel<T, row_peak>;

 public:
  struct partial {};
  struct refinement {
    lanes<T> ties{0};
  };

  template <class Term, class Student>
  DISTIL_INLINE peak_kernel(Term const& term, Student const&, simd::tile const& rows, lanes<T>)
      : base(term, rows) {}

  struct adds_nothing {
    template <class Strips, class Keep>
    DISTIL_INLINE void operator()(partial&, simd::student_register<T> const&, Strips const&, index,
                                  Keep const&) const {}
  };
  [[nodiscard]] DISTIL_INLINE adds_nothing summand() const { return {}; }
  DISTIL_INLINE void fold(partial const&) {}
  DISTIL_INLINE void join(peak_kernel const&) {}
  DISTIL_INLINE void close(simd::running_maximum<T> const& maximum) { maximum_ = maximum.now; }

  template <class Strips>
  DISTIL_INLINE void refine(refinement& sums, lanes<T> centred, Strips const&, index) const {
    sums.ties += select(centred == lanes<T>(0), lanes<T>(1), lanes<T>(0));
  }
  DISTIL_INLINE void fold_refined(refinement const& sums) { refined_.ties += sums.ties; }
  DISTIL_INLINE void join_refined(peak_kernel const& other) { fold_refined(other.refined_); }
  DISTIL_INLINE void close_refined() {
    typename base::numbers const maxima(maximum_), ties(this->axis_.sum(refined_.ties));
    base::write([&](std::size_t row) -> row_peak { return {maxima[row], ties[row]}; });
  }

 private:
  refinement refined_;
  lanes<T> maximum_{0};
};

/// A statistic of every row, counted or not.
template <class Statistic>
struct every_row_term : detail::term_base {
  Statistic* to = nullptr;

  void check(char const*, index, index) const {}
  void inspect(char const*, index, index) const {}
  [[nodiscard]] detail::row_weight weigh(bool, index) const { return {1.0, 1.0}; }
};

/// Computed in Arithmetic.
template <class Arithmetic, class Statistic>
struct statistic_term : every_row_term<Statistic> {
  using arithmetic = Arithmetic;
  template <class T>
  using kernel = std::conditional_t<std::is_same_v<Statistic, row_spread>, spread_kernel<T>, peak_kernel<T>>;
};

/// Writes a statistic of every row of a matrix. Finite rows have a finite one.
template <class Arithmetic, class Statistic, class Policy, class Storage>
void find_statistics(Policy policy, detail::row_view<Storage const> matrix, Statistic* to) {
  statistic_term<Arithmetic, Statistic> term;
  term.to = to;
  (void)simd::evaluate("row_statistics", detail::any_policy(policy), matrix, simd::no_gradient(), {}, term);
  if constexpr (std::is_same_v<Statistic, row_spread>) {
    for (index row = 0; row < matrix.rows; ++row) {
      if (std::isfinite(to[row].mean) && std::isfinite(to[row].deviation)) continue;
      to[row] = detail::spread_in_double(matrix, row, to[row]);
    }
  }
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
