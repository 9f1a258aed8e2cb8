#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "../support/batches.hpp"
#include "distil/sweep/blocks.hpp"

namespace distil::simd {
namespace {

using testing::layout;
using testing::owned_matrix;

/// Small whole numbers, exact in every storage type, and their sums too.
double number_at(index row, index column) { return static_cast<double>((31 * row + 7 * column) % 61 - 30); }

/// A class-major matrix of which only the first rows exist; it claims to have as many bytes as it takes.
template <class Storage>
class tall_matrix {
 public:
  tall_matrix(index rows, index columns, index bytes)
      : rows_(rows), columns_(columns), bytes_(bytes), cells_(rows, columns, layout::class_major) {
    for (index row = 0; row < rows; ++row) {
      for (index column = 0; column < columns; ++column) cells_.set(row, column, number_at(row, column));
    }
  }

  matrix_view<Storage> view() {
    matrix_view<Storage> seen = cells_.view();
    seen.rows = bytes_ / columns_ / static_cast<index>(sizeof(Storage)) + 1;
    return seen;
  }

  /// Every element is what `expected` says, and nothing was written beside them.
  template <class Expected>
  void expect(Expected const& expected) const {
    for (index row = 0; row < rows_; ++row) {
      for (index column = 0; column < columns_; ++column) {
        ASSERT_EQ(cells_.at(row, column), expected(row, column)) << row << ", " << column;
      }
    }
    ASSERT_EQ(cells_.damaged_guards(), 0);
  }

 private:
  index rows_, columns_, bytes_;
  owned_matrix<Storage> cells_;
};

template <class T>
class windows_test : public ::testing::Test {
 protected:
  static constexpr index tile_rows = lanes<T>::size;
  /// Two windows and some of a third, its last tile not whole.
  static constexpr index total_rows = 2 * most_window_rows + 2 * tile_rows + (tile_rows + 1) / 2;

  static block all_of(index columns) { return {0, columns, columns, columns, 1}; }

  template <class Visit>
  static void for_each_tile(index first, index last, Visit const& visit) {
    for (index row = first; row < last; row += tile_rows)
      visit(tile{across, row, std::min(tile_rows, last - row), last});
  }

  /// Chunks of windows that are full, and of some that are not.
  static std::vector<std::array<index, 2>> chunks() {
    index const odd = most_window_rows + tile_rows;
    return {{0, odd}, {odd, odd + 3 * tile_rows}, {odd + 3 * tile_rows, total_rows}};
  }

  static std::vector<index> widths() { return {least_window_columns, 21, 43, 64}; }

  template <class Check>
  static void for_each_storage(Check const& check) {
    check(std::type_identity<float>());
    check(std::type_identity<double>());
    check(std::type_identity<half>());
    check(std::type_identity<bfloat16>());
  }

