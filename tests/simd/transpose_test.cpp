#include "distil/simd/transpose.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace distil::simd {
namespace {

template <class T, class Storage>
struct transposition {
  using arithmetic = T;
  using stored = Storage;
};

/// A register's worth of rows in memory that ends with the last class of the last row; NaN between rows and before.
template <class Case>
class transpose_test : public ::testing::Test {
 protected:
  using element = typename Case::stored;
  using number = typename Case::arithmetic;
  static constexpr index size = lanes<number>::size;

  struct rows_in_memory {
    index columns, row_stride, before;
    std::vector<element> cells;

    rows_in_memory(index column_count, index gap, index first)
        : columns(column_count),
          row_stride(column_count + gap),
          before(first),
          cells(static_cast<std::size_t>(first + (size - 1) * row_stride + columns),
                detail::narrow<element>(std::numeric_limits<number>::quiet_NaN())) {}

    element* data() { return cells.data() + before; }
    element& at(index row, index column) { return data()[row * row_stride + column]; }
    [[nodiscard]] int intact_guards() const {
      int count = 0;
      for (element const cell : cells) count += std::isnan(detail::widen<number>(cell)) ? 1 : 0;
      return count;
    }
    [[nodiscard]] int guards() const {
      return static_cast<int>(before + (size - 1) * (row_stride - columns));
    }
  };

  /// Rounded when stored, different for all elements near each other.
  static number number_at(index row, index column) {
    return static_cast<number>(static_cast<double>(row * 64 + column - 500) * 1.0009765625);
  }

  template <class Visit>
  static void for_each_shape(Visit const& visit) {
    for (index columns = 1; columns <= 40; ++columns) {
      for (index gap : {0, 1, 3}) {
        for (index before : {0, 1}) {
          SCOPED_TRACE(::testing::Message()
                       << columns << " classes, gaps of " << gap << ", " << before << " before");
          visit(columns, gap, before);
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
};

using transpositions = ::testing::Types<transposition<float, float>, transposition<float, half>,
                                        transposition<float, bfloat16>, transposition<float, double>,
                                        transposition<double, double>, transposition<double, float>,
                                        transposition<double, half>, transposition<double, bfloat16>>;
TYPED_TEST_SUITE(transpose_test, transpositions);

TYPED_TEST(transpose_test, rows_become_lanes) {
  using T = typename TypeParam::arithmetic;
  using Storage = typename TypeParam::stored;
  constexpr index width = TestFixture::size;
  TestFixture::for_each_shape([](index columns, index gap, index before) {
    typename TestFixture::rows_in_memory rows(columns, gap, before);
    for (index row = 0; row < width; ++row) {
      for (index column = 0; column < columns; ++column)
        rows.at(row, column) = detail::narrow<Storage>(TestFixture::number_at(row, column));
    }
    std::vector<T> found(static_cast<std::size_t>(columns * width + 1), T(-7));
    rows_to_lanes(rows.data(), rows.row_stride, columns, found.data());
    for (index column = 0; column < columns; ++column) {
      for (index row = 0; row < width; ++row) {
        ASSERT_EQ(found[static_cast<std::size_t>(column * width + row)],
                  detail::widen<T>(rows.at(row, column)))
            << row << ", " << column;
      }
    }
    ASSERT_EQ(found.back(), T(-7));
  });
}

TYPED_TEST(transpose_test, lanes_become_rows) {
  using T = typename TypeParam::arithmetic;
  using Storage = typename TypeParam::stored;
  constexpr index width = TestFixture::size;
  for (bool const adds : {false, true}) {
    TestFixture::for_each_shape([adds](index columns, index gap, index before) {
      typename TestFixture::rows_in_memory rows(columns, gap, before);
      std::vector<T> from(static_cast<std::size_t>(columns * width));
      Storage const there = detail::narrow<Storage>(T(0.3));
      for (index row = 0; row < width; ++row) {
        for (index column = 0; column < columns; ++column) {
          from[static_cast<std::size_t>(column * width + row)] = TestFixture::number_at(row, column);
          rows.at(row, column) = there;
        }
      }
      if (adds) lanes_to_rows<true>(from.data(), columns, rows.data(), rows.row_stride);
      if (!adds) lanes_to_rows<false>(from.data(), columns, rows.data(), rows.row_stride);
      for (index row = 0; row < width; ++row) {
        for (index column = 0; column < columns; ++column) {
          T const sum = (adds ? detail::widen<T>(there) : T(0)) + TestFixture::number_at(row, column);
          ASSERT_EQ(detail::widen<T>(rows.at(row, column)), detail::widen<T>(detail::narrow<Storage>(sum)))
              << row << ", " << column << (adds ? ", added" : "");
        }
      }
      ASSERT_EQ(rows.intact_guards(), rows.guards());
    });
  }
}

}  // namespace
}  // namespace distil::simd
