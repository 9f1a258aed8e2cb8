#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "../support/refusal.hpp"
#include "distil/response/adaptive_alpha.hpp"
#include "distil/response/alpha_beta.hpp"
#include "distil/response/amari_alpha.hpp"
#include "distil/response/decoupled_kd.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/fuse.hpp"
#include "distil/response/overlap_hybrid.hpp"
#include "distil/response/pairwise_hinge.hpp"
#include "distil/response/prediction_correlation.hpp"
#include "distil/response/renyi.hpp"

/// Options that are out of range in the type a loss computes in, though not in double.
namespace distil::testing {
namespace {

auto const in_float = detail::computing_type::of<float>();
auto const in_double = detail::computing_type::of<double>();

/// What the options of a loss are refused with, without the loss itself.
template <class Checked>
std::string refusal(Checked const& checked, detail::computing_type type = in_float) {
  return refusal_of([&] { checked.check_numbers("loss", type); });
}

TEST(number_refusals, of_powers) {
  EXPECT_EQ(refusal(renyi_function({.alpha = 1e-50})),
            "distil::loss: alpha is 1e-50, and its inverse is inf in float; it must be finite and > 0");
  EXPECT_EQ(refusal(renyi_function({.alpha = 1e-50}), in_double), "");
  EXPECT_EQ(refusal(amari_alpha_function({.alpha = -1e-40})),
            "distil::loss: alpha is -1e-40, and its inverse is -inf in float; it must be finite");
  EXPECT_EQ(refusal(amari_alpha_function({.alpha = 1e30})),
            "distil::loss: alpha is 1e+30, and its square is inf in float; it must be finite");
  EXPECT_EQ(refusal(amari_alpha_function({.alpha = 0})), "");
  EXPECT_EQ(refusal(alpha_beta_function({.alpha = 1, .beta = 1e-50})),
            "distil::loss: beta is 1e-50, and its inverse is inf in float; it must be finite");
  EXPECT_EQ(refusal(alpha_beta_function({.alpha = 1e-300, .beta = -1e-310}), in_double),
            "distil::loss: beta is -1e-310, and its inverse is -inf in double; it must be finite");
  EXPECT_EQ(refusal(adaptive_alpha_function({.alpha_min = -1e-37})),
            "distil::loss: alpha_min is -1e-37, and ratio_limit / (alpha (alpha - 1)) is inf in float; it "
            "must be finite");
}

TEST(number_refusals, of_factors) {
  EXPECT_EQ(refusal(adaptive_alpha_function({.ratio_limit = 1e50})),
            "distil::loss: ratio_limit is 1e+50, which is inf in float; it must be finite and >= 1");
  EXPECT_EQ(refusal(overlap_hybrid_function({.overlap_decay = 1e50})),
            "distil::loss: overlap_decay is 1e+50, which is inf in float; it must be finite and >= 0");
  EXPECT_EQ(refusal(overlap_hybrid_function({.overlap_decay = 1e-50})), "");
  EXPECT_EQ(refusal_of([] {
              decoupled_kd_definition::check_numbers("loss", {.non_target_weight = 1e50}, in_float);
            }),
            "distil::loss: non_target_weight is 1e+50, which is inf in float; it must be finite and >= 0");
}

/// Through the losses themselves, where the type is that of the arguments.
TEST(number_refusals, of_calls) {
  std::array<float, 4> values = {1, 2, 3, 4};
  std::array<double, 4> wide = {4, 3, 2, 1};
  matrix_view<float> const student(values.data(), 2, 2), teacher = student;
  matrix_view<double> const teacher_in_double(wide.data(), 2, 2);
  EXPECT_EQ(refusal_of([&] { (void)renyi(student, teacher, {.alpha = 1e-50}); }),
            "distil::renyi: alpha is 1e-50, and its inverse is inf in float; it must be finite and > 0");
  std::vector<double> const factors = {1, 1e50};
  EXPECT_EQ(
      refusal_of([&] { (void)forward_kl(student, teacher, {.factor = factors}); }),
      "distil::forward_kl: factor is 1e+50 in row 1, which is inf in float; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { (void)forward_kl(student, teacher_in_double, {.factor = factors}); }), "");
  EXPECT_EQ(refusal_of([&] { (void)fuse(1e50 * forward_kl.term(teacher))(student); }),
            "distil::fuse: coefficient of a term is 1e+50, which is inf in float; it must be finite");
  EXPECT_EQ(refusal_of([&] { (void)pairwise_hinge(student, teacher, {.margin = 1e50}); }),
            "distil::pairwise_hinge: margin is 1e+50, which is inf in float; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { (void)prediction_correlation(student, teacher, {.norm_floor = 1e-50}); }),
            "distil::prediction_correlation: norm_floor is 1e-50, which is 0 in float; it must be finite and "
            ">= 0");
}

/// A batch of two rows, of which the second counts most.
TEST(number_refusals, of_rows) {
  std::array<float, 4> values = {1, 2, 3, 4};
  std::array<double, 4> wide = {4, 3, 2, 1};
  matrix_view<float> const student(values.data(), 2, 2), teacher = student;
  std::vector<double> const weights = {1, 1e30}, small = {1e-310, 1e-310};
  auto const of = [&](row_options const& rows) {
    return refusal_of([&] { (void)forward_kl(student, teacher, {.rows = rows}); });
  };
  EXPECT_EQ(of({.normalizer = 1e-50}),
            "distil::forward_kl: a row's weight over the divisor of all is 1e+50, which is inf in float; it "
            "must be finite");
  EXPECT_EQ(of({.weights = weights, .normalizer = 1e-10}),
            "distil::forward_kl: a row's weight over the divisor of all is 1e+40, which is inf in float; it "
            "must be finite");
  EXPECT_EQ(of({.weights = weights}), "");
  EXPECT_EQ(of({.weights = small}), "");
  EXPECT_EQ(refusal_of([&] {
              (void)forward_kl(student, matrix_view<double>(wide.data(), 2, 2),
                               {.rows = {.normalizer = 1e-50}});
            }),
            "");
}

}  // namespace
}  // namespace distil::testing
