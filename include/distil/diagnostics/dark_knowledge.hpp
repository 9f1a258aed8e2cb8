#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "distil/diagnostics/agreement.hpp"

namespace distil {

/// What a teacher says of a class besides that class.
class dark_knowledge_matrix {
 public:
  dark_knowledge_matrix(index classes, std::vector<double> mean, std::vector<double> rows)
      : classes_(classes), mean_(std::move(mean)), rows_(std::move(rows)) {}

  [[nodiscard]] index classes() const { return classes_; }
  /// Rows of a class that were counted.
  [[nodiscard]] double rows(index of) const { return rows_[static_cast<std::size_t>(of)]; }
  /// The mean probability that rows of one class give to another.
  [[nodiscard]] double mean(index of, index to) const {
    return mean_[static_cast<std::size_t>(of * classes_ + to)];
  }
  /// Of what rows of a class give to others, the share that goes to one of them; 0 on the diagonal.
  [[nodiscard]] double share(index of, index to) const {
    double const rest = 1.0 - mean(of, of);
    return of == to || !(rest > 0.0) || rows(of) == 0.0 ? 0.0 : mean(of, to) / rest;
  }

  struct pair {
    index of, to;
    double share;
  };
  /// The classes that the teacher takes for each other most, by share, the largest first.
  [[nodiscard]] std::vector<pair> most_similar(index count) const {
    std::vector<pair> pairs;
    for (index of = 0; of < classes_; ++of) {
      for (index to = 0; to < classes_; ++to) {
        if (of != to && rows(of) > 0.0) pairs.push_back({of, to, share(of, to)});
      }
    }
    auto const wanted = std::min(pairs.size(), static_cast<std::size_t>(std::max<index>(0, count)));
    std::partial_sort(pairs.begin(), pairs.begin() + static_cast<std::ptrdiff_t>(wanted), pairs.end(),
                      [](pair const& a, pair const& b) {
                        if (a.share != b.share) return a.share > b.share;
                        return a.of != b.of ? a.of < b.of : a.to < b.to;
                      });
    pairs.resize(wanted);
    return pairs;
  }

  /// A line a class, "class,rows,0,1,...", of mean probabilities.
  [[nodiscard]] std::string csv() const {
    std::string text = "class,rows";
    for (index to = 0; to < classes_; ++to) text += detail::said(",", to);
    for (index of = 0; of < classes_; ++of) {
      text += detail::said("\n", of, ",", rows(of));
      for (index to = 0; to < classes_; ++to) text += detail::said(",", mean(of, to));
    }
    return text + "\n";
  }

 private:
  index classes_;
  std::vector<double> mean_, rows_;
};

struct dark_knowledge_options {
  double temperature = 1;            ///< within [1e-15, 1e15]
  std::int64_t ignore_label = -100;  ///< rows with this label do not count
};

/// The mean distribution that a teacher gives to the samples of each class, over batches: Hinton's dark knowledge, which a
/// student learns besides the label. Where off-diagonal shares are all alike, soft targets say no more than label smoothing.
///
///     dark_knowledge seen(classes, {.temperature = 4});
///     for (each batch) seen.add(teacher, labels);         // without labels by the teacher's own choice
///     for (auto const& pair : seen.result().most_similar(10)) ...
///
/// Rows with a NaN or +inf, without a class, or with the ignored label do not count. Cost: an exponential a class, in double, and
/// a matrix of classes x classes. Source: Hinton et al. 2015, section 1.
class dark_knowledge {
 public:
  /// Throws std::invalid_argument unless there is a class and the temperature is in its range.
  explicit dark_knowledge(index classes, dark_knowledge_options const& options = {})
      : options_(options), classes_(classes) {
    detail::require(classes >= 1 && classes <= index{1} << 20, where, "classes", classes, "within [1, 2^20]");
    detail::require(detail::is_temperature(options.temperature), where, "temperature", options.temperature,
                    detail::must_be_temperature);
    rows_.assign(static_cast<std::size_t>(classes), 0.0);
    sums_.assign(static_cast<std::size_t>(classes * classes), 0.0);
  }

  /// Logits [rows, classes] of any type and layout. Throws std::invalid_argument when a shape or label is refused; nothing is
  /// counted then.
  void add(number_matrix const& teacher, label_view labels = {}) {
    index const rows = teacher.extent().rows;
    detail::require(
        teacher.given() && teacher.extent().columns == classes_, where, "teacher",
        [&] { return detail::shape_text(rows, teacher.extent().columns); },
        [&] { return detail::said("rows x ", classes_); });
    bool const labelled = labels.size() > 0;
    if (labelled) {
      detail::require_size(where, "labels", labels.size(), rows);
      index const bad = labels.first_where([&](std::int64_t label) {
        return label != options_.ignore_label && (label < 0 || label >= classes_);
      });
      detail::require(
          bad == labels.size(), where, "label", [&] { return detail::said(labels[bad], " in row ", bad); },
          [&] {
            return detail::said("within [0, ", classes_, ") or the ignored label ", options_.ignore_label);
          });
    }
    std::vector<double> row(static_cast<std::size_t>(classes_));
    for (index r = 0; r < rows; ++r) {
      if (labelled && labels[r] == options_.ignore_label) continue;
      detail::read_row(teacher, r, row.data());
      if (!detail::is_usable_row(row.data(), classes_)) continue;
      index const of = labelled ? static_cast<index>(labels[r]) : detail::first_largest(row.data(), classes_);
      detail::log_softmax_row(row.data(), classes_, options_.temperature);
      rows_[static_cast<std::size_t>(of)] += 1.0;
      for (std::size_t i = 0; i < row.size(); ++i) {
        sums_[static_cast<std::size_t>(of * classes_) + i] += std::exp(row[i]);
      }
    }
  }

  [[nodiscard]] dark_knowledge_matrix result() const {
    std::vector<double> mean = sums_;
    for (std::size_t i = 0; i < mean.size(); ++i) {
      double const rows = rows_[i / static_cast<std::size_t>(classes_)];
      mean[i] = rows > 0.0 ? mean[i] / rows : 0.0;
    }
    return {classes_, std::move(mean), rows_};
  }

 private:
  static constexpr char const* where = "dark_knowledge";

  dark_knowledge_options options_;
  index classes_;
  std::vector<double> rows_, sums_;
};

}  // namespace distil
