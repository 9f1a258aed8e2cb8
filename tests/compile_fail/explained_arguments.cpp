// Calls that fit no form of a loss: each is refused with one message, and at most 12 lines of text in all.
// 1: gradient missing, or other arguments than this loss takes
// 2: gradient missing, or other arguments than this loss takes
// 3: labels must be integers, one per row
// 4: numbers without a shape. Pass distil::matrix_view\(data, rows, columns\)
// 5: numbers without a shape. Pass distil::matrix_view\(data, rows, columns\)
// 6: other arguments than this loss takes
// 7: numbers without a shape. Pass distil::matrix_view\(data, rows, columns\)
#include <distil/response.hpp>

#include <vector>

double call(distil::matrix_view<float> logits, float* data, std::vector<int> const& labels,
            std::vector<float> const& numbers) {
  (void)data;
  (void)numbers;
#if DISTIL_EXPECT_FAILURE == 1
  return distil::forward_kl.with_grad(logits, logits);
#elif DISTIL_EXPECT_FAILURE == 2
  return distil::hinton_kd.with_grad(logits, logits, labels);
#elif DISTIL_EXPECT_FAILURE == 3
  return distil::hinton_kd.with_grad(logits, logits, numbers, logits);
#elif DISTIL_EXPECT_FAILURE == 4
  return distil::decoupled_kd(logits, data, labels);
#elif DISTIL_EXPECT_FAILURE == 5
  return distil::forward_kl(distil::parallel, numbers, logits);
#elif DISTIL_EXPECT_FAILURE == 6
  return distil::prediction_correlation(logits);
#elif DISTIL_EXPECT_FAILURE == 7
  return distil::hinton_kd(distil::parallel, logits, data, labels);
#else
  return distil::hinton_kd.with_grad(logits, logits, labels, logits);
#endif
}
