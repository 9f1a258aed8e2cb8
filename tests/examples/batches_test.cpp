#include "trainer/batches.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace {

/// Ten images of one pixel: image i has pixel i and label i.
trainer::labelled_images ten_images() {
  trainer::labelled_images images{trainer::matrix(10, 1), {}};
  for (int row = 0; row < 10; ++row) {
    images.images(row, 0) = static_cast<float>(row);
    images.labels.push_back(row);
  }
  return images;
}

std::vector<int> labels_of_a_pass(trainer::batches& samples) {
  std::vector<int> labels;
  for (Eigen::Index at = 0; at < samples.per_pass(); ++at) {
    trainer::batch const& drawn = samples.next();
    labels.insert(labels.end(), drawn.labels.begin(), drawn.labels.end());
  }
  return labels;
}

TEST(batches, give_every_row_once_a_pass_in_a_new_order) {
  auto const images = ten_images();
  trainer::batches samples(images, {1, 3, 4, 6, 7, 8, 9}, 3, trainer::random_numbers(1));
  ASSERT_EQ(samples.per_pass(), 3);
  std::vector<int> first = labels_of_a_pass(samples);
  std::vector<int> second = labels_of_a_pass(samples);
  EXPECT_NE(first, second);
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  EXPECT_EQ(first, (std::vector<int>{1, 3, 4, 6, 7, 8, 9}));
  EXPECT_EQ(second, first);
}

TEST(batches, keep_rows_inputs_and_labels_together) {
  auto const images = ten_images();
  trainer::batches samples(images, {0, 2, 4, 6, 8}, 2, trainer::random_numbers(2));
  std::vector<std::size_t> sizes;
  for (int at = 0; at < 3; ++at) {
    trainer::batch const& drawn = samples.next();
    sizes.push_back(drawn.rows.size());
    ASSERT_EQ(drawn.inputs.rows(), static_cast<Eigen::Index>(drawn.rows.size()));
    for (std::size_t row = 0; row < drawn.rows.size(); ++row) {
      EXPECT_EQ(drawn.labels[row], drawn.rows[row]);
      EXPECT_EQ(drawn.inputs(static_cast<Eigen::Index>(row), 0), static_cast<float>(drawn.rows[row]));
    }
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{2, 2, 1}));
}

TEST(batches, repeat_by_seed) {
  auto const images = ten_images();
  std::vector<Eigen::Index> const rows{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  trainer::batches first(images, rows, 4, trainer::random_numbers(3));
  trainer::batches same(images, rows, 4, trainer::random_numbers(3));
  trainer::batches other(images, rows, 4, trainer::random_numbers(4));
  std::vector<int> const labels = labels_of_a_pass(first);
  EXPECT_EQ(labels, labels_of_a_pass(same));
  EXPECT_NE(labels, labels_of_a_pass(other));
}

TEST(batches, refuse_nothing_to_draw_from) {
  auto const images = ten_images();
  EXPECT_THROW(trainer::batches(images, {}, 4, trainer::random_numbers(1)), std::invalid_argument);
  EXPECT_THROW(trainer::batches(images, {1}, 0, trainer::random_numbers(1)), std::invalid_argument);
}

}  // namespace
