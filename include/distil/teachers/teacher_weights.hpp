#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "distil/core/labels.hpp"
#include "distil/core/number_rows.hpp"
#include "distil/core/random_stream.hpp"

/// How much each of several teachers counts for each sample. All functions write one number per teacher and row, the rows of
/// a teacher one behind the other: `weights_of(weights, k, rows)` is what the losses take as `.rows = {.weights = ...}` of the
/// k-th teacher's term, or `mean_of_logits(...).weighted({...})`.
///
///     std::vector<double> weights(3 * rows);
///     distil::entropy_weights({{first, second, third}}, weights);
///     distil::fuse(distil::forward_kl.term(first, {.rows = {.weights = distil::weights_of(weights, 0, rows), .normalizer = rows}}),
///                  ...)
///
/// Weights are constants to the gradient. With `.normalizer = rows` the divisor is the number of rows for every term, so that
/// the terms sum to the weighted mean of the divergences.
namespace distil {

/// The weights of one teacher.
[[nodiscard]] inline std::span<double const> weights_of(std::span<double const> weights, index teacher,
                                                        index rows) {
  return weights.subspan(static_cast<std::size_t>(teacher * rows), static_cast<std::size_t>(rows));
}

/// What the weights of a sample sum to.
enum class weight_sum {
  one,             ///< they are divided by their sum
  as_in_the_paper  ///< as the formula has it: K - 1 for entropies
};

namespace detail::weighing {

inline index require_teachers(char const* where, std::span<number_matrix const> teachers,
                              std::span<double> weights) {
  require(!teachers.empty(), where, "number of teachers", teachers.size(), "at least 1");
  index const rows = teachers.front().extent().rows;
  for (number_matrix const& each : teachers) {
    require(
        each.given() && each.extent().rows == rows && each.extent().columns >= 1, where, "teacher",
        [&] { return said(each.extent().rows, " x ", each.extent().columns); },
        [&] { return said("of ", rows, " rows, as the first, and with a class"); });
  }
  index const wanted = rows * static_cast<index>(teachers.size());
  require(
      static_cast<index>(weights.size()) == wanted, where, "weights",
      [&] { return said("of size ", weights.size()); },
      [&] { return said("one per teacher and row, ", wanted); });
  return rows;
}

/// Divides the weights of a row by their sum; where that is 0 all get the same. A NaN makes all of the row 0: its loss counts
/// for nothing.
inline void settle(std::span<double> weights, index row, index rows, index teachers, bool to_one) {
  auto const at = [&](index k) -> double& { return weights[static_cast<std::size_t>(k * rows + row)]; };
  double sum = 0.0;
  for (index k = 0; k < teachers; ++k) sum += at(k);
  for (index k = 0; k < teachers; ++k) {
    if (!std::isfinite(sum)) {
      at(k) = 0.0;
    } else if (to_one) {
      at(k) = sum > 0.0 ? at(k) / sum : 1.0 / static_cast<double>(teachers);
    }
  }
}

/// Calls `weigh(log-probabilities, classes, entropy)` for each row of each teacher at temperature 1; the result is its weight.
template <class Weigh>
void of_each_row(std::span<number_matrix const> teachers, index rows, std::span<double> weights,
                 Weigh const& weigh) {
  std::vector<double> values;
  for (std::size_t k = 0; k < teachers.size(); ++k) {
    index const classes = teachers[k].extent().columns;
    values.resize(static_cast<std::size_t>(classes));
    for (index row = 0; row < rows; ++row) {
      read_row(teachers[k], row, values.data());
      double const entropy = log_softmax_row(values.data(), classes, 1.0);
      weights[k * static_cast<std::size_t>(rows) + static_cast<std::size_t>(row)] =
          weigh(row, values, entropy);
    }
  }
}

}  // namespace detail::weighing

/// By entropy: 1 - H_k / sum H, what the other teachers are unsure of; of one teacher 1, and where all are sure the same for
/// all. They sum to K - 1, or to 1 (default). Source: Kwon et al. 2020 (EBKD); the code of CA-MKD divides by K once more.
///
/// @param  teachers logits [rows, classes] of each; classes may differ. -inf masks; a row with a NaN gives all its teachers 0
/// @param  weights  one per teacher and row, overwritten
/// @throws std::invalid_argument when a size is refused; nothing is written then
inline void entropy_weights(std::span<number_matrix const> teachers, std::span<double> weights,
                            weight_sum sum = weight_sum::one) {
  namespace weighing = detail::weighing;
  index const rows = weighing::require_teachers("entropy_weights", teachers, weights);
  auto const count = static_cast<index>(teachers.size());
  weighing::of_each_row(teachers, rows, weights,
                        [](index, std::vector<double> const&, double nats) { return nats; });
  for (index row = 0; row < rows; ++row) {
    auto const at = [&](index k) -> double& { return weights[static_cast<std::size_t>(k * rows + row)]; };
    double total = 0.0;
    for (index k = 0; k < count; ++k) total += at(k);
    double const same = count == 1 ? 1.0 : static_cast<double>(count - 1) / static_cast<double>(count);
    for (index k = 0; k < count; ++k) {
      at(k) = count == 1 ? at(k) * 0.0 + 1.0 : total == 0.0 ? same : 1.0 - at(k) / total;
    }
    weighing::settle(weights, row, rows, count, sum == weight_sum::one);
  }
}

/// By confidence: the largest probability, or with labels that of the label, divided by the sum over the teachers. Rows with the
/// label `ignore_label` get 0. Otherwise as `entropy_weights`; labels out of range are refused.
inline void confidence_weights(std::span<number_matrix const> teachers, std::span<double> weights,
                               label_view labels = {}, std::int64_t ignore_label = -100) {
  constexpr char const* where = "confidence_weights";
  namespace weighing = detail::weighing;
  index const rows = weighing::require_teachers(where, teachers, weights);
  bool const labelled = labels.size() > 0;
  if (labelled) detail::require_size(where, "labels", labels.size(), rows);
  for (number_matrix const& each : teachers) {
    index const bad = labels.first_where([&](std::int64_t label) {
      return label != ignore_label && (label < 0 || label >= each.extent().columns);
    });
    detail::require(
        bad == labels.size(), where, "label", [&] { return detail::said(labels[bad], " in row ", bad); },
        [&] {
          return detail::said("within [0, ", each.extent().columns, ") or the ignored label ", ignore_label);
        });
  }
  auto const ignored = [&](index row) { return labelled && labels[row] == ignore_label; };
  weighing::of_each_row(teachers, rows, weights, [&](index row, std::vector<double> const& log_p, double) {
    if (ignored(row)) return 0.0;
    if (labelled) return std::exp(log_p[static_cast<std::size_t>(labels[row])]);
    double largest = log_p.front();
    for (double const each : log_p) largest = each > largest || std::isnan(each) ? each : largest;
    return std::exp(largest);
  });
  for (index row = 0; row < rows; ++row) {
    weighing::settle(weights, row, rows, static_cast<index>(teachers.size()), !ignored(row));
  }
}

/// By what each teacher loses on the sample, whatever loss that is: (1 - softmax_k(loss_k)) / (K - 1), which sums to 1; of one
/// teacher 1. With cross entropies of the teachers (`.rows = {.values = ...}` of `cross_entropy`) these are CA-MKD's weights of
/// logits; with those of the teacher's classifier on the student's projected features its weights of features.
///
/// @param  losses  one per teacher and row, as the weights; a row with a NaN gives all its teachers 0, and an infinite loss its
///                 teacher 0
/// @param  weights one per teacher and row, overwritten; may be the losses
/// @throws std::invalid_argument when a size is refused; nothing is written then
/// @source Zhang et al. 2022, arXiv:2201.00007, equations 3 and 8. Their code divides the weighted sum by K again: give
///         that as a coefficient
inline void loss_weights(std::span<double const> losses, index teachers, std::span<double> weights) {
  constexpr char const* where = "loss_weights";
  detail::require(teachers >= 1, where, "teachers", teachers, "at least 1");
  detail::require(
      losses.size() == weights.size() && static_cast<index>(losses.size()) % teachers == 0, where, "losses",
      [&] { return detail::said("of size ", losses.size()); },
      [&] { return detail::said("one per teacher and row, as the weights, ", weights.size()); });
  index const rows = static_cast<index>(losses.size()) / teachers;
  for (index row = 0; row < rows; ++row) {
    auto const place = [&](index k) { return static_cast<std::size_t>(k * rows + row); };
    double largest = -std::numeric_limits<double>::infinity(), sum = 0.0;
    bool any_infinite = false;
    for (index k = 0; k < teachers; ++k) {
      any_infinite = any_infinite || losses[place(k)] == std::numeric_limits<double>::infinity();
      largest = std::max(largest, losses[place(k)]);
    }
    for (index k = 0; k < teachers; ++k) {
      double const loss = losses[place(k)];
      double const e = any_infinite ? (std::isinf(loss) ? 1.0 : loss * 0.0) : std::exp(loss - largest);
      weights[place(k)] = e;
      sum += e;
    }
    for (index k = 0; k < teachers; ++k) {
      double& weight = weights[place(k)];
      weight = teachers == 1 ? weight * 0.0 + 1.0 : (1.0 - weight / sum) / static_cast<double>(teachers - 1);
    }
    detail::weighing::settle(weights, row, rows, teachers, false);
  }
}

/// One teacher for each row, drawn with probabilities in proportion to the weights; its weight becomes 1 and that of the others
/// 0. A row whose weights are all 0 stays so. Throws std::invalid_argument when a size is refused or a weight is negative or not
/// finite; nothing is written then.
inline void pick_teachers(std::span<double> weights, index teachers, random_stream& random) {
  constexpr char const* where = "pick_teachers";
  detail::require(teachers >= 1, where, "teachers", teachers, "at least 1");
  detail::require(static_cast<index>(weights.size()) % teachers == 0, where, "number of weights",
                  weights.size(),
                  [&] { return detail::said("one per teacher and row, a multiple of ", teachers); });
  for (double const weight : weights) {
    detail::require(weight >= 0.0 && std::isfinite(weight), where, "weight", weight, "finite and >= 0");
  }
  index const rows = static_cast<index>(weights.size()) / teachers;
  for (index row = 0; row < rows; ++row) {
    auto const at = [&](index k) -> double& { return weights[static_cast<std::size_t>(k * rows + row)]; };
    double sum = 0.0;
    for (index k = 0; k < teachers; ++k) sum += at(k);
    double left = sum * random.uniform();  // drawn for every row, so that rows do not depend on each other
    index drawn = -1;
    for (index k = 0; k < teachers; ++k) {
      if (!(at(k) > 0.0)) continue;
      drawn = k;
      if (left < at(k)) break;
      left -= at(k);
    }
    for (index k = 0; k < teachers; ++k) at(k) = k == drawn ? 1.0 : 0.0;
  }
}

}  // namespace distil
