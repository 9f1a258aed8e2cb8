#include "distil/sweep/blocks.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../support/batches.hpp"

namespace distil::simd {
namespace {

using testing::layout;
using testing::owned_matrix;

constexpr layout every_layout[] = {layout::row_major, layout::padded, layout::class_major,
                                   layout::every_other};

/// Small whole numbers, exact in every storage type, and their sums too.
double number_at(index row, index column) { return static_cast<double>((31 * row + 7 * column) % 61 - 30); }

struct shape {
  index rows, columns;
};

template <class T>
class blocks_test : public ::testing::Test {
 protected:
  static constexpr index size = lanes<T>::size;

  /// Where registers, blocks and tiles begin and end.
  static std::vector<shape> shapes() {
    return {{1, 1},
            {2, 2 * size - 1},
            {2 * size - 1, 1},
            {1, size},
            {2, size + 1},
            {size, 3},
            {size + 1, 2 * size},
            {2 * size + 3, 5},
            {2, block_elements},
            {3, block_elements + size + 3}};
  }

  /// Walks a matrix as the sweeps do.
  template <class Visit>
  static void for_each_block(axis way, index rows, index columns, Visit const& visit) {
    index const tile_rows = way.tile_rows<T>();
    for (index row = 0; row < rows; row += tile_rows) {
      tile const here{way, row, std::min(tile_rows, rows - row)};
      for (index column = 0; column < columns;) {
        block const next = way.next<T>(column, columns);
        visit(here, next);
        column += next.columns;
      }
    }
  }

  /// Calls `visit(register of the block, lane, row, column)` for every lane; row or column lie past the end
  /// in padding.
  template <class Visit>
  static void for_each_lane(tile rows, block columns, Visit const& visit) {
    bool const is_along = !rows.axis.across;
    for (index k = 0; k < columns.steps; ++k) {
      for (index lane = 0; lane < size; ++lane) {
        index const row = is_along ? 0 : lane;
        index const column = is_along ? k * size + lane : k;
        bool const inside = row < rows.rows && column < columns.columns;
        visit(k, lane, inside, rows.first_row + row, columns.first_column + column);
      }
    }
  }

  template <class Storage>
  static owned_matrix<Storage> numbered(index rows, index columns, layout order) {
    owned_matrix<Storage> matrix(rows, columns, order);
    for (index row = 0; row < rows; ++row) {
      for (index column = 0; column < columns; ++column) matrix.set(row, column, number_at(row, column));
    }
    return matrix;
  }

  /// Rows so short that lanes run across them, tiles that are whole and tiles that are not.
  static std::vector<shape> short_rows() {
    std::vector<shape> result;
    for (index const columns : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 21, 40}) {
      for (index rows = 1; rows <= size; ++rows) result.push_back({rows, columns});
      result.push_back({size + 1, columns});
    }
    return result;
  }

