#include "distil/contrastive/info_nce.hpp"

#include "../support/cases/info_nce.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<info_nce_case> const suites("info_nce");

TEST(info_nce, gives_the_derivative_by_the_temperature) {
  expect_slope_by<info_nce_case, double>(
      &info_nce_options::temperature, &info_nce_options::temperature_gradient, {{7, 5, 1, 1}, {7, 5, 1, 1}});
  expect_slope_by<info_nce_case, float>(
      &info_nce_options::temperature, &info_nce_options::temperature_gradient, {{7, 5, 1, 1}, {7, 5, 1, 1}});
}

TEST(info_nce, is_least_where_each_finds_its_own) {
  pair_batch<float> b({{6, 8, 1, 1}, {6, 8, 1, 1}});
  double const unlike = info_nce(b.student.matrix(), b.teacher.matrix());
  EXPECT_LT(info_nce(b.teacher.matrix(), b.teacher.matrix()), unlike);
  // Alike among themselves, they find one as well as another.
  b.student.fill(1.0), b.teacher.fill(1.0);
  EXPECT_NEAR(info_nce(b.student.matrix(), b.teacher.matrix()), std::log(6.0), 1e-6);
}

TEST(info_nce, refuses) {
  pair_batch<float> b({{3, 5, 1, 1}, {3, 4, 1, 1}});
  EXPECT_EQ(refusal_of([&] { (void)info_nce(b.student.matrix(), b.teacher.matrix()); }),
            "distil::info_nce: teacher is 4 features wide; it must be 5 features wide, as the student");
  EXPECT_EQ(refusal_of([&] { (void)info_nce(b.student.matrix(), b.student.matrix(), {.temperature = 0}); }),
            "distil::info_nce: temperature is 0; it must be within [1e-15, 1e15]");
}

}  // namespace
}  // namespace distil::testing
