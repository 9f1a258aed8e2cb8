#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "../support/refusal.hpp"
#include "distil/feature/activation_boundaries.hpp"
#include "distil/feature/attention_guided.hpp"
#include "distil/feature/hint.hpp"
#include "distil/feature/linear_projector.hpp"
#include "distil/feature/neuron_selectivity.hpp"
#include "distil/feature/overhaul.hpp"
#include "distil/feature/softmax_regression.hpp"
#include "distil/feature/variational_information.hpp"
#include "distil/matrix/sum_over_layers.hpp"

/// Options that are out of range in the type a loss computes in, though not in double.
namespace distil::testing {
namespace {

class feature_refusals : public ::testing::Test {
 protected:
  std::array<float, 8> student_values = {1, 2, 3, 4, 5, 6, 7, 8}, teacher_values = {};
  matrix_view<float> student{student_values.data(), 2, 4}, teacher{teacher_values.data(), 2, 4};

  template <class Loss, class Options>
  std::string refusal(Loss const& loss, Options const& options) {
    return refusal_of([&] { (void)loss(student, teacher, options); });
  }
};

TEST_F(feature_refusals, of_numbers_that_vanish_in_float) {
  EXPECT_EQ(refusal(hint, hint_options{.distance = hint_distance::smooth_l1, .beta = 1e-50}),
            "distil::hint: beta is 1e-50, which is 0 in float; it must be finite and > 0");
  EXPECT_EQ(refusal(hint, hint_options{.distance = hint_distance::smooth_l1, .beta = 1e-40}),
            "distil::hint: beta is 1e-40, which is subnormal in float; it must be finite and > 0");
  EXPECT_EQ(
      refusal(neuron_selectivity, neuron_selectivity_options{.variance = 1e50}),
      "distil::neuron_selectivity: variance is 1e+50, and its inverse is 0 in float; it must be finite and "
      "> 0");
}

TEST_F(feature_refusals, of_numbers_that_overflow_in_float) {
  EXPECT_EQ(refusal(hint, hint_options{.beta = 1e50}),
            "distil::hint: beta is 1e+50, which is inf in float; it must be finite and > 0");
  EXPECT_EQ(
      refusal(neuron_selectivity, neuron_selectivity_options{.variance = 1e-50}),
      "distil::neuron_selectivity: variance is 1e-50, and its inverse is inf in float; it must be finite and "
      "> 0");
  EXPECT_EQ(refusal(activation_boundaries, activation_boundaries_options{.margin = 1e30}),
            "distil::activation_boundaries: margin is 1e+30, and margin^2 is inf in float; it must be finite "
            "and >= 0");
  EXPECT_EQ(refusal(activation_boundaries, activation_boundaries_options{.divisor = 1e-50}),
            "distil::activation_boundaries: divisor is 1e-50, and its inverse is inf in float; it must be "
            "finite and > 0");
  EXPECT_EQ(refusal(overhaul, overhaul_options{.margins = -1e30}),
            "distil::overhaul: margins is -1e+30 at 0, and margin^2 is inf in float; it must be finite");
  EXPECT_EQ(refusal(overhaul, overhaul_options{.divisor = 1e-50}),
            "distil::overhaul: divisor is 1e-50, and its inverse is inf in float; it must be finite and > 0");
  EXPECT_EQ(
      refusal(attention_guided, attention_guided_options{.spatial_weight = 1e39}),
      "distil::attention_guided: spatial_weight is 1e+39, which is inf in float; it must be finite and >= 0");
  EXPECT_EQ(
      refusal_of([&] { (void)softmax_regression(student, teacher, student, {.feature_weight = 1e39}); }),
      "distil::softmax_regression: feature_weight is 1e+39, which is inf in float; it must be finite and >= "
      "0");
}

TEST_F(feature_refusals, of_a_bias_beyond_float) {
  std::array<float, 4> weight = {1, 2, 3, 4};
  std::array<double, 1> const bias = {1e50};
  EXPECT_EQ(refusal_of([&] {
              linear_projector(student, matrix_view<float>(weight.data(), 1, 4),
                               matrix_view<float>(teacher_values.data(), 2, 1), {.bias = bias});
            }),
            "distil::linear_projector: bias is 1e+50 at 0, and that is inf in float; it must be finite");
  EXPECT_EQ(teacher_values[0], 0.0F);
}

TEST_F(feature_refusals, of_a_layer_weight_beyond_float) {
  std::vector<layer_match> const matches = {{.student = 0, .teacher = 0, .weight = 1e50}};
  std::vector<matrix_view<float>> const gradients = {teacher};
  EXPECT_EQ(refusal_of([&] {
              (void)sum_over_layers.with_grad(matches, gradients,
                                              [](auto const&, auto const&) { return loss_value(); });
            }),
            "distil::sum_over_layers: weight is 1e+50, which is inf in float; it must be finite and >= 0");
}

TEST_F(feature_refusals, of_a_variance_without_an_inverse_in_float) {
  variational_information_options options{.variance_parameter = -200, .epsilon = 1e-60};
  EXPECT_EQ(refusal(variational_information, options),
            "distil::variational_information: variance_parameter is -200 at 0, and 1 / variance is inf in "
            "float; it must be finite");
}

TEST_F(feature_refusals, of_nothing_that_the_type_has) {
  EXPECT_EQ(refusal(hint, hint_options{.distance = hint_distance::smooth_l1, .beta = 1e-37}), "");
  EXPECT_EQ(refusal(activation_boundaries, activation_boundaries_options{.margin = 1e-50}), "");
  EXPECT_EQ(refusal(overhaul, overhaul_options{.margins = -1e-50}), "");
  EXPECT_EQ(refusal(attention_guided, attention_guided_options{.masked_weight = 1e-50}), "");
  matrix_view<float> const as_it_was = student;
  std::array<double, 8> wide = {1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(refusal_of([&] {
              (void)hint(matrix_view<double>(wide.data(), 2, 4), as_it_was,
                         {.distance = hint_distance::smooth_l1, .beta = 1e-50});
            }),
            "");
}

}  // namespace
}  // namespace distil::testing
