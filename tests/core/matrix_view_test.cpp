#include "distil/core/matrix_view.hpp"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <limits>
#include <numeric>
#include <span>
#include <type_traits>
#include <vector>

#include "../support/refusal.hpp"

namespace distil {
namespace {

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using any_stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;

/// 0, 1, 2 ... in memory, so that an element tells its position.
std::vector<float> counting(index size) {
  std::vector<float> elements(static_cast<std::size_t>(size));
  std::iota(elements.begin(), elements.end(), 0.0F);
  return elements;
}

/// Every element of the view is the very element of the matrix.
template <class T, class Matrix>
void expect_same_elements(matrix_view<T> const& seen, Matrix& matrix) {
  ASSERT_EQ(seen.rows, matrix.rows());
  ASSERT_EQ(seen.columns, matrix.cols());
  for (index row = 0; row < seen.rows; ++row) {
    for (index column = 0; column < seen.columns; ++column) {
      EXPECT_EQ(&seen(row, column), &matrix.coeffRef(row, column)) << row << ", " << column;
    }
  }
}

TEST(matrix_view, of_a_pointer_has_contiguous_rows_unless_told_otherwise) {
  std::vector<float> const memory = counting(24);
  matrix_view<float const> const rows(memory.data(), 4, 6);
  EXPECT_EQ(rows(0, 5), 5.0F);
  EXPECT_EQ(rows(2, 1), 13.0F);
  matrix_view<float const> const padded(memory.data(), 4, 3, 6);
  EXPECT_EQ(padded(3, 2), 20.0F);
  matrix_view<float const> const class_major(memory.data(), 4, 6, 1, 4);
  EXPECT_EQ(class_major(3, 2), 11.0F);
  matrix_view<float const> const backwards(memory.data() + 23, 4, 6, -6, -1);
  EXPECT_EQ(backwards(0, 0), 23.0F);
  EXPECT_EQ(backwards(3, 5), 0.0F);
}

TEST(matrix_view, of_nothing_is_empty) {
  constexpr matrix_view<float> nothing;
  static_assert(nothing.data == nullptr && nothing.rows == 0 && nothing.columns == 0);
  EXPECT_EQ(nothing.column_stride, 1);
}

TEST(matrix_view, of_a_span_needs_room_for_every_element) {
  std::vector<float> memory = counting(12);
  matrix_view<float> const exact(std::span<float>(memory), 3, 4);
  EXPECT_EQ(&exact(2, 3), &memory[11]);
  EXPECT_NO_THROW(matrix_view<float>(std::span<float>(memory), 2, 4)) << "a larger span is welcome";
  EXPECT_EQ(testing::refusal_of([&] { matrix_view<float>(std::span<float>(memory), 3, 5); }),
            "distil::matrix_view: span is 12 elements; it must be at least 3 x 5");
  EXPECT_EQ(testing::refusal_of([&] { matrix_view<float const>(std::span<float const>(), 1, 1); }),
            "distil::matrix_view: span is 0 elements; it must be at least 1 x 1");
}

TEST(matrix_view, guesses_its_element_type) {
  std::vector<float> memory = counting(12);
  double const fixed[] = {1.0, 2.0};
  static_assert(std::is_same_v<decltype(matrix_view(memory.data(), 3, 4)), matrix_view<float>>);
  static_assert(std::is_same_v<decltype(matrix_view(memory.data(), 3, 2, 4)), matrix_view<float>>);
  static_assert(std::is_same_v<decltype(matrix_view(&fixed[0], 1, 2, 1, 1)), matrix_view<double const>>);
  static_assert(
      std::is_same_v<decltype(matrix_view(std::span<float const>(memory), 3, 4)), matrix_view<float const>>);
  EXPECT_EQ(matrix_view(std::span(memory), 3, 4)(1, 0), 4.0F);
}

TEST(matrix_view, loses_the_right_to_write_but_never_gains_it) {
  static_assert(std::is_convertible_v<matrix_view<float>, matrix_view<float const>>);
  static_assert(!std::is_constructible_v<matrix_view<float>, matrix_view<float const>>);
  static_assert(!std::is_constructible_v<matrix_view<double const>, matrix_view<float>>);
  static_assert(std::is_same_v<decltype(std::declval<matrix_view<float> const&>()(0, 0)), float&>,
                "a const view of mutable elements is like a const pointer to them");
  std::vector<float> memory = counting(6);
  matrix_view<float> const original(memory.data(), 2, 2, 3, 1);
  matrix_view<float const> const copy = original;
  EXPECT_EQ(&copy(1, 1), &original(1, 1));
}

TEST(view, of_a_view_is_that_view) {
  std::vector<float> memory = counting(12);
  matrix_view<float> const original(memory.data(), 2, 3, 5, 2);
  matrix_view<float> const seen = view(original);
  EXPECT_EQ(&seen(1, 2), &original(1, 2));
  static_assert(std::is_same_v<decltype(view(matrix_view<float const>())), matrix_view<float const>>);
}

TEST(view, of_an_eigen_matrix_in_either_order) {
  row_major rows(3, 4);
  expect_same_elements(view(rows), rows);
  EXPECT_EQ(view(rows).column_stride, 1);
  Eigen::MatrixXd columns(3, 4);
  expect_same_elements(view(columns), columns);
  EXPECT_EQ(view(columns).row_stride, 1);
  Eigen::Matrix<float, 2, 5> fixed;
  expect_same_elements(view(fixed), fixed);
  Eigen::RowVectorXf one_row(7);
  expect_same_elements(view(one_row), one_row);
  Eigen::VectorXf one_class(7);
  expect_same_elements(view(one_class), one_class);
}

TEST(view, of_blocks_and_transposes) {
  row_major rows(6, 8);
  auto block = rows.block(1, 2, 3, 4);
  expect_same_elements(view(block), block);
  auto turned = rows.transpose();
  expect_same_elements(view(turned), turned);
  auto columns_of_turned = turned.leftCols(2);
  expect_same_elements(view(columns_of_turned), columns_of_turned);
  Eigen::MatrixXf columns(6, 8);
  auto top = columns.topRows(2);
  expect_same_elements(view(top), top);
  auto one_row = columns.row(3);
  expect_same_elements(view(one_row), one_row);
}

TEST(view, of_maps_and_references) {
  std::vector<float> memory = counting(60);
  Eigen::Map<row_major, Eigen::Unaligned, any_stride> strided(memory.data() + 1, 3, 4, any_stride(17, 3));
  expect_same_elements(view(strided), strided);
  EXPECT_EQ(view(strided)(2, 3), 1.0F + 2 * 17 + 3 * 3);
  Eigen::Map<Eigen::MatrixXf> packed(memory.data(), 5, 6);
  expect_same_elements(view(packed), packed);
  row_major rows(6, 8);
  Eigen::Ref<row_major, 0, Eigen::OuterStride<>> reference(rows.leftCols(5));
  expect_same_elements(view(reference), reference);
  EXPECT_EQ(view(reference).row_stride, 8);
}

TEST(view, is_const_where_the_matrix_is) {
  using matrix = Eigen::MatrixXf;
  static_assert(std::is_same_v<decltype(view(std::declval<matrix&>())), matrix_view<float>>);
  static_assert(std::is_same_v<decltype(view(std::declval<matrix const&>())), matrix_view<float const>>);
  static_assert(
      std::is_same_v<decltype(view(std::declval<Eigen::Map<matrix const>&>())), matrix_view<float const>>);
  static_assert(std::is_same_v<decltype(view(std::declval<Eigen::Ref<matrix const> const&>())),
                               matrix_view<float const>>);
  static_assert(
      std::is_same_v<decltype(view(std::declval<matrix const&>().transpose())), matrix_view<float const>>);
  static_assert(
      std::is_same_v<decltype(detail::input_view(std::declval<matrix&>())), matrix_view<float const>>);
  static_assert(std::is_same_v<decltype(detail::output_view(std::declval<matrix&>())), matrix_view<float>>);
  matrix numbers(2, 2);
  EXPECT_EQ(detail::input_view(numbers).data, numbers.data());
  EXPECT_EQ(detail::output_view(numbers).data, numbers.data());
}

TEST(view, needs_elements_in_memory) {
  using matrix = Eigen::MatrixXf;
  static_assert(detail::direct_access<matrix> && detail::direct_access<Eigen::Block<matrix>>);
  static_assert(!detail::direct_access<decltype(2.0F * std::declval<matrix&>())>);
  static_assert(!detail::direct_access<decltype(std::declval<matrix&>().colwise().reverse())>);
  static_assert(!detail::direct_access<std::vector<float>> && !detail::direct_access<float>);
}

}  // namespace
}  // namespace distil