  template <class Storage>
  static void expect_reads(axis way, std::vector<shape> const& shapes) {
    for (shape const& each : shapes) {
      index const rows = each.rows, columns = each.columns;
      for (layout const order : every_layout) {
        owned_matrix<Storage> const matrix = numbered<Storage>(rows, columns, order);
        block_reader<T> reader(way, matrix.pixels());
        for (T const padding : {T(-77), -infinity<T>}) {
          for_each_block(way, rows, columns, [&](tile here, block next) {
            strip<T> const found = reader.open(here, next, padding);
            for_each_lane(here, next, [&](index k, index lane, bool inside, index row, index column) {
              std::array<T, static_cast<std::size_t>(size)> values;
              found.from(k, k == next.whole)[0].store(values.data());
              ASSERT_EQ(values[static_cast<std::size_t>(lane)],
                        inside ? static_cast<T>(number_at(row, column)) : padding)
                  << name_of(order) << " " << rows << "x" << columns << " at " << row << ", " << column;
            });
          });
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }

  template <class Storage>
  static void expect_writes(axis way, std::vector<shape> const& shapes, bool accumulate) {
    for (shape const& each : shapes) {
      index const rows = each.rows, columns = each.columns;
      for (layout const order : every_layout) {
        owned_matrix<Storage> matrix = numbered<Storage>(rows, columns, order);
        block_writer<T> writer(way, matrix.pixels(), accumulate);
        for_each_block(way, rows, columns, [&](tile here, block next) {
          auto const target = writer.open(here, next);
          ASSERT_TRUE(target.staged || !accumulate);
          for_each_lane(here, next, [&](index k, index lane, bool inside, index row, index column) {
            target.from(k, k == next.whole).at(0)[lane] =
                inside ? static_cast<T>(number_at(column, row)) : T(1000);
          });
          writer.commit(target, here, next);
        });
        for (index row = 0; row < rows; ++row) {
          for (index column = 0; column < columns; ++column) {
            ASSERT_EQ(matrix.at(row, column),
                      number_at(column, row) + (accumulate ? number_at(row, column) : 0.0))
                << name_of(order) << " " << rows << "x" << columns << " at " << row << ", " << column;
          }
        }
        ASSERT_EQ(matrix.damaged_guards(), 0) << name_of(order) << " " << rows << "x" << columns;
      }
    }
  }

  /// One check for both axes and every storage type.
  template <class Check>
  static void for_each_axis_and_storage(Check const& check) {
    auto const both = [&]<class Storage>(std::type_identity<Storage> storage) {
      check(along, storage);
      check(across, storage);
    };
    both(std::type_identity<float>());
    both(std::type_identity<double>());
    both(std::type_identity<half>());
    both(std::type_identity<bfloat16>());
  }
};

using arithmetic = ::testing::Types<float, double>;
TYPED_TEST_SUITE(blocks_test, arithmetic);

TYPED_TEST(blocks_test, cut_a_row_into_blocks_that_are_whole_but_for_the_last) {
  using T = TypeParam;
  for (index columns = 1; columns <= 3 * block_elements; columns += 7) {
    index covered = 0;
    while (covered < columns) {
      block const next = along.next<T>(covered, columns);
      ASSERT_EQ(next.first_column, covered);
      ASSERT_GT(next.columns, 0);
      ASSERT_LE(next.columns, block_elements);
      ASSERT_TRUE(next.columns == block_elements || covered + next.columns == columns);
      ASSERT_EQ(next.steps, (next.columns + TestFixture::size - 1) / TestFixture::size);
      ASSERT_EQ(next.whole, next.columns / TestFixture::size);
      covered += next.columns;
    }
    ASSERT_EQ(covered, columns);
  }
}

TYPED_TEST(blocks_test, cut_a_tile_into_one_register_a_class) {
  using T = TypeParam;
  for (index columns = 1; columns <= 3 * across.block_columns<T>(); columns += 3) {
    index covered = 0;
    while (covered < columns) {
      block const next = across.next<T>(covered, columns);
      ASSERT_EQ(next.first_column, covered);
      ASSERT_GT(next.columns, 0);
      ASSERT_LE(next.columns * TestFixture::size, block_elements);
      ASSERT_EQ(next.steps, next.columns);
      ASSERT_EQ(next.whole, next.columns);
      covered += next.columns;
    }
    ASSERT_EQ(covered, columns);
  }
}

TYPED_TEST(blocks_test, read_every_layout_and_element_type_with_padding) {
  TestFixture::for_each_axis_and_storage([]<class Storage>(axis way, std::type_identity<Storage>) {
    TestFixture::template expect_reads<Storage>(way, TestFixture::shapes());
  });
}

TYPED_TEST(blocks_test, write_every_layout_and_element_type_and_nothing_else) {
  TestFixture::for_each_axis_and_storage([]<class Storage>(axis way, std::type_identity<Storage>) {
    TestFixture::template expect_writes<Storage>(way, TestFixture::shapes(), false);
  });
}

TYPED_TEST(blocks_test, add_to_every_layout_and_element_type) {
  TestFixture::for_each_axis_and_storage([]<class Storage>(axis way, std::type_identity<Storage>) {
    TestFixture::template expect_writes<Storage>(way, TestFixture::shapes(), true);
  });
}

TYPED_TEST(blocks_test, bring_tiles_of_short_rows_to_the_lanes_and_back) {
  TestFixture::for_each_axis_and_storage([]<class Storage>(axis way, std::type_identity<Storage>) {
    TestFixture::template expect_reads<Storage>(way, TestFixture::short_rows());
    TestFixture::template expect_writes<Storage>(way, TestFixture::short_rows(), false);
    TestFixture::template expect_writes<Storage>(way, TestFixture::short_rows(), true);
  });
}

TYPED_TEST(blocks_test, stream_large_gradients_of_every_element_type) {
  // Only the first rows of the matrix exist.
  using T = TypeParam;
  auto const expect_streamed = []<class Storage>(std::type_identity<Storage>) {
    index const columns = block_elements + 37, rows = 3;
    std::vector<Storage> cells(static_cast<std::size_t>(rows * columns + 2), Storage(-7.0F));
    matrix_view<Storage> const matrix(cells.data() + 1, streamed_bytes, columns);
    {
      block_writer<T> writer(along, detail::row_view(matrix), false);
      TestFixture::for_each_block(along, rows, columns, [&](tile here, block next) {
        auto const target = writer.open(here, next);
        ASSERT_TRUE(target.staged);
        for (index column = 0; column < next.columns; ++column) {
          target.element(0, column) = static_cast<T>(number_at(here.first_row, next.first_column + column));
        }
        writer.commit(target, here, next);
      });
    }
    for (index row = 0; row < rows; ++row) {
      for (index column = 0; column < columns; ++column) {
        ASSERT_EQ(static_cast<double>(static_cast<arithmetic_t<Storage>>(matrix(row, column))),
                  number_at(row, column))
            << row << ", " << column;
      }
    }
    EXPECT_EQ(static_cast<float>(cells.front()), -7.0F);
    EXPECT_EQ(static_cast<float>(cells.back()), -7.0F);
  };
  expect_streamed(std::type_identity<float>());
  expect_streamed(std::type_identity<double>());
  expect_streamed(std::type_identity<half>());
  expect_streamed(std::type_identity<bfloat16>());
}

TYPED_TEST(blocks_test, load_in_place_what_lies_as_registers_do) {
  using T = TypeParam;
  index const width = TestFixture::size;
  auto rows = TestFixture::template numbered<T>(width, 2 * width, layout::padded);
  block_reader<T> along_rows(along, rows.pixels());
  EXPECT_EQ(along_rows.open({along, 3 % width, 1}, {width, width, 1, 1, width}, T(0)).data,
            &rows.pixels()(3 % width, width));
  block_writer<T> write_rows(along, rows.pixels(), false);
  EXPECT_EQ(write_rows.open({along, 0, 1}, {0, 2 * width, 2, 2, width}).data, &rows.pixels()(0, 0));
  auto classes = TestFixture::template numbered<T>(2 * width, 5, layout::class_major);
  block_reader<T> across_rows(across, classes.pixels());
  EXPECT_EQ(across_rows.open({across, width, width}, {1, 4, 4, 4, 1}, T(0)).data,
            &classes.pixels()(width, 1));
}

TYPED_TEST(blocks_test, fill_a_row_unless_gradients_are_added) {
  using T = TypeParam;
  for (layout const order : every_layout) {
    for (bool const accumulate : {false, true}) {
      auto matrix = TestFixture::template numbered<bfloat16>(3, 9, order);
      block_writer<T> writer(along, matrix.pixels(), accumulate);
      writer.fill(1, T(-8));
      for (index row = 0; row < 3; ++row) {
        for (index column = 0; column < 9; ++column) {
          EXPECT_EQ(matrix.at(row, column), row == 1 && !accumulate ? -8.0 : number_at(row, column));
        }
      }
      EXPECT_EQ(matrix.damaged_guards(), 0);
    }
  }
}

TYPED_TEST(blocks_test, read_one_value_a_class_for_every_row) {
  using T = TypeParam;
  index const columns = block_elements + 3;
  std::vector<float> values;
  for (index column = 0; column < columns; ++column)
    values.push_back(static_cast<float>(number_at(1, column)));
  auto const expect_classes = [&](axis way, float const* from) {
    class_reader<T, float> reader(way, from);
    TestFixture::for_each_block(way, TestFixture::size, columns, [&](tile here, block next) {
      strip<T> const found = reader.open(next, T(-77));
      TestFixture::for_each_lane(here, next, [&](index k, index lane, bool inside, index, index column) {
        T const expected = !inside ? T(-77) : from == nullptr ? T(1) : static_cast<T>(number_at(1, column));
        ASSERT_EQ(found.data[k * found.step + lane], expected) << column;
      });
    });
  };
  for (float const* from : {static_cast<float const*>(nullptr), static_cast<float const*>(values.data())}) {
    expect_classes(along, from);
    expect_classes(across, from);
  }
}

TYPED_TEST(blocks_test, values_per_class_do_not_depend_on_what_was_read_before) {
  using T = TypeParam;
  index const width = TestFixture::size;
  std::vector<bfloat16> values;
  for (index column = 0; column < 3 * block_elements; ++column) {
    values.push_back(bfloat16(static_cast<float>(number_at(2, column))));
  }
  struct request {
    index first_column, columns;
    T padding;
  };
  index const widest = along.block_columns<T>();
  std::vector<request> const requests{{0, widest, T(-1)},     {0, widest, T(-1)},
                                      {0, width + 1, T(-1)},  {0, width + 1, T(-2)},
                                      {5, width + 1, T(-2)},  {5, 1, T(-2)},
                                      {0, 3 * width, T(-2)},  {0, 2 * width + 1, T(0)},
                                      {widest, widest, T(0)}, {0, 2 * width + 1, T(0)},
                                      {0, 1, T(0)},           {7, widest, -infinity<T>},
                                      {7, 2, -infinity<T>}};
  auto const expect_requested = [&](axis way, bfloat16 const* from) {
    class_reader<T, bfloat16> reader(way, from);
    for (request const& asked : requests) {
      block const next = way.next<T>(asked.first_column, asked.first_column + asked.columns);
      strip<T> const found = reader.open(next, asked.padding);
      TestFixture::for_each_lane(
          {way, 0, way.tile_rows<T>()}, next, [&](index k, index lane, bool inside, index, index column) {
            T const expected = !inside           ? asked.padding
                               : from == nullptr ? T(1)
                                                 : static_cast<T>(number_at(2, column));
            std::array<T, static_cast<std::size_t>(TestFixture::size)> here;
            found[k].store(here.data());
            ASSERT_EQ(here[static_cast<std::size_t>(lane)], expected) << column << " of " << next.columns;
          });
    }
  };
  for (bfloat16 const* from :
       {static_cast<bfloat16 const*>(nullptr), static_cast<bfloat16 const*>(values.data())}) {
    expect_requested(along, from);
    expect_requested(across, from);
  }
}

TYPED_TEST(blocks_test, values_per_row_fill_the_lanes_of_their_rows) {
  using T = TypeParam;
  auto const value = [](index row) { return 2.0 * static_cast<double>(row) + 1.0; };
  std::array<T, static_cast<std::size_t>(TestFixture::size)> found;
  tile{along, 5, 1}.per_row<T>(value).store(found.data());
  for (T const lane : found) EXPECT_EQ(lane, T(11));
  for (index rows = 1; rows <= TestFixture::size; ++rows) {
    tile{across, 5, rows}.per_row<T>(value).store(found.data());
    for (index row = 0; row < TestFixture::size; ++row) {
      EXPECT_EQ(found[static_cast<std::size_t>(row)], row < rows ? static_cast<T>(value(5 + row)) : T(0));
    }
  }
}

}  // namespace
}  // namespace distil::simd
