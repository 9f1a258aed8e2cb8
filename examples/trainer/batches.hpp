#pragma once

#include <span>
#include <vector>

#include "dataset.hpp"
#include "matrix.hpp"
#include "random.hpp"

namespace trainer {

/// A few samples, copied together.
struct batch {
  std::span<Eigen::Index const> rows;  ///< where they come from
  matrix inputs;
  std::vector<int> labels;
};

/// Copies the given rows, in this order.
void gather(matrix const& from, std::span<Eigen::Index const> rows, matrix& to);

/// Endless batches from the given rows of a data set, shuffled anew for every pass.
class batches {
 public:
  /// @param images must outlive this.
  /// @throws std::invalid_argument unless there is at least one row and `batch_size` is above 0.
  batches(labelled_images const& images, std::vector<Eigen::Index> rows, Eigen::Index batch_size,
          random_numbers random);

  /// Batches in one pass; the last one holds what is left.
  [[nodiscard]] Eigen::Index per_pass() const;

  /// The next batch, valid until the next call.
  batch const& next();

 private:
  labelled_images const& images_;
  std::vector<Eigen::Index> rows_;
  Eigen::Index batch_size_;
  random_numbers random_;
  std::size_t position_;
  batch batch_;
};

}  // namespace trainer
