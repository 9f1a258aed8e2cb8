#include "distil/response/norm_kd.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/norm_kd.hpp"
#include "../support/refusal.hpp"
#include "distil/response/logit_standardization.hpp"

namespace distil::testing {
namespace {

row_suites<norm_kd_case> const suites("norm_kd");

TEST(norm_kd, is_logit_standardization_times_the_teachers_variance) {
  batch<double> b(9, 50);
  std::vector<double> normalized(9), standard(9);
  auto const found =
      distil::norm_kd(b.student.view(), b.teacher.view(), {.soft_weight = 1, .rows = {.values = normalized}});
  (void)standardized(forward_kl)(b.student.view(), b.teacher.view(),
                                 {.epsilon = 0, .rows = {.values = standard}});
  for (index r = 0; r < 9; ++r) {
    auto const at = static_cast<std::size_t>(r);
    double const deviation = reference::spread_of(b.teacher.row(r)).deviation;
    EXPECT_NEAR(normalized[at], deviation * deviation * standard[at], 1e-12);
  }
  EXPECT_EQ(found.hard.weight, 0.0);
  EXPECT_EQ(found.soft.weight, 9.0);
  auto const plain = distil::norm_kd(b.student.view(), b.teacher.view(),
                                     {.scale_by_temperature_squared = false, .soft_weight = 1});
  auto const bare = standardized(forward_kl)(b.student.view(), b.teacher.view(),
                                             {.scale_by_temperature_squared = false, .epsilon = 0});
  EXPECT_NEAR(plain.value, bare.value, 1e-13);
}

TEST(norm_kd, takes_rows_without_spread_for_rows_of_deviation_one) {
  batch<double> b(3, 6);
  for (index c = 0; c < 6; ++c) b.student.set(0, c, 1), b.teacher.set(1, c, 2);
  std::vector<double> values(3);
  distil::norm_kd.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(),
                            {.soft_weight = 1, .rows = {.reduce = reduction::sum, .values = values}});
  double const S = 2 * reference::spread_of(b.teacher.row(0)).deviation;
  auto const p = reference::from_logits(b.teacher.row(0), S);
  for (index c = 0; c < 6; ++c) {
    EXPECT_NEAR(b.gradient.at(0, c), S * S / 2 * (1.0 / 6 - p.probability[static_cast<std::size_t>(c)]),
                1e-13);
  }
  for (double const value : values) EXPECT_TRUE(std::isfinite(value));
}

/// Padding at the lowest number: a logit like others. Nothing of it leaves the range of the type, and where the teacher
/// has none, which the factor would magnify, all digits are right.
template <class T>
void expect_moments_in_range(double epsilon_of_type) {
  double const lowest = static_cast<double>(std::numeric_limits<T>::lowest());
  double const padding[4][2] = {{lowest, lowest}, {lowest, 0.25}, {-1e20, -1e20}, {-1e30, 0.5}};
  batch<T> b(4, 8);
  for (index r = 0; r < 4; ++r) {
    for (index c = 6; c < 8; ++c) b.student.set(r, c, padding[r][0]), b.teacher.set(r, c, padding[r][1]);
  }
  std::vector<double> values(4);
  distil::norm_kd.with_grad(b.student.view(), b.teacher.view(), b.labels, b.gradient.view(),
                            {.rows = {.reduce = reduction::sum, .values = values}});
  for (index r = 0; r < 4; ++r) {
    auto const at = static_cast<std::size_t>(r);
    EXPECT_TRUE(std::isfinite(values[at])) << r;
    for (index c = 0; c < 8; ++c) EXPECT_TRUE(std::isfinite(b.gradient.at(r, c))) << r << ", " << c;
    if (r % 2 == 0) continue;
    truth const wanted =
        norm_kd_case::of(b.student.template row<long double>(r), b.teacher.template row<long double>(r),
                         b.labels[at], norm_kd_case::settings()[0]);
    EXPECT_NEAR(values[at], static_cast<double>(wanted.value),
                32 * epsilon_of_type * std::max(wanted.value_scale, static_cast<double>(wanted.value)));
    for (index c = 0; c < 8; ++c) {
      EXPECT_NEAR(b.gradient.at(r, c), static_cast<double>(wanted.gradient[static_cast<std::size_t>(c)]),
                  32 * epsilon_of_type)
          << r << ", " << c;
    }
  }
}
TEST(norm_kd, keeps_moments_in_range_in_float) { expect_moments_in_range<float>(0x1p-23); }
TEST(norm_kd, keeps_moments_in_range_in_double) { expect_moments_in_range<double>(0x1p-52); }

TEST(norm_kd, refuses_under_its_own_name) {
  batch<float> b(3, 4);
  auto const z = b.student.view(), t = b.teacher.view();
  EXPECT_EQ(refusal_of([&] { (void)distil::norm_kd(z, t, b.labels, {.temperature = -1}); }),
            "distil::norm_kd: temperature is -1; it must be within [1e-15, 1e15]");
  EXPECT_EQ(refusal_of([&] { (void)distil::norm_kd(z, t, b.labels, {.soft_weight = -1}); }),
            "distil::norm_kd: soft_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { (void)distil::norm_kd(z, t, b.labels, {.hard_weight = -1}); }),
            "distil::norm_kd: hard_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { (void)distil::norm_kd(z, t, {.hard_weight = -1}); }),
            "");  // there is no hard term
}

}  // namespace
}  // namespace distil::testing
