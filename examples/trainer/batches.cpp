#include "batches.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <utility>

namespace trainer {

void gather(matrix const& from, std::span<Eigen::Index const> rows, matrix& to) {
  to.resize(static_cast<Eigen::Index>(rows.size()), from.cols());
  for (Eigen::Index row = 0; row < to.rows(); ++row)
    to.row(row) = from.row(rows[static_cast<std::size_t>(row)]);
}

batches::batches(labelled_images const& images, std::vector<Eigen::Index> rows, Eigen::Index batch_size,
                 random_numbers random)
    : images_(images),
      rows_(std::move(rows)),
      batch_size_(batch_size),
      random_(random),
      position_(rows_.size()) {
  if (rows_.empty()) throw std::invalid_argument("trainer::batches: there are no rows to draw from");
  if (batch_size < 1) throw std::invalid_argument("trainer::batches: the batch size must be above 0");
}

Eigen::Index batches::per_pass() const {
  return (static_cast<Eigen::Index>(rows_.size()) + batch_size_ - 1) / batch_size_;
}

batch const& batches::next() {
  if (position_ == rows_.size()) {
    random_.shuffle(std::span(rows_));
    position_ = 0;
  }
  std::size_t const count = std::min(static_cast<std::size_t>(batch_size_), rows_.size() - position_);
  batch_.rows = std::span(rows_).subspan(position_, count);
  position_ += count;
  gather(images_.images, batch_.rows, batch_.inputs);
  batch_.labels.clear();
  for (Eigen::Index const row : batch_.rows) {
    batch_.labels.push_back(images_.labels[static_cast<std::size_t>(row)]);
  }
  return batch_;
}

}  // namespace trainer
