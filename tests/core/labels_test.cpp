#include "distil/core/labels.hpp"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "../support/refusal.hpp"

namespace distil {
namespace {

template <class Labels>
void expect_labels(Labels const& labels, std::vector<std::int64_t> const& expected) {
  label_view const seen = labels;
  ASSERT_EQ(seen.size(), static_cast<index>(expected.size()));
  for (index row = 0; row < seen.size(); ++row) {
    EXPECT_EQ(seen[row], expected[static_cast<std::size_t>(row)]) << row;
  }
}

TEST(label_view, reads_vectors_arrays_and_spans) {
  expect_labels(std::vector<std::int32_t>{3, -100, 0}, {3, -100, 0});
  expect_labels(std::vector<std::int64_t>{3, -100, 0}, {3, -100, 0});
  expect_labels(std::vector<std::int64_t>{std::int64_t{1} << 40, std::numeric_limits<std::int64_t>::min()},
                {std::int64_t{1} << 40, std::numeric_limits<std::int64_t>::min()});
  expect_labels(std::array<std::int32_t, 2>{std::numeric_limits<std::int32_t>::max(),
                                            std::numeric_limits<std::int32_t>::min()},
                {2147483647, -2147483648LL});
  std::vector<int> labels{5, 6};
  expect_labels(std::span<int>(labels), {5, 6});
  expect_labels(std::span<int const>(labels), {5, 6});
}

TEST(label_view, reads_eigen_vectors_with_their_strides) {
  expect_labels(Eigen::Vector3i(1, 2, 3), {1, 2, 3});
  expect_labels(Eigen::Matrix<std::int64_t, 1, 2>(7, 8), {7, 8});
  Eigen::Matrix<std::int32_t, 3, 2, Eigen::RowMajor> narrow;
  narrow << -1, 1, -2, 2, -3, 3;
  expect_labels(narrow.col(1), {1, 2, 3});
  Eigen::Matrix<std::int64_t, 2, 3> wide;
  wide << -1, -2, -3, 4, 5, 6;
  expect_labels(wide.row(1), {4, 5, 6});
}

TEST(label_view, of_nothing_has_no_labels) {
  EXPECT_EQ(label_view().size(), 0);
  EXPECT_EQ(label_view(std::vector<int>{}).size(), 0);
}

TEST(label_view, views_and_does_not_copy) {
  std::vector<int> labels{1, 2};
  label_view const seen = labels;
  labels[1] = 4;
  EXPECT_EQ(seen[1], 4);
}

template <class Label>
void expect_ends_of() {
  constexpr Label least = std::numeric_limits<Label>::min(), most = std::numeric_limits<Label>::max();
  std::vector<Label> labels;
  for (int i = 0; i < 70; ++i) labels.push_back(static_cast<Label>(i));
  labels.push_back(least);
  labels.push_back(most);
  label_view const seen = labels;
  EXPECT_EQ(seen[69], 69);
  EXPECT_EQ(seen[70], static_cast<std::int64_t>(least));
  EXPECT_EQ(seen[71], static_cast<std::int64_t>(most));
  EXPECT_EQ(seen.first_where([](std::int64_t label) { return label == 66; }), 66);
  EXPECT_TRUE(seen.contains(static_cast<std::int64_t>(most)));
  EXPECT_FALSE(seen.contains(100));
}

TEST(label_view, reads_integers_of_every_type) {
  expect_ends_of<std::int8_t>();
  expect_ends_of<std::int16_t>();
  expect_ends_of<std::int32_t>();
  expect_ends_of<std::int64_t>();
  expect_ends_of<std::uint8_t>();
  expect_ends_of<std::uint16_t>();
  expect_ends_of<std::uint32_t>();
  expect_ends_of<std::uint64_t>();
  expect_ends_of<char>();
  expect_ends_of<long long>();
  expect_labels(std::array<bool, 3>{true, false, true}, {1, 0, 1});
  expect_labels(std::vector<std::size_t>{3, static_cast<std::size_t>(-1)}, {3, -1});
}

TEST(label_view, reads_arrays_and_braces) {
  std::uint8_t const plain[] = {4, 0, 255};
  expect_labels(plain, {4, 0, 255});
  auto const sum = [](label_view labels) { return labels.size() * 100 + labels[0] + labels[1]; };
  EXPECT_EQ(sum({7, 2}), 209);
}

TEST(label_view, reads_an_image_of_labels_for_each_sample) {
  std::vector<std::uint8_t> memory(60);
  for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<std::uint8_t>(i);
  label_view const seen = feature_map(memory, 2, 1, 3, 5);
  EXPECT_EQ(seen.size(), 30);
  EXPECT_EQ(seen[29], 29);
  label_view const every_other = feature_map<std::uint8_t>(memory.data(), 2, 1, 3, 5, {30, 1, 10, 2});
  EXPECT_EQ(every_other[29], 58);
  EXPECT_EQ(
      testing::refusal_of([&] { label_view(feature_map(memory, 2, 3, 2, 5)); }),
      "distil::label_view: labels is of maps with 3 channels; it must be of one channel, all pixels at one "
      "distance");
  EXPECT_EQ(
      testing::refusal_of([&] {
        label_view(feature_map<std::uint8_t>(memory.data(), 2, 1, 3, 5, {18, 1, 6, 1}));
      }),
      "distil::label_view: labels is of maps with 1 channel, and gaps; it must be of one channel, all pixels "
      "at one distance");
}

TEST(label_view, takes_integers_alone) {
  static_assert(!std::is_constructible_v<label_view, std::vector<float>>);
  static_assert(!std::is_constructible_v<label_view, feature_map<float>>);
  static_assert(!std::is_constructible_v<label_view, int>);
}

TEST(labels_like, tells_labels_from_matrices) {
  static_assert(detail::labels_like<std::vector<int>> && detail::labels_like<Eigen::VectorXi const&>);
  static_assert(detail::labels_like<label_view>);
  static_assert(!detail::labels_like<Eigen::MatrixXf> && !detail::labels_like<matrix_view<float>>);
  static_assert(!detail::labels_like<matrix_view<int>>, "a matrix of integers is no list of labels");
}

TEST(mixed_labels, share_the_row_equally_unless_told) {
  std::vector<int> const first{1, 2}, second{3, 4};
  mixed_labels const mixed{first, second};
  EXPECT_EQ(mixed.first_share[1], 0.5);
  EXPECT_EQ(mixed.first[0], 1);
  EXPECT_EQ(mixed.second[1], 4);
}

}  // namespace
}  // namespace distil
