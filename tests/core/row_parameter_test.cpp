#include "distil/core/row_parameter.hpp"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <array>
#include <list>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace distil {
namespace {

TEST(row_parameter, one_number_holds_for_every_row) {
  row_parameter const parameter = 2.5F;
  EXPECT_FALSE(parameter.per_row());
  EXPECT_EQ(parameter.size(), -1);
  EXPECT_EQ(parameter[0], 2.5);
  EXPECT_EQ(parameter[1000000], 2.5);
  EXPECT_EQ(row_parameter(4)[0], 4.0);
  EXPECT_EQ(row_parameter(0.1)[0], 0.1) << "a double keeps its bits";
  static_assert(row_parameter(3)[7] == 3.0);
}

template <class Numbers>
void expect_one_two_three(Numbers const& numbers) {
  row_parameter const parameter = numbers;
  EXPECT_TRUE(parameter.per_row());
  ASSERT_EQ(parameter.size(), 3);
  for (index row = 0; row < 3; ++row) EXPECT_EQ(parameter[row], static_cast<double>(row + 1));
}

TEST(row_parameter, views_whatever_has_its_numbers_in_a_row) {
  expect_one_two_three(std::vector<float>{1, 2, 3});
  expect_one_two_three(std::vector<double>{1, 2, 3});
  expect_one_two_three(std::array<double, 3>{1, 2, 3});
  std::vector<float> numbers{1, 2, 3};
  expect_one_two_three(std::span<float>(numbers));
  expect_one_two_three(std::span<float const>(numbers));
  numbers[1] = 9;
  row_parameter const parameter = numbers;
  numbers[1] = 2;
  EXPECT_EQ(parameter[1], 2.0) << "a view sees what is written later";
}

TEST(row_parameter, views_eigen_vectors_with_their_strides) {
  expect_one_two_three(Eigen::Vector3f(1, 2, 3));
  expect_one_two_three(Eigen::RowVector3d(1, 2, 3));
  Eigen::Matrix<float, 3, 2, Eigen::RowMajor> rows;
  rows << -1, 1, -2, 2, -3, 3;
  expect_one_two_three(rows.col(1));
  Eigen::Matrix<double, 2, 3> columns;
  columns << -1, -2, -3, 1, 2, 3;
  expect_one_two_three(columns.row(1));
  double const memory[] = {1, 0, 0, 2, 0, 0, 3};
  expect_one_two_three(
      Eigen::Map<Eigen::Vector3d const, 0, Eigen::InnerStride<>>(memory, Eigen::InnerStride<>(3)));
  Eigen::VectorXf longer(5);
  longer << 0, 1, 2, 3, 4;
  expect_one_two_three(longer.segment(1, 3));
}

TEST(row_parameter, an_empty_vector_is_one_number_per_row_of_none) {
  std::vector<double> const none;
  EXPECT_TRUE(row_parameter(none).per_row());
  EXPECT_EQ(row_parameter(none).size(), 0);
}

TEST(row_parameter, of_maps_has_a_number_for_each_pixel) {
  float const memory[] = {1, 2, 3, 4, 5, 6};
  row_parameter const seen = feature_map<float const>(memory, 1, 1, 1, 3);
  EXPECT_EQ(seen.size(), 3);
  EXPECT_EQ(seen[2], 3.0);
  double const others[] = {1, 0, 2, 0, 3};
  expect_one_two_three(feature_map<double const>(others, 1, 1, 3, 1, {6, 6, 2, 2}));
  float const plain[] = {1, 2, 3};
  expect_one_two_three(plain);
}

TEST(row_parameter, takes_no_other_numbers) {
  static_assert(!std::is_constructible_v<row_parameter, std::vector<int>>);
  static_assert(!std::is_constructible_v<row_parameter, std::list<double>>);
  static_assert(!std::is_constructible_v<row_parameter, std::string>);
  static_assert(!std::is_constructible_v<row_parameter, double*>);
  static_assert(!std::is_constructible_v<row_parameter, decltype(2.0F * std::declval<Eigen::VectorXf&>())>,
                "an expression has no numbers in memory");
}

}  // namespace
}  // namespace distil
