#include "distil/core/labels.hpp"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

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

TEST(label_view, reads_labels_of_32_and_64_bits) {
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

TEST(label_view, takes_integers_of_its_sizes_alone) {
  static_assert(!std::is_constructible_v<label_view, std::vector<float>>);
  static_assert(!std::is_constructible_v<label_view, std::vector<std::int16_t>>);
  static_assert(!std::is_constructible_v<label_view, std::vector<std::uint32_t>>);
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
