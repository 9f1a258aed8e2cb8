#include "distil/response/forward_kl.hpp"

#include "../support/behaviour_suite.hpp"

namespace distil::testing {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(forward_kl, response_suite, in_float_and_double<forward_kl_case>);
INSTANTIATE_TYPED_TEST_SUITE_P(forward_kl, behaviour_suite, in_float_and_double<forward_kl_case>);

TEST(forward_kl, streams_a_large_gradient_as_it_writes_a_small_one) {
  index const columns = 130003;  // rows begin off the lines of the caches
  index const rows = simd::streamed_bytes / (4 * columns) + 1;
  batch<float> b(1, columns);
  std::vector<float> gradient(static_cast<std::size_t>(rows * columns), 42.0F);
  matrix_view<float const> const repeated_z(b.student.view().data, rows, columns, 0);
  matrix_view<float const> const repeated_t(b.teacher.view().data, rows, columns, 0);
  forward_kl.with_grad(repeated_z, repeated_t, matrix_view<float>(gradient.data(), rows, columns),
                       {.rows = {.reduce = reduction::sum}});
  forward_kl.with_grad(b.student.view(), b.teacher.view(), b.gradient.view());
  for (index r = 0; r < rows; ++r) {
    for (index c = 0; c < columns; ++c) {
      ASSERT_EQ(gradient[static_cast<std::size_t>(r * columns + c)], static_cast<float>(b.gradient.at(0, c)))
          << r << ", " << c;
    }
  }
}

}  // namespace
}  // namespace distil::testing
