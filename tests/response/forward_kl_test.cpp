#include "distil/response/forward_kl.hpp"

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

}  // namespace
}  // namespace distil::testing
