#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "distil/core/number_rows.hpp"

namespace distil {

/// What each of several losses does to one gradient.
struct gradient_report {
  struct term {
    double norm = 0;   ///< root mean square over the batches of the gradient's length
    double share = 0;  ///< of the sum of the norms
    double along =
        0;  ///< mean over the batches of its product with the sum of all, over that sum's squared length: what it adds to
    ///< the common direction; these sum to 1, and one that is negative works against the others
  };
  double batches = 0;
  std::vector<term> terms;
  std::vector<double>
      cosines;  ///< term by term, row-major: mean over the batches of the cosine of two gradients
  double conflicting_rows = 0;  ///< share of rows in which two terms have a negative product

  [[nodiscard]] double cosine(std::size_t one, std::size_t other) const {
    return cosines[one * terms.size() + other];
  }
};

/// Adds up what the terms of an objective do to a gradient, batch after batch: which one leads, and whether hard and soft pull
/// apart. Each term's gradient is computed by a call of its own, with its weight; at most one more sweep a term, and only while
/// this is asked.
///
///     gradient_summary seen(2);
///     cross_entropy.with_grad(student, labels, hard);
///     forward_kl.with_grad(student, teacher, soft, {.temperature = 4});
///     seen.add({{hard, soft}});
///     double const cosine = seen.result().cosine(0, 1);
///
/// Gradients are [rows, elements] of any type and layout, of logits, features or weights. A batch that holds a NaN or infinity
/// does not count. Cost: a pass for each pair, in double.
class gradient_summary {
 public:
  /// Throws std::invalid_argument unless there is a term.
  explicit gradient_summary(std::size_t terms) : squares_(terms), along_(terms), cosines_(terms * terms) {
    detail::require(terms >= 1, where, "terms", terms, "at least 1");
  }

  /// The gradients of one batch, in the order of the terms. Throws std::invalid_argument when their number or shapes do not fit;
  /// nothing is counted then.
  void add(std::span<number_matrix const> gradients) {
    std::size_t const count = squares_.size();
    detail::require(gradients.size() == count, where, "number of gradients", gradients.size(),
                    [&] { return detail::said(count, ", as there are terms"); });
    index const rows = gradients[0].extent().rows, columns = gradients[0].extent().columns;
    for (number_matrix const& each : gradients) {
      detail::require(
          each.given() && each.extent().rows == rows && each.extent().columns == columns, where, "gradient",
          [&] { return detail::shape_text(each.extent().rows, each.extent().columns); },
          [&] { return detail::said(detail::shape_text(rows, columns), ", the shape of the first"); });
    }
    auto const width = static_cast<std::size_t>(columns);
    std::vector<double> values(count * width), products(count * count);
    double conflicts = 0.0;
    for (index row = 0; row < rows; ++row) {
      for (std::size_t i = 0; i < count; ++i) detail::read_row(gradients[i], row, &values[i * width]);
      bool conflict = false;
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
          double product = 0.0;
          for (std::size_t k = 0; k < width; ++k) product += values[i * width + k] * values[j * width + k];
          products[i * count + j] += product;
          conflict = conflict || product < 0.0;
        }
      }
      conflicts += conflict ? 1.0 : 0.0;
    }
    double whole = 0.0;  // squared length of the sum
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        products[j * count + i] = products[i * count + j];
        whole += (i == j ? 1.0 : 2.0) * products[i * count + j];
      }
    }
    if (!std::isfinite(whole)) return;
    batches_ += 1.0;
    rows_ += static_cast<double>(rows);
    conflicting_rows_ += conflicts;
    for (std::size_t i = 0; i < count; ++i) {
      squares_[i] += products[i * count + i];
      double with_sum = 0.0;
      for (std::size_t j = 0; j < count; ++j) {
        with_sum += products[i * count + j];
        double const lengths = std::sqrt(products[i * count + i]) * std::sqrt(products[j * count + j]);
        if (lengths > 0.0) cosines_[i * count + j] += products[i * count + j] / lengths;
      }
      if (whole > 0.0) along_[i] += with_sum / whole;
    }
  }

  [[nodiscard]] gradient_report result() const {
    std::size_t const count = squares_.size();
    gradient_report found{.batches = batches_,
                          .terms = std::vector<gradient_report::term>(count),
                          .cosines = std::vector<double>(count * count)};
    if (batches_ == 0.0) return found;
    double sum = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
      found.terms[i].norm = std::sqrt(squares_[i] / batches_);
      found.terms[i].along = along_[i] / batches_;
      sum += found.terms[i].norm;
    }
    for (gradient_report::term& each : found.terms) each.share = sum > 0.0 ? each.norm / sum : 0.0;
    for (std::size_t i = 0; i < cosines_.size(); ++i) found.cosines[i] = cosines_[i] / batches_;
    found.conflicting_rows = rows_ > 0.0 ? conflicting_rows_ / rows_ : 0.0;
    return found;
  }

 private:
  static constexpr char const* where = "gradient_summary";

  std::vector<double> squares_, along_, cosines_;
  double batches_ = 0.0, rows_ = 0.0, conflicting_rows_ = 0.0;
};

}  // namespace distil
