#include "distil/matrix/pairwise_distances.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "../support/batches.hpp"
#include "distil/matrix/add_transpose.hpp"

namespace distil::testing {
namespace {

detail::any_policy const serially(serial);

template <class T>
std::vector<T> random_rows(index rows, index columns, T offset, std::uint64_t seed) {
  numbers random(seed);
  std::vector<T> x(static_cast<std::size_t>(rows * columns));
  for (T& element : x) element = offset + static_cast<T>(2 * random.next());
  return x;
}

template <class T>
class pairwise_distances : public ::testing::Test {};
using types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(pairwise_distances, types);

TYPED_TEST(pairwise_distances, are_those_of_the_differences_near_or_far) {
  using T = TypeParam;
  for (index const rows : {1, 2, 7, 33}) {
    for (index const columns : {1, 5, 70}) {
      // Far from the origin, with a duplicate and two near pairs.
      std::vector<T> x = random_rows<T>(rows, columns, T(64), 3);
      matrix_view<T> const view(x.data(), rows, columns);
      auto const copy = [&](index from, index to, T moved) {
        for (index c = 0; c < columns; ++c) view(to, c) = view(from, c);
        view(to, 0) += moved;
      };
      if (rows > 6) copy(0, 6, T(0)), copy(1, 5, T(1) / T(128)), copy(2, 4, T(1) / T(8));
      std::vector<T> centred(x.size()), squared(static_cast<std::size_t>(rows * rows)),
          squares(static_cast<std::size_t>(rows));
      matrix_view<T> const c(centred.data(), rows, columns), q(squared.data(), rows, rows);
      kernels::centre_rows<T>(serially, view, c);
      kernels::squared_distances<T>(serially, c, q, squares.data());
      for (index i = 0; i < rows; ++i) {
        for (index j = 0; j < rows; ++j) {
          long double exact = 0;
          for (index k = 0; k < columns; ++k) {
            long double const d = static_cast<long double>(view(i, k)) - view(j, k);
            exact += d * d;
          }
          // The centred rows are rounded, which a near pair feels.
          auto const epsilon = static_cast<long double>(std::numeric_limits<T>::epsilon());
          long double const allowed =
              64 * epsilon * exact + 8 * epsilon * std::sqrt(exact * static_cast<long double>(columns));
          EXPECT_NEAR(static_cast<double>(q(i, j)), static_cast<double>(exact), static_cast<double>(allowed))
              << i << ", " << j;
          if (exact == 0) {
            EXPECT_EQ(q(i, j), T(0));
          }
        }
      }
    }
  }
}

TYPED_TEST(pairwise_distances, give_back_a_sum_over_differences) {
  using T = TypeParam;
  index const rows = 19, columns = 21;
  std::vector<T> x = random_rows<T>(rows, columns, T(0), 5);
  matrix_view<T> const view(x.data(), rows, columns);
  for (index c = 0; c < columns; ++c) view(7, c) = view(3, c) + T(1) / T(1024), view(8, c) = view(4, c);
  std::vector<T> centred(x.size()), squared(static_cast<std::size_t>(rows * rows)),
      squares(static_cast<std::size_t>(rows)), gradient(x.size());
  std::vector<T> weights = random_rows<T>(rows, rows, T(0), 6);
  matrix_view<T> const c(centred.data(), rows, columns), q(squared.data(), rows, rows),
      w(weights.data(), rows, rows), g(gradient.data(), rows, columns);
  w(3, 7) = T(4096);  // of a near pair, which others must not feel
  std::vector<T> const before = weights;
  kernels::centre_rows<T>(serially, view, c);
  kernels::squared_distances<T>(serially, c, q, squares.data());
  kernels::pull_back_distances<T>(serially, c, q, squares.data(), w, g);
  for (index i = 0; i < rows; ++i) {
    for (index k = 0; k < columns; ++k) {
      long double exact = 0;
      for (index j = 0; j < rows; ++j) {
        exact += static_cast<long double>(before[static_cast<std::size_t>(i * rows + j)]) *
                 (static_cast<long double>(c(i, k)) - c(j, k));
      }
      EXPECT_NEAR(static_cast<double>(g(i, k)), static_cast<double>(exact),
                  128 * static_cast<double>(std::numeric_limits<T>::epsilon()))
          << i << ", " << k;
    }
  }
}

TYPED_TEST(pairwise_distances, vanish_where_all_rows_are_the_same) {
  using T = TypeParam;
  std::vector<T> x(30, T(0.1F)), centred(30, T(7));
  kernels::centre_rows<T>(serially, {x.data(), 10, 3}, {centred.data(), 10, 3});
  for (T const element : centred) EXPECT_EQ(element, T(0));
}

TYPED_TEST(pairwise_distances, pass_on_nan) {
  using T = TypeParam;
  std::vector<T> x = random_rows<T>(9, 4, T(0), 8), squared(81), squares(9);
  x[5] = std::numeric_limits<T>::quiet_NaN();
  kernels::squared_distances<T>(serially, {x.data(), 9, 4}, {squared.data(), 9, 9}, squares.data());
  for (index j = 0; j < 9; ++j) EXPECT_TRUE(std::isnan(squared[static_cast<std::size_t>(9 + j)]));
  EXPECT_FALSE(std::isnan(squared[2]));
}

TYPED_TEST(pairwise_distances, add_transpose_makes_symmetric) {
  using T = TypeParam;
  for (index const rows : {1, 15, 16, 17, 50}) {
    std::vector<T> a = random_rows<T>(rows, rows, T(0), 9);
    std::vector<T> const before = a;
    matrix_view<T> const view(a.data(), rows, rows);
    kernels::add_transpose<T>(serially, view);
    for (index i = 0; i < rows; ++i) {
      for (index j = 0; j < rows; ++j) {
        EXPECT_EQ(view(i, j), before[static_cast<std::size_t>(i * rows + j)] +
                                  before[static_cast<std::size_t>(j * rows + i)]);
      }
    }
  }
}

}  // namespace
}  // namespace distil::testing
