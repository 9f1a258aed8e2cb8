#include "distil/contrastive/info_nce.hpp"

#include "../support/cases/info_nce.hpp"
#include "../support/finite_difference.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(info_nce, pair_suite, in_float_and_double<info_nce_case>);

TEST(info_nce, gives_the_derivative_by_the_temperature) {
  pair_batch<double> b({{7, 5, 1, 1}, {7, 5, 1, 1}});
  for (auto s : info_nce_case::settings()) {
    double slope = 42;
    s.options.temperature_gradient = {&slope, 1};
    (void)info_nce_case::value(serial, b, s);
    auto const at = [&](long double temperature) {
      s.options.temperature = static_cast<double>(temperature);
      return static_cast<long double>(info_nce_case::of(b.student.exact(), b.teacher.exact(), s));
    };
    double const temperature = s.options.temperature;
    double const step = 0x1p-13 * temperature;
    double const expected = static_cast<double>((at(temperature + step) - at(temperature - step)) /
                                                (2 * static_cast<long double>(step)));
    EXPECT_NEAR(slope, expected, 1e-6 * std::abs(expected)) << s.label;
  }
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
