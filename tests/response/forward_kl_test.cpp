#include "distil/response/forward_kl.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../support/behaviour_suite.hpp"
#include "../support/cases/forward_kl.hpp"

namespace distil::testing {
namespace {

row_suites<forward_kl_case> const suites("forward_kl");

TEST(forward_kl, takes_any_mix_of_element_types) {
  expect_storage<forward_kl_case, bfloat16, bfloat16, bfloat16>();
  expect_storage<forward_kl_case, half, float, half>();
  expect_storage<forward_kl_case, float, half, bfloat16>();
  expect_storage<forward_kl_case, float, double, float>();
  expect_storage<forward_kl_case, double, bfloat16, float>();
}

TEST(forward_kl, streams_a_large_gradient_as_it_writes_a_small_one) {
  index const columns = 130003;  // rows begin off the lines of the caches
  index const rows = simd::streamed_bytes / (4 * columns) + 1;
  batch<float> b(1, columns);
  auto const gradients =
      [&](index count) {  // of the same row, over and over; few rows would be cut into parts
        std::vector<float> gradient(static_cast<std::size_t>(count * columns), 42.0F);
        matrix_view<float const> const student(b.student.view().data, count, columns, 0);
        matrix_view<float const> const teacher(b.teacher.view().data, count, columns, 0);
        forward_kl.with_grad(student, teacher, matrix_view<float>(gradient.data(), count, columns),
                             {.rows = {.reduce = reduction::sum}});
        return gradient;
      };
  std::vector<float> const streamed = gradients(rows), stored = gradients(simd::few_rows);
  for (index r = 0; r < rows; ++r) {
    for (index c = 0; c < columns; ++c) {
      ASSERT_EQ(streamed[static_cast<std::size_t>(r * columns + c)], stored[static_cast<std::size_t>(c)])
          << r << ", " << c;
    }
  }
}

/// What a mean over 4096 tokens and a vocabulary leave of a gradient is mostly less than the least number of `half`.
TEST(forward_kl, has_16_bit_gradients_that_a_loss_scale_keeps) {
  constexpr index rows = 8, columns = 2000;
  batch<float, float, double> exact(rows, columns, 4.0);
  batch<float, float, half> b(rows, columns, 4.0);
  row_options const of_tokens{.normalizer = 4096};
  forward_kl.with_grad(exact.student.view(), exact.teacher.view(), exact.gradient.view(),
                       {.rows = of_tokens});
  struct found {
    int flushed = 0;       // to 0
    double largest_error;  // of an element of more than 2^-30, relative
  };
  auto const with_scale = [&](double scale) {
    row_options scaled = of_tokens;
    scaled.coefficients = scale;
    double const value =
        forward_kl.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), {.rows = scaled});
    EXPECT_NEAR(value / scale, forward_kl(b.student.view(), b.teacher.view(), {.rows = of_tokens}), 1e-9);
    found result{};
    for (index r = 0; r < rows; ++r) {
      for (index c = 0; c < columns; ++c) {
        double const wanted = exact.gradient.at(r, c), unscaled = b.gradient.at(r, c) / scale;
        if (wanted != 0.0 && unscaled == 0.0) ++result.flushed;
        if (std::abs(wanted) < 0x1p-30) continue;
        result.largest_error = std::max(result.largest_error, std::abs(unscaled / wanted - 1.0));
      }
    }
    return result;
  };
  found const plain = with_scale(1.0), scaled = with_scale(65536.0);
  EXPECT_GT(plain.flushed, rows * columns / 4);
  EXPECT_EQ(plain.largest_error, 1.0);
  EXPECT_LT(scaled.flushed, rows * columns / 50);
  EXPECT_LT(scaled.largest_error, 0x1p-8);
}

}  // namespace
}  // namespace distil::testing
