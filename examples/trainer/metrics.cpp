#include "metrics.hpp"

#include <algorithm>
#include <cmath>
#include <distil/distil.hpp>

namespace trainer {

std::vector<int> predicted_classes(matrix const& logits) {
  std::vector<int> classes(static_cast<std::size_t>(logits.rows()));
  for (Eigen::Index row = 0; row < logits.rows(); ++row) {
    logits.row(row).maxCoeff(&classes[static_cast<std::size_t>(row)]);
  }
  return classes;
}

double accuracy(matrix const& logits, std::span<int const> labels) {
  std::vector<int> const predicted = predicted_classes(logits);
  std::size_t right = 0;
  for (std::size_t row = 0; row < predicted.size(); ++row) right += predicted[row] == labels[row] ? 1U : 0U;
  return static_cast<double>(right) / static_cast<double>(predicted.size());
}

std::vector<double> class_accuracy(matrix const& logits, std::span<int const> labels) {
  std::vector<int> const predicted = predicted_classes(logits);
  std::vector<double> right(static_cast<std::size_t>(logits.cols()));
  std::vector<double> count(right.size());
  for (std::size_t row = 0; row < predicted.size(); ++row) {
    auto const label = static_cast<std::size_t>(labels[row]);
    right[label] += predicted[row] == labels[row] ? 1.0 : 0.0;
    count[label] += 1.0;
  }
  std::transform(right.begin(), right.end(), count.begin(), right.begin(),
                 [](double hits, double of) { return hits / of; });
  return right;
}

double agreement(matrix const& student, matrix const& teacher) {
  return accuracy(student, predicted_classes(teacher));
}

void calibration::add(matrix const& logits, std::span<int const> labels) {
  matrix probabilities(logits.rows(), logits.cols());
  distil::softmax(logits, probabilities);
  for (Eigen::Index row = 0; row < logits.rows(); ++row) {
    int predicted = 0;
    double const confidence = double{probabilities.row(row).maxCoeff(&predicted)};
    auto const bins = static_cast<double>(sums_.size());
    auto const at = static_cast<std::size_t>(std::min(confidence * bins, bins - 1.0));
    sums_[at].confidence += confidence;
    sums_[at].right += predicted == labels[static_cast<std::size_t>(row)] ? 1.0 : 0.0;
    sums_[at].count += 1.0;
  }
  count_ += static_cast<double>(logits.rows());
}

std::vector<calibration::bin> calibration::bins() const {
  std::vector<bin> result;
  for (sums const& of : sums_) {
    result.push_back({of.confidence / of.count, of.right / of.count, of.count / count_});
  }
  return result;
}

double calibration::expected_error() const {
  double error = 0;
  for (sums const& of : sums_) error += std::abs(of.right - of.confidence);
  return error / count_;
}

}  // namespace trainer
