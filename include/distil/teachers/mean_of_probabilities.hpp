#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "distil/core/number_rows.hpp"

namespace distil {

struct mean_of_probabilities_options {
  /// Divides the logits before the softmax: one number or one per row; finite and > 0. Default 1: the mean is that of the
  /// teachers' own distributions, and a loss at T softens the mean. With the loss's T it is the mean of softened distributions.
  row_parameter temperature = 1;

  /// One number per teacher, or one per teacher and row (see teacher_weights.hpp); finite and >= 0, and divided by their sum in
  /// each row. Default: all alike.
  std::span<double const> weights = {};
};

namespace detail {

template <class T>
void write_mean_of_probabilities(std::span<number_matrix const> teachers, matrix_view<T> const& to,
                                 mean_of_probabilities_options const& options) {
  constexpr char const* where = "mean_of_probabilities";
  constexpr double infinity = std::numeric_limits<double>::infinity();
  require(!teachers.empty(), where, "number of teachers", teachers.size(), "at least 1");
  require_matrix(where, "output", to);
  for (number_matrix const& each : teachers) {
    require(
        each.given() && each.extent().rows == to.rows && each.extent().columns == to.columns, where,
        "teacher", [&] { return shape_text(each.extent().rows, each.extent().columns); },
        [&] { return said(shape_text(to.rows, to.columns), ", the shape of the output"); });
  }
  auto const allowed = [](double value) { return std::isfinite(value) && value > 0.0; };
  require_parameter(where, "temperature", options.temperature, to.rows, allowed, "finite and > 0");
  require_row_values(where, "temperature", options.temperature, allowed, "finite and > 0");
  std::size_t const count = teachers.size(), rows = static_cast<std::size_t>(to.rows),
                    given = options.weights.size();
  require(given == 0 || given == count || given == count * rows, where, "number of weights", given,
          [&] { return said("one per teacher, ", count, ", or one per teacher and row, ", count * rows); });
  for (double const weight : options.weights)
    require(is_weight(weight), where, "weight", weight, must_be_weight);

  auto const classes = static_cast<std::size_t>(to.columns);
  std::vector<double> values(classes), highest(classes), sum(classes);
  for (index row = 0; row < to.rows; ++row) {
    highest.assign(classes, -infinity);
    sum.assign(classes, 0.0);
    double total = 0.0;
    bool invalid = false;
    for (std::size_t k = 0; k < count; ++k) {
      double const weight = given == 0       ? 1.0
                            : given == count ? options.weights[k]
                                             : options.weights[k * rows + static_cast<std::size_t>(row)];
      if (weight == 0.0) continue;  // absent, whatever it holds
      total += weight;
      read_row(teachers[k], row, values.data());
      log_softmax_row(values.data(), to.columns, options.temperature[row]);
      double const log_weight = std::log(weight);
      for (std::size_t i = 0; i < classes; ++i) {
        double const term = values[i] + log_weight;
        invalid = invalid || std::isnan(term);
        if (term == -infinity || std::isnan(term)) continue;
        // A running log sum e^x, by the largest so far.
        if (term > highest[i]) {
          sum[i] = sum[i] * std::exp(highest[i] - term) + 1.0;
          highest[i] = term;
        } else {
          sum[i] += std::exp(term - highest[i]);
        }
      }
    }
    double const log_total = std::log(total);
    for (std::size_t i = 0; i < classes; ++i) {
      double const mean = invalid        ? std::nan("")
                          : sum[i] > 0.0 ? highest[i] + std::log(sum[i]) - log_total
                                         : -infinity;
      to(row, static_cast<index>(i)) = static_cast<T>(mean);
    }
  }
}

}  // namespace detail

/// Writes the logarithm of the weighted mean of several teachers' distributions. There are three means of teachers, and three
/// targets:
///
///   of logits                     distil::mean_of_logits(a, b), a teacher of every divergence; nothing is written
///   of probabilities, then T      log_probabilities(mean, 1) of the mean at temperature 1: softened as one distribution
///   of softened probabilities     log_probabilities(mean) of the mean at the loss's temperature
///
/// At T = 1 the last two agree, and for teachers that agree all three. The first is sharper: it is the geometric mean of
/// distributions, which only keeps what no teacher excludes. For `soft_cross_entropy` the last needs no mean at all: it is `fuse`
/// of a term for each teacher.
///
///     mean_of_probabilities({{first, second}}, mean, {.temperature = 4});
///     hinton_kd.with_grad(student, log_probabilities(mean), labels, gradient, {.temperature = 4});
///
/// @param  teachers logits [rows, classes] of each, of any types; -inf masks a class of that teacher. A NaN makes its row NaN;
///                  a fully masked row of a teacher adds nothing, and its weight still counts
/// @param  to       [rows, classes] float or double, overwritten: log-probabilities, -inf where no teacher has any. Sums to one but
///                  for fully masked rows. May not be a teacher
/// @throws std::invalid_argument when a shape, temperature or weight is refused; nothing is written then
/// @error  an epsilon of the output's type, or 2 classes epsilons of double where that is more
/// @cost   an exponential and a logarithm or two for each teacher's class, in double
inline void mean_of_probabilities(std::span<number_matrix const> teachers, matrix_view<float> to,
                                  mean_of_probabilities_options const& options = {}) {
  detail::write_mean_of_probabilities(teachers, to, options);
}
inline void mean_of_probabilities(std::span<number_matrix const> teachers, matrix_view<double> to,
                                  mean_of_probabilities_options const& options = {}) {
  detail::write_mean_of_probabilities(teachers, to, options);
}

}  // namespace distil
