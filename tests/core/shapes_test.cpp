#include "distil/core/shapes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

#include "../support/refusal.hpp"

namespace distil::detail {
namespace {

using distil::testing::refusal_of;

/// One buffer for all: positions are elements of float.
class overlap_test : public ::testing::Test {
 protected:
  [[nodiscard]] matrix_view<float> at(index first, index rows, index columns, index row_stride,
                                      index column_stride = 1) {
    return {buffer_.data() + first, rows, columns, row_stride, column_stride};
  }
  /// The same bytes as doubles: position and strides are elements of double.
  [[nodiscard]] matrix_view<double const> doubles_at(index first, index rows, index columns,
                                                     index row_stride) const {
    auto const* const bytes = reinterpret_cast<std::byte const*>(buffer_.data());
    return {reinterpret_cast<double const*>(bytes) + first, rows, columns, row_stride};
  }

  /// The answer, which must not depend on the order of the two.
  template <class A, class B>
  static overlap between(matrix_view<A> const& a, matrix_view<B> const& b) {
    EXPECT_EQ(overlap_of(a, b), overlap_of(b, a));
    return overlap_of(a, b);
  }

 private:
  std::vector<float> buffer_ = std::vector<float>(256);
};

TEST_F(overlap_test, a_matrix_is_the_same_as_itself) {
  EXPECT_EQ(between(at(0, 4, 5, 8), at(0, 4, 5, 8)), overlap::same);
  EXPECT_EQ(between(at(0, 4, 5, 1, 4), matrix_view<float const>(at(0, 4, 5, 1, 4))), overlap::same);
  EXPECT_EQ(between(at(40, 4, 5, -8), at(40, 4, 5, -8)), overlap::same);
}

TEST_F(overlap_test, strides_of_a_single_row_or_class_do_not_matter) {
  EXPECT_EQ(between(at(0, 1, 5, 5), at(0, 1, 5, 99)), overlap::same);
  EXPECT_EQ(between(at(0, 4, 1, 3, 1), at(0, 4, 1, 3, 7)), overlap::same);
  EXPECT_EQ(between(at(0, 1, 1, 1, 1), at(0, 1, 1, 2, 3)), overlap::same);
}

TEST_F(overlap_test, apart_in_memory_is_none) {
  EXPECT_EQ(between(at(0, 4, 5, 5), at(20, 4, 5, 5)), overlap::none);
  EXPECT_EQ(between(at(0, 4, 5, 8), at(29, 4, 5, 8)), overlap::none) << "one past the last element";
  std::vector<float> elsewhere(20);
  EXPECT_EQ(between(at(0, 4, 5, 5), matrix_view<float>(elsewhere.data(), 4, 5)), overlap::none);
}

TEST_F(overlap_test, nothing_overlaps_an_empty_matrix) {
  EXPECT_EQ(between(at(0, 0, 5, 5), at(0, 4, 5, 5)), overlap::none);
  EXPECT_EQ(between(at(0, 4, 0, 5), at(0, 4, 5, 5)), overlap::none);
  EXPECT_EQ(between(matrix_view<float>(), matrix_view<float>()), overlap::none);
}

TEST_F(overlap_test, shifted_or_reshaped_is_partial) {
  EXPECT_EQ(between(at(0, 4, 5, 5), at(1, 4, 5, 5)), overlap::partial);
  EXPECT_EQ(between(at(0, 4, 5, 5), at(5, 4, 5, 5)), overlap::partial) << "one row further";
  EXPECT_EQ(between(at(0, 4, 5, 5), at(0, 5, 4, 4)), overlap::partial);
  EXPECT_EQ(between(at(0, 4, 4, 4), at(0, 4, 4, 1, 4)), overlap::partial) << "its own transpose";
  EXPECT_EQ(between(at(0, 4, 5, 5), at(0, 3, 5, 5)), overlap::partial) << "a part of it";
  EXPECT_EQ(between(at(0, 4, 5, 5), at(19, 1, 1, 1)), overlap::partial) << "its last element";
}

TEST_F(overlap_test, side_by_side_in_one_buffer_is_none) {
  EXPECT_EQ(between(at(0, 4, 5, 10), at(5, 4, 5, 10)), overlap::none);
  EXPECT_EQ(between(at(0, 4, 3, 10), at(7, 4, 3, 10)), overlap::none);
  EXPECT_EQ(between(at(0, 4, 5, 10), at(25, 4, 5, 10)), overlap::none) << "beginning two rows later";
  EXPECT_EQ(between(at(0, 4, 6, 10), at(5, 4, 5, 10)), overlap::partial) << "one class in common";
  EXPECT_EQ(between(at(0, 4, 5, 10), at(6, 4, 5, 10)), overlap::partial)
      << "its last class is the first of the next row of the other";
  EXPECT_EQ(between(at(0, 4, 5, 10), at(5, 4, 5, 11)), overlap::partial) << "pitches differ";
}

TEST_F(overlap_test, reaches_backwards_with_negative_strides) {
  EXPECT_EQ(between(at(20, 4, 5, -5), at(25, 4, 5, 5)), overlap::none);
  EXPECT_EQ(between(at(20, 4, 5, -5), at(0, 1, 5, 5)), overlap::none) << "ends at 5";
  EXPECT_EQ(between(at(20, 4, 5, -5), at(5, 1, 5, 5)), overlap::partial) << "its last row";
  EXPECT_EQ(between(at(20, 4, 5, -5), at(5, 4, 5, 5)), overlap::partial) << "upside down";
  EXPECT_EQ(between(at(9, 1, 5, 5, -1), at(0, 1, 5, 5)), overlap::none);
  EXPECT_EQ(between(at(9, 1, 5, 5, -1), at(0, 1, 6, 6)), overlap::partial);
  EXPECT_EQ(between(at(9, 2, 5, -5, -1), at(0, 2, 5, 5, 1)), overlap::partial) << "turned around";
}

TEST_F(overlap_test, counts_in_bytes_between_elements_of_different_sizes) {
  EXPECT_EQ(between(at(0, 4, 5, 5), doubles_at(10, 2, 2, 2)), overlap::none);
  EXPECT_EQ(between(at(0, 4, 5, 5), doubles_at(9, 2, 2, 2)), overlap::partial);
  EXPECT_EQ(between(at(0, 2, 3, 3), doubles_at(0, 2, 3, 3)), overlap::partial) << "same place, other type";
  EXPECT_EQ(between(at(0, 4, 4, 12), doubles_at(2, 4, 4, 6)), overlap::none) << "side by side";
  EXPECT_EQ(between(at(0, 4, 5, 12), doubles_at(2, 4, 4, 6)), overlap::partial);
}

// Against the bytes themselves. `partial` may be said too often, `none` and `same` never wrongly.
TEST_F(overlap_test, none_and_same_are_true_of_every_element) {
  std::mt19937 random(11);
  auto const below = [&](unsigned limit) { return static_cast<index>(random() % limit); };
  auto const any = [&] {
    index const columns = 1 + below(4), rows = 1 + below(4);
    return at(64 + below(40), rows, columns, below(17) - 8, below(5) - 2);
  };
  auto const addresses = [](matrix_view<float> const& m) {
    std::vector<float const*> result;
    for (index row = 0; row < m.rows; ++row) {
      for (index column = 0; column < m.columns; ++column) result.push_back(&m(row, column));
    }
    return result;
  };
  int apart = 0, same = 0;
  for (int trial = 0; trial < 100000; ++trial) {
    matrix_view<float> const a = any(), b = trial % 16 == 0 ? a : any();
    auto const in_a = addresses(a), in_b = addresses(b);
    overlap const found = between(a, b);
    apart += found == overlap::none ? 1 : 0;
    same += found == overlap::same ? 1 : 0;
    if (found == overlap::none) {
      ASSERT_EQ(std::find_first_of(in_a.begin(), in_a.end(), in_b.begin(), in_b.end()), in_a.end()) << trial;
    }
    ASSERT_EQ(found == overlap::same, a.rows == b.rows && a.columns == b.columns && in_a == in_b) << trial;
  }
  EXPECT_GT(apart, 10000);
  EXPECT_GT(same, 100000 / 16);
}

TEST_F(overlap_test, a_gradient_may_replace_the_student_but_not_shift_it) {
  EXPECT_NO_THROW(require_writable_over_student("hinton_kd", at(0, 4, 5, 5), at(0, 4, 5, 5)));
  EXPECT_EQ(refusal_of([&] { require_writable_over_student("hinton_kd", at(1, 4, 5, 5), at(0, 4, 5, 5)); }),
            "distil::hinton_kd: gradient is overlapping the student in part; it must be the student's own "
            "matrix, element for element, or apart from it");
  EXPECT_EQ(refusal_of([&] { require_apart("hinton_kd", at(0, 4, 5, 5), "teacher", at(0, 4, 5, 5)); }),
            "distil::hinton_kd: gradient is overlapping the teacher; it must be apart from the teacher");
  EXPECT_NO_THROW(require_apart("hinton_kd", at(0, 4, 5, 5), "teacher", at(20, 4, 5, 5)));
}

TEST(shapes, refusals_name_what_was_and_what_must_be) {
  float memory[6] = {};
  matrix_view<float> const matrix(memory, 2, 3);
  EXPECT_EQ(refusal_of([&] { require_matrix("entropy", "student", matrix_view<float>(memory, 2, 0)); }),
            "distil::entropy: student is 2 x 0; it must be rows x classes with at least one class");
  EXPECT_EQ(refusal_of([&] { require_matrix("entropy", "student", matrix_view<float>(memory, -1, 3)); }),
            "distil::entropy: student is -1 x 3; it must be rows x classes with at least one class");
  EXPECT_EQ(refusal_of([&] { require_matrix("entropy", "student", matrix_view<float>(nullptr, 2, 3)); }),
            "distil::entropy: student is a null pointer; it must be a matrix");
  EXPECT_EQ(refusal_of([&] { require_shape("forward_kl", "teacher", matrix, 2, 4); }),
            "distil::forward_kl: teacher is 2 x 3; it must be 2 x 4, the shape of the student");
  EXPECT_EQ(refusal_of([&] { require_size("cross_entropy", "labels", 3, 2); }),
            "distil::cross_entropy: labels is of size 3; it must be one per row, 2");
  EXPECT_NO_THROW(require_matrix("entropy", "student", matrix_view<float>(nullptr, 0, 3)));
  EXPECT_NO_THROW(require_shape("forward_kl", "teacher", matrix, 2, 3));
}

TEST(shapes, numbers_per_row_are_refused_with_their_row) {
  double const infinite = std::numeric_limits<double>::infinity();
  auto const refusal = [&](row_parameter const& temperature) {
    return refusal_of([&] {
      require_temperature("entropy", temperature, {}, 3);
      require_row_values("entropy", "temperature", temperature, is_temperature, must_be_temperature);
    });
  };
  EXPECT_EQ(refusal(std::vector<double>{1.0, 2.0, 3.0}), "");
  EXPECT_EQ(refusal(2.0), "");
  EXPECT_EQ(refusal(std::vector<double>{1.0, 0.0, infinite}),
            "distil::entropy: temperature is 0 in row 1; it must be within [1e-15, 1e15]");
  EXPECT_EQ(refusal(std::vector<double>{1.0, 1.0, infinite}),
            "distil::entropy: temperature is inf in row 2; it must be within [1e-15, 1e15]");
  EXPECT_EQ(refusal(std::vector<double>{1.0}),
            "distil::entropy: temperature is of size 1; it must be one per row, 3");
  EXPECT_EQ(refusal(std::numeric_limits<double>::quiet_NaN()),
            "distil::entropy: temperature is nan; it must be within [1e-15, 1e15]");
}

TEST(shapes, the_gradient_of_a_temperature_has_room_for_one_or_for_all) {
  std::vector<double> slope(3);
  std::vector<double> const temperatures(3, 1.0);
  auto const refusal = [&](row_parameter const& temperature, std::size_t size) {
    return refusal_of([&] { require_temperature("entropy", temperature, {slope.data(), size}, 3); });
  };
  for (std::size_t const size : {std::size_t{0}, std::size_t{1}, std::size_t{3}})
    EXPECT_EQ(refusal(2, size), "");
  EXPECT_EQ(refusal(2, 2),
            "distil::entropy: temperature_gradient is of size 2; it must be of size 1 or one per row, 3");
  EXPECT_EQ(refusal(temperatures, 3), "");
  EXPECT_EQ(refusal(temperatures, 1),
            "distil::entropy: temperature_gradient is of size 1; it must be one per row, 3");
}

TEST(shapes, row_options_are_checked_one_by_one) {
  std::vector<int> const labels(2);
  std::vector<double> values(4);
  auto const refusal = [&](row_options const& options) {
    return refusal_of([&] { require_rows("entropy", options, 3); });
  };
  EXPECT_EQ(refusal({}), "");
  EXPECT_EQ(refusal({.weights = 0, .normalizer = 7}), "");
  EXPECT_EQ(refusal({.weights = -1}), "distil::entropy: rows.weights is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal({.reduce = static_cast<reduction>(7)}),
            "distil::entropy: rows.reduce is 7; it must be reduction::mean or reduction::sum");
  EXPECT_EQ(refusal({.normalizer = -2}),
            "distil::entropy: rows.normalizer is -2; it must be finite and >= 0 (0: the own weight)");
  EXPECT_EQ(refusal({.labels = labels}),
            "distil::entropy: rows.labels is of size 2; it must be one per row, 3");
  EXPECT_EQ(refusal({.values = values}),
            "distil::entropy: rows.values is of size 4; it must be one per row, 3");
}

TEST(shapes, a_row_is_fully_masked_when_every_class_is) {
  float const masked = -std::numeric_limits<float>::infinity();
  float const logits[] = {masked, masked, masked, 0, masked, std::numeric_limits<float>::quiet_NaN()};
  auto const matrix = logit_rows(matrix_view<float const>(logits, 3, 2));
  EXPECT_TRUE(fully_masked(matrix, 0));
  EXPECT_FALSE(fully_masked(matrix, 1));
  EXPECT_FALSE(fully_masked(matrix, 2));
  half const halves[] = {half(masked), half(masked)};
  EXPECT_TRUE(fully_masked(logit_rows(matrix_view<half const>(halves, 1, 2)), 0));
}

}  // namespace
}  // namespace distil::detail
