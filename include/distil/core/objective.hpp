#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <type_traits>

#include "distil/core/loss_value.hpp"
#include "distil/core/shapes.hpp"

namespace distil {

/// Options of a sum of terms as a whole; everything else belongs to its terms.
struct objective_options {
  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write each row's sum of coefficient * loss, before row weights and reduction. Default: nowhere.
  std::span<double> values = {};
};

/// The value of a sum of terms, and of each term without its coefficient.
///
/// `weight` is the largest of the terms' weights.
template <std::size_t Count>
struct objective_value : loss_value {
  std::array<loss_value, Count> terms;
};

namespace detail {

/// How much a row matters to a term: what multiplies its loss, and what it adds to the divisor of the mean. A
/// row with multiplier 0 is not read.
struct row_weight {
  double multiplier = 0.0;
  double counted = 0.0;
};

/// The part of a term the reduction needs: its coefficient in a sum, its row options, and the derivatives with
/// respect to its temperatures when asked for.
struct term_base {
  double coefficient = 1.0;
  char const* coefficient_name =
      "coefficient of a term";  ///< what a message calls it: an option, where it is one
  row_options rows = {};
  std::span<double> temperature_gradient = {};
  std::span<double> teacher_temperature_gradient = {};
  label_view labels_of_loss = {};  ///< labels of the whole loss, whose ignored rows do not count here either

  /// The weight of a row as its options say: nothing when it is ignored or its weight is 0.
  [[nodiscard]] row_weight weight_of(index row) const noexcept {
    double const weight = rows.weights[row];
    auto const ignored = [&](label_view const& labels) {
      return labels.size() > 0 && labels[row] == rows.ignore_label;
    };
    if (!(weight > 0.0) || ignored(rows.labels) || ignored(labels_of_loss)) return {};
    return {weight, weight};
  }

  /// True when `weight_of` is the same for every row, and more than 0.
  [[nodiscard]] bool alike() const noexcept {
    return !rows.weights.per_row() && rows.weights[0] > 0.0 && !rows.labels.contains(rows.ignore_label) &&
           !labels_of_loss.contains(rows.ignore_label);
  }
};

template <class Term>
concept row_term = std::is_base_of_v<term_base, Term>;

/// A term of a loss that is a sum, with the option that multiplies it.
template <row_term Term>
[[nodiscard]] constexpr Term weighed(char const* option, double weight, Term term) {
  term.coefficient *= weight;
  term.coefficient_name = option;
  return term;
}

/// The term of a loss that stands alone, with the option `weight` of the loss.
template <row_term Term>
[[nodiscard]] Term with_weight(char const* where, double weight, Term const& term) {
  require(is_weight(weight), where, "weight", weight, must_be_weight);
  return weight == 1.0 ? term : weighed("weight", weight, term);
}

}  // namespace detail

/// `0.3 * cross_entropy.term(labels)`: coefficients multiply.
template <detail::row_term Term>
[[nodiscard]] constexpr Term operator*(double coefficient, Term term) {
  term.coefficient *= coefficient;
  return term;
}

// Not by a constraint alone: clang 14 looks at constraints last, and stops at `2 * loss_value` by an operator on numbers.
template <class Term, std::enable_if_t<detail::row_term<Term>, int> = 0>
[[nodiscard]] constexpr Term operator*(Term term, double coefficient) {
  return coefficient * term;
}

}  // namespace distil
