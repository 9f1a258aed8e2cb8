#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "matrix.hpp"

namespace trainer {

/// The class with the highest logit of each row; the first one of equals.
[[nodiscard]] std::vector<int> predicted_classes(matrix const& logits);

/// Share of rows whose predicted class is the label. Labels: one per row, at least one.
[[nodiscard]] double accuracy(matrix const& logits, std::span<int const> labels);

/// Accuracy among the rows of each class; NaN for a class without rows.
[[nodiscard]] std::vector<double> class_accuracy(matrix const& logits, std::span<int const> labels);

/// Share of rows for which both predict the same class, right or wrong.
[[nodiscard]] double agreement(matrix const& student, matrix const& teacher);

/// Are predictions made with confidence c right in a share c of the cases? Gathered in bins of equal width.
///
/// The expected calibration error (Guo et al. 2017) is sum over bins of share * |accuracy - confidence|.
class calibration {
 public:
  struct bin {
    double confidence = 0;  ///< mean of the highest probability; NaN in an empty bin
    double accuracy = 0;    ///< NaN in an empty bin
    double share = 0;       ///< of all predictions
  };

  explicit calibration(std::size_t bins = 10) : sums_(bins) {}

  /// May be called again, to pool several models. Confidence is the highest softmax probability.
  void add(matrix const& logits, std::span<int const> labels);

  [[nodiscard]] std::vector<bin> bins() const;
  [[nodiscard]] double expected_error() const;

 private:
  struct sums {
    double confidence = 0;
    double right = 0;
    double count = 0;
  };
  std::vector<sums> sums_;
  double count_ = 0;
};

}  // namespace trainer
