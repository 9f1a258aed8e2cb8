#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "distil/core/labels.hpp"
#include "distil/core/number_rows.hpp"

/// A weight for each sample, from what the teacher and the student say of it: for `.rows = {.weights = ...}` of a loss, which
/// divides by their sum, or with `.normalizer` by another number. They are constants to the gradient.
namespace distil::schedule {

namespace detail::sampling {

inline void require_rows(char const* where, char const* argument, number_matrix const& logits,
                         std::size_t rows) {
  distil::detail::require(
      logits.given() && logits.extent().columns >= 1 && logits.extent().rows == static_cast<index>(rows),
      where, argument,
      [&] { return distil::detail::said(logits.extent().rows, " x ", logits.extent().columns); },
      [&] { return distil::detail::said("of a row for each weight, ", rows, ", and with a class"); });
}

inline void require_labels(char const* where, label_view labels, std::size_t rows, index classes,
                           std::int64_t ignore_label) {
  distil::detail::require_size(where, "labels", labels.size(), static_cast<index>(rows));
  index const bad = labels.first_where(
      [&](std::int64_t label) { return label != ignore_label && (label < 0 || label >= classes); });
  distil::detail::require(
      bad == labels.size(), where, "label",
      [&] { return distil::detail::said(labels[bad], " in row ", bad); },
      [&] { return distil::detail::said("within [0, ", classes, ") or the ignored label ", ignore_label); });
}

inline void require_temperature(char const* where, double temperature) {
  distil::detail::require(distil::detail::is_temperature(temperature), where, "temperature", temperature,
                          distil::detail::must_be_temperature);
}

/// Calls `weigh(row, log-probabilities, entropy)` for each row; what is no number becomes 0, so that a row with a NaN is
/// left out.
template <class Weigh>
void of_each_row(number_matrix const& logits, double temperature, std::span<double> weights,
                 Weigh const& weigh) {
  index const classes = logits.extent().columns;
  std::vector<double> values(static_cast<std::size_t>(classes));
  for (std::size_t row = 0; row < weights.size(); ++row) {
    distil::detail::read_row(logits, static_cast<index>(row), values.data());
    double const entropy = distil::detail::log_softmax_row(values.data(), classes, temperature);
    double const weight = weigh(static_cast<index>(row), values, entropy);
    weights[row] = std::isnan(weight) ? 0.0 : weight;
  }
}

}  // namespace detail::sampling

/// 1 - H(p) / log C, p = softmax(t / temperature) over the C classes that are not masked: 1 where the teacher is sure, 0 where it
/// says nothing, and 1 for a single class. A row with a NaN or +inf, or without a class, gets 0. Source: as in EBKD's weights
/// of teachers (Kwon et al. 2020), for samples.
/// @throws std::invalid_argument when a size or the temperature is refused; nothing is written then
inline void certainty_weights(number_matrix const& teacher, std::span<double> weights,
                              double temperature = 1) {
  constexpr char const* where = "schedule::certainty_weights";
  namespace sampling = detail::sampling;
  sampling::require_rows(where, "teacher", teacher, weights.size());
  sampling::require_temperature(where, temperature);
  sampling::of_each_row(teacher, temperature, weights,
                        [](index, std::vector<double> const& log_p, double entropy) {
                          index classes = 0;
                          for (double const each : log_p) classes += std::isinf(each) ? 0 : 1;
                          if (classes == 0) return 0.0;
                          if (classes == 1) return 1.0 + 0.0 * entropy;
                          return std::max(0.0, 1.0 - entropy / std::log(static_cast<double>(classes)));
                        });
}

/// The largest probability, or with labels that of the label: how much the teacher stands by its answer, or by the right one.
/// Rows with the label `ignore_label` get 0. Otherwise as `certainty_weights`.
inline void confidence_of_samples(number_matrix const& teacher, std::span<double> weights,
                                  double temperature = 1, label_view labels = {},
                                  std::int64_t ignore_label = -100) {
  constexpr char const* where = "schedule::confidence_of_samples";
  namespace sampling = detail::sampling;
  sampling::require_rows(where, "teacher", teacher, weights.size());
  sampling::require_temperature(where, temperature);
  bool const labelled = labels.size() > 0;
  if (labelled) {
    sampling::require_labels(where, labels, weights.size(), teacher.extent().columns, ignore_label);
  }
  sampling::of_each_row(teacher, temperature, weights,
                        [&](index row, std::vector<double> const& log_p, double) {
                          if (labelled && labels[row] == ignore_label) return 0.0;
                          if (labelled) return std::exp(log_p[static_cast<std::size_t>(labels[row])]);
                          double largest = log_p.front();
                          for (double const each : log_p)
                            largest = each > largest || std::isnan(each) ? each : largest;
                          return std::exp(largest);
                        });
}

/// 1 - exp(-CE_s / CE_t), the cross entropies of student and teacher with the label at temperature 1: a sample counts where the
/// student is behind the teacher. 0 where the student has no loss, 1 where the teacher has none. Rows with the label
/// `ignore_label` get 0. Otherwise as `certainty_weights`. Source: Zhou et al. 2021, arXiv:2102.00650, equation 12;
/// `weighted_soft_label` is the loss with these weights.
inline void bias_variance_weights(number_matrix const& student, number_matrix const& teacher,
                                  label_view labels, std::span<double> weights,
                                  std::int64_t ignore_label = -100) {
  constexpr char const* where = "schedule::bias_variance_weights";
  namespace sampling = detail::sampling;
  sampling::require_rows(where, "student", student, weights.size());
  sampling::require_rows(where, "teacher", teacher, weights.size());
  for (number_matrix const* const each : {&student, &teacher}) {
    sampling::require_labels(where, labels, weights.size(), each->extent().columns, ignore_label);
  }
  auto const loss = [&](index row, std::vector<double> const& log_p) {
    return labels[row] == ignore_label ? 0.0 : 0.0 - log_p[static_cast<std::size_t>(labels[row])];
  };
  std::vector<double> of_teacher(weights.size());
  std::vector<double> values(static_cast<std::size_t>(teacher.extent().columns));
  for (std::size_t row = 0; row < weights.size(); ++row) {
    distil::detail::read_row(teacher, static_cast<index>(row), values.data());
    distil::detail::log_softmax_row(values.data(), teacher.extent().columns, 1.0);
    of_teacher[row] = loss(static_cast<index>(row), values);
  }
  sampling::of_each_row(student, 1.0, weights, [&](index row, std::vector<double> const& log_q, double) {
    double const own = loss(row, log_q), other = of_teacher[static_cast<std::size_t>(row)];
    if (labels[row] == ignore_label || own == 0.0) return 0.0 * other;
    return -std::expm1(-own / other);
  });
}

}  // namespace distil::schedule
