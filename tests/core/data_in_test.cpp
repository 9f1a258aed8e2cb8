#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "../support/refusal.hpp"
#include "distil/core/labels.hpp"
#include "distil/core/shapes.hpp"

/// How users pass their data, and what a loss sees of it.
namespace distil {
namespace {

/// The face of std::mdspan, which few standard libraries have yet.
template <class T, std::size_t Rank>
struct mdspan {
  T* first;
  std::array<std::size_t, Rank> extents, strides;
  static constexpr std::size_t rank() { return Rank; }
  [[nodiscard]] T* data_handle() const { return first; }
  [[nodiscard]] std::size_t extent(std::size_t axis) const { return extents[axis]; }
  [[nodiscard]] std::size_t stride(std::size_t axis) const { return strides[axis]; }
};

std::vector<float> counting(std::size_t size) {
  std::vector<float> elements(size);
  std::iota(elements.begin(), elements.end(), 0.0F);
  return elements;
}

TEST(matrix_view, of_vectors_arrays_and_spans) {
  std::vector<float> memory = counting(12);
  std::vector<float> const constant = memory;
  std::array<double, 6> const fixed{};
  static_assert(std::is_same_v<decltype(matrix_view(memory, 3, 4)), matrix_view<float>>);
  static_assert(std::is_same_v<decltype(matrix_view(constant, 3, 4)), matrix_view<float const>>);
  static_assert(std::is_same_v<decltype(matrix_view(fixed, 2, 3)), matrix_view<double const>>);
  EXPECT_EQ(&matrix_view(memory, 3, 4)(2, 1), &memory[9]);
  EXPECT_EQ(&column_major(memory, 3, 4)(2, 1), &memory[5]);
  EXPECT_EQ(&column_major(constant.data(), 3, 4)(1, 3), &constant[10]);
  EXPECT_EQ(testing::refusal_of([&] { matrix_view(memory, 4, 4); }),
            "distil::matrix_view: span is 12 elements; it must be at least 4 x 4");
  EXPECT_EQ(testing::refusal_of([&] { (void)column_major(constant, 4, 4); }),
            "distil::matrix_view: span is 12 elements; it must be at least 4 x 4");
}

template <class Range>
concept makes_a_view = requires(Range&& range) {
  matrix_view(std::forward<Range>(range), 1, 1);
};
TEST(matrix_view, is_not_made_of_what_goes_when_the_line_ends) {
  static_assert(makes_a_view<std::vector<float>&>);
  static_assert(!makes_a_view<std::vector<float>>);
}

TEST(view, of_what_has_the_face_of_mdspan) {
  std::vector<float> memory = counting(40);
  mdspan<float, 2> const span{memory.data(), {3, 4}, {9, 2}};
  auto const seen = view(span);
  EXPECT_EQ(seen.rows, 3);
  EXPECT_EQ(seen.columns, 4);
  EXPECT_EQ(&seen(2, 3), &memory[24]);
}

TEST(feature_map, of_vectors_and_mdspan) {
  std::vector<float> memory = counting(48);
  std::vector<float> const constant = memory;
  static_assert(std::is_same_v<decltype(feature_map(constant, 2, 3, 4, 2)), feature_map<float const>>);
  EXPECT_EQ(&feature_map(memory, 2, 3, 4, 2)(1, 2, 3, 1), &memory[47]);
  EXPECT_EQ(&channels_last(memory, 2, 3, 4, 2)(1, 0, 3, 1), &memory[45]);
  EXPECT_EQ(&token_map(memory, 2, 8, 3)(1, 2, 0, 7), &memory[47]);
  mdspan<float, 4> const span{memory.data(), {2, 3, 4, 2}, {1, 16, 4, 2}};
  EXPECT_EQ(&detail::input_map(span)(1, 2, 3, 1), &memory[1 + 32 + 12 + 2]);
  EXPECT_EQ(&detail::output_map(span)(0, 1, 0, 1), &memory[18]);
  EXPECT_EQ(testing::refusal_of([&] { feature_map(memory, 2, 3, 4, 3); }),
            "distil::feature_map: span is 48 elements; it must be at least 2 x 3 x 4 x 3");
  EXPECT_EQ(testing::refusal_of([&] { feature_map(memory, 2, -3, 4, 3); }),
            "distil::feature_map: shape is 2 x -3 x 4 x 3; it must be without negative sizes");
  EXPECT_NO_THROW(feature_map(memory, 0, 3, 400, 3));
}

/// Pixel by pixel what the map says.
void expect_pixels(feature_map<float> const& map) {
  auto const rows = detail::logit_rows(map);
  ASSERT_EQ(rows.rows, map.samples * map.positions());
  ASSERT_EQ(rows.columns, map.channels);
  auto const some = detail::rows_from(rows, 1, rows.rows - 1);
  index row = 0;
  for (index n = 0; n < map.samples; ++n) {
    for (index y = 0; y < map.height; ++y) {
      for (index x = 0; x < map.width; ++x, ++row) {
        for (index c = 0; c < map.channels; ++c) {
          ASSERT_EQ(&rows(row, c), &map(n, c, y, x)) << row << ", " << c;
          if (row == 0) continue;
          ASSERT_EQ(&some(row - 1, c), &map(n, c, y, x)) << row << ", " << c;
        }
      }
    }
  }
}

TEST(row_view, of_maps_has_a_row_for_every_pixel) {
  std::vector<float> memory = counting(4000);
  float* const first = memory.data();
  for (index const n : {1, 3}) {
    for (index const height : {1, 4}) {
      for (index const width : {1, 5}) {
        expect_pixels(feature_map(first, n, 3, height, width));
        expect_pixels(channels_last(first, n, 3, height, width));
        expect_pixels({first, n, 3, height, width, {300, 90, 11, 2}});  // padded lines
        expect_pixels({first, n, 3, height, width, {500, 90, 2, 17}});  // turned
        expect_pixels({first, n, 3, height, width, {20, 300, 5, 1}});   // channels outermost
        expect_pixels({first, n, 3, height, width, {44, 300, 11, 2}});  // and padded
      }
    }
  }
}

TEST(row_view, is_one_run_where_pixels_lie_at_one_distance) {
  float* const first = nullptr;
  EXPECT_EQ(detail::logit_rows(channels_last(first, 2, 3, 4, 5)).runs.length, 0);
  EXPECT_EQ(detail::logit_rows(feature_map(first, 1, 3, 4, 5)).runs.length, 0);
  EXPECT_EQ(detail::logit_rows(feature_map(first, 2, 3, 4, 5)).runs.length, 20);
}

TEST(overlap, of_pixels) {
  std::vector<float> memory = counting(400);
  auto const extent = [](feature_map<float> const& map) {
    return detail::matrix_extent(detail::output_rows(map));
  };
  feature_map<float> const map(memory.data(), 2, 3, 4, 5);
  EXPECT_EQ(detail::overlap_of(extent(map), extent(map)), detail::overlap::same);
  feature_map<float> const behind(memory.data() + 120, 2, 3, 4, 5), within(memory.data() + 60, 2, 3, 4, 5);
  EXPECT_EQ(detail::overlap_of(extent(map), extent(behind)), detail::overlap::none);
  EXPECT_EQ(detail::overlap_of(extent(map), extent(within)), detail::overlap::partial);
  EXPECT_NO_THROW(detail::require_distinct_elements("test", extent(map)));
  EXPECT_ANY_THROW(
      detail::require_distinct_elements("test", extent({memory.data(), 2, 3, 4, 5, {20, 20, 5, 1}})));
}

}  // namespace
}  // namespace distil
