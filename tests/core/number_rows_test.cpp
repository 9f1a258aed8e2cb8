#include "distil/core/number_rows.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace distil::detail {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class Number>
void expect_numbers() {
  std::vector<Number> const numbers{Number(1), Number(0), Number(1), Number(1), Number(0), Number(0)};
  std::array<double, 3> row{};
  read_row(matrix_view(numbers, 2, 3), 1, row.data());
  EXPECT_EQ(row, (std::array<double, 3>{1, 0, 0}));
  read_row(column_major(numbers, 2, 3), 1, row.data());
  EXPECT_EQ(row, (std::array<double, 3>{0, 1, 0}));
}

TEST(read_row, reads_every_kind_of_number) {
  expect_numbers<float>();
  expect_numbers<double>();
  expect_numbers<bfloat16>();
  expect_numbers<half>();
  expect_numbers<std::int8_t>();
  expect_numbers<std::uint8_t>();
  expect_numbers<std::int16_t>();
  expect_numbers<std::uint16_t>();
  expect_numbers<std::int32_t>();
  expect_numbers<std::uint32_t>();
  expect_numbers<std::int64_t>();
  expect_numbers<std::uint64_t>();
}

TEST(log_softmax_row, is_the_formula) {
  std::array<double, 4> row{3, -infinity, 1, 1};
  double const entropy = log_softmax_row(row.data(), 4, 2.0);
  double const sum = std::exp(1.5) + 2 * std::exp(0.5);
  double const p = std::exp(1.5) / sum, q = std::exp(0.5) / sum;
  EXPECT_NEAR(row[0], std::log(p), 1e-15);
  EXPECT_EQ(row[1], -infinity);
  EXPECT_NEAR(row[2], std::log(q), 1e-15);
  EXPECT_NEAR(entropy, -p * std::log(p) - 2 * q * std::log(q), 1e-15);
}

TEST(log_softmax_row, survives_extremes) {
  std::array<double, 2> far{1e4, -1e4};
  EXPECT_EQ(log_softmax_row(far.data(), 2, 0.05), 0.0);
  EXPECT_EQ(far[0], 0.0);
  std::array<double, 2> masked{-infinity, -infinity};
  EXPECT_EQ(log_softmax_row(masked.data(), 2, 1.0), 0.0);
  EXPECT_EQ(masked[0], -infinity);
  std::array<double, 3> invalid{1, std::nan(""), 2};
  EXPECT_TRUE(std::isnan(log_softmax_row(invalid.data(), 3, 1.0)));
  EXPECT_TRUE(std::isnan(invalid[0]) && std::isnan(invalid[2]));
  std::array<double, 2> infinite{1, infinity};
  EXPECT_TRUE(std::isnan(log_softmax_row(infinite.data(), 2, 1.0)));
}

}  // namespace
}  // namespace distil::detail