  template <class Target, class Value>
  static void put(Target const& target, tile here, index columns, Value const& value) {
    for (index column = 0; column < columns; ++column) {
      for (index lane = 0; lane < tile_rows; ++lane) {
        target.at(column)[lane] =
            lane < here.rows ? static_cast<T>(value(here.first_row + lane, column)) : T(1000);
      }
    }
  }
};

using arithmetic = ::testing::Types<float, double>;
TYPED_TEST_SUITE(windows_test, arithmetic);

TYPED_TEST(windows_test, serve_large_class_major_matrices_of_rows_in_one_block) {
  using T = TypeParam;
  constexpr index step = static_cast<index>(cache_line / 2);
  index const tall = windowed_bytes / static_cast<index>(sizeof(T)) / least_window_columns;
  auto const window_of = [](index rows, index columns, index row_stride, index column_stride) {
    return window_rows_of<T>(across, source_matrix<T>(detail::row_view<T>(
                                         matrix_view<T>(nullptr, rows, columns, row_stride, column_stride))));
  };
  EXPECT_EQ(window_of(tall, least_window_columns, 1, tall), most_window_rows);
  EXPECT_EQ(window_of(tall - 1, least_window_columns, 1, tall), 0);
  EXPECT_EQ(window_of(2 * tall, least_window_columns - 1, 1, 2 * tall), 0);
  EXPECT_EQ(window_of(tall, least_window_columns, least_window_columns, 1), 0);
  EXPECT_EQ(window_rows_of<T>(
                along, source_matrix<T>(detail::row_view<T>(matrix_view<T>(nullptr, tall, 21, 1, tall)))),
            0);
  EXPECT_EQ(window_of(tall, across.block_columns<T>() + 1, 1, tall), 0);
  for (index columns = least_window_columns; columns <= across.block_columns<T>(); ++columns) {
    index const rows = window_of(tall, columns, 1, tall);
    EXPECT_EQ(rows % step, 0);
    EXPECT_EQ(rows % TestFixture::tile_rows, 0);
    EXPECT_LE(rows * columns, window_elements);
    EXPECT_EQ(rows > 0, step * columns <= window_elements);
  }
}

TYPED_TEST(windows_test, read_chunk_by_chunk_with_padding) {
  using T = TypeParam;
  TestFixture::for_each_storage([]<class Storage>(std::type_identity<Storage>) {
    for (index const columns : TestFixture::widths()) {
      tall_matrix<Storage> matrix(TestFixture::total_rows, columns, windowed_bytes);
      block const every = TestFixture::all_of(columns);
      for (auto const [first, last] : TestFixture::chunks()) {
        block_reader<T> reader(across, detail::row_view(matrix.view()));
        TestFixture::for_each_tile(first, last, [&](tile here) {
          for (T const padding : {T(-77), -infinity<T>}) {
            strip<T> const found = reader.open(here, every, padding);
            // The same again, as a second sweep asks for it.
            ASSERT_EQ(found.data, reader.open(here, every, padding).data);
            for (index column = 0; column < columns; ++column) {
              for (index lane = 0; lane < TestFixture::tile_rows; ++lane) {
                ASSERT_EQ(
                    found.at(column)[lane],
                    lane < here.rows ? static_cast<T>(number_at(here.first_row + lane, column)) : padding)
                    << here.first_row + lane << ", " << column;
              }
            }
          }
        });
      }
    }
  });
}

TYPED_TEST(windows_test, read_nothing_past_the_chunk_and_skip_tiles) {
  using T = TypeParam;
  index const size = TestFixture::tile_rows, columns = 21;
  tall_matrix<T> matrix(TestFixture::total_rows, columns, windowed_bytes);
  block const every = TestFixture::all_of(columns);
  block_reader<T> reader(across, detail::row_view(matrix.view()));
  index const last = 2 * size;
  auto const first_lane = [&](index row) {
    return reader.open({across, row, size, last}, every, T(0)).at(3)[0];
  };
  EXPECT_EQ(first_lane(0), static_cast<T>(number_at(0, 3)));
  matrix.view()(size, 3) = T(500);
  matrix.view()(last, 3) = T(600);
  EXPECT_EQ(first_lane(size), static_cast<T>(number_at(size, 3)));  // came with the first tile
  EXPECT_EQ(reader.open({across, last, size, last + size}, every, T(0)).at(3)[0], T(600));
  EXPECT_EQ(first_lane(0), static_cast<T>(number_at(0, 3)));  // and back
  index const far = most_window_rows + size;
  EXPECT_EQ(reader.open({across, far, size, TestFixture::total_rows}, every, T(0)).at(3)[0],
            static_cast<T>(number_at(far, 3)));
}

TYPED_TEST(windows_test, write_add_and_stream_chunk_by_chunk) {
  using T = TypeParam;
  struct form {
    bool accumulate;
    index bytes;
  };
  TestFixture::for_each_storage([]<class Storage>(std::type_identity<Storage>) {
    for (form const how : {form{false, windowed_bytes}, form{true, windowed_bytes},
                           form{false, streamed_window_bytes}, form{true, streamed_window_bytes}}) {
      for (index const columns : TestFixture::widths()) {
        tall_matrix<Storage> matrix(TestFixture::total_rows, columns, how.bytes);
        block const every = TestFixture::all_of(columns);
        auto const written = [&](index last) {
          return [last, how](index row, index column) {
            if (row >= last) return number_at(row, column);
            double const corrected = number_at(column, row) + (column == row % 5 ? 2.0 : 0.0);
            return corrected + (how.accumulate ? number_at(row, column) : 0.0);
          };
        };
        for (auto const [first, last] : TestFixture::chunks()) {
          {
            block_writer<T> writer(across, detail::row_view(matrix.view()), how.accumulate);
            TestFixture::for_each_tile(first, last, [&](tile here) {
              auto const target = writer.open(here, every);
              ASSERT_TRUE(target.staged);
              TestFixture::put(target, here, columns,
                               [](index row, index column) { return number_at(column, row); });
              for (index row = 0; row < here.rows; ++row) {
                target.element(row, (here.first_row + row) % 5) += T(2);
              }
              writer.commit(target, here, every);
            });
          }
          ASSERT_NO_FATAL_FAILURE(matrix.expect(written(last)));
        }
      }
    }
  });
}

TYPED_TEST(windows_test, write_over_what_they_read) {
  using T = TypeParam;
  TestFixture::for_each_storage([]<class Storage>(std::type_identity<Storage>) {
    for (bool const accumulate : {false, true}) {
      index const columns = 21;
      tall_matrix<Storage> matrix(TestFixture::total_rows, columns, windowed_bytes);
      block const every = TestFixture::all_of(columns);
      for (auto const [first, last] : TestFixture::chunks()) {
        block_reader<T> reader(across, detail::row_view(matrix.view()));
        block_writer<T> writer(across, detail::row_view(matrix.view()), accumulate);
        TestFixture::for_each_tile(first, last, [&](tile here) {
          strip<T> const found = reader.open(here, every, T(0));
          auto const target = writer.open(here, every);
          for (index column = 0; column < columns; ++column)
            (found[column] + lanes<T>(1)).store(target.at(column));
          writer.commit(target, here, every);
        });
      }
      ASSERT_NO_FATAL_FAILURE(matrix.expect(
          [&](index row, index column) { return number_at(row, column) * (accumulate ? 2.0 : 1.0) + 1.0; }));
    }
  });
}

TYPED_TEST(windows_test, fill_rows_between_tiles) {
  using T = TypeParam;
  TestFixture::for_each_storage([]<class Storage>(std::type_identity<Storage>) {
    // Every second tile, all but every second, the first ones of a chunk, none that is written.
    for (int const pattern : {0, 1, 2, 3}) {
      for (bool const accumulate : {false, true}) {
        index const columns = 17, size = TestFixture::tile_rows;
        tall_matrix<Storage> matrix(TestFixture::total_rows, columns, windowed_bytes);
        block const every = TestFixture::all_of(columns);
        auto const is_filled = [&](index first, index row) {
          index const position = (row - first) / size;
          return pattern == 3 || (pattern == 2 ? position < 3 : position % 2 == pattern);
        };
        std::vector<bool> filled(static_cast<std::size_t>(TestFixture::total_rows), false);
        for (auto const [first, last] : TestFixture::chunks()) {
          block_writer<T> writer(across, detail::row_view(matrix.view()), accumulate);
          TestFixture::for_each_tile(first, last, [&, first = first](tile here) {
            if (is_filled(first, here.first_row)) {
              for (index row = 0; row < here.rows; ++row) {
                writer.fill(here.first_row + row, T(-8));
                filled[static_cast<std::size_t>(here.first_row + row)] = true;
              }
              return;
            }
            auto const target = writer.open(here, every);
            TestFixture::put(target, here, columns,
                             [](index row, index column) { return number_at(column, row); });
            writer.commit(target, here, every);
          });
        }
        ASSERT_NO_FATAL_FAILURE(matrix.expect([&](index row, index column) {
          double const before = number_at(row, column), after = number_at(column, row);
          if (filled[static_cast<std::size_t>(row)]) return accumulate ? before : -8.0;
          return accumulate ? before + after : after;
        }));
      }
    }
  });
}

}  // namespace
}  // namespace distil::simd
