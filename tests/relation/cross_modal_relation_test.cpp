#include "distil/relation/cross_modal_relation.hpp"

#include "../support/cases/cross_modal_relation.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<cross_modal_relation_case> const suites("cross_modal_relation");

TEST(cross_modal_relation, is_nothing_where_the_modalities_agree) {
  pair_batch<double> b({{7, 9, 1, 1}, {7, 9, 1, 1}});
  b.teacher.fill(
      [&](index n, index c, index, index) { return static_cast<double>(n + 1) * b.student.at(n, c); });
  EXPECT_NEAR(cross_modal_relation.with_grad(b.student.matrix(), b.teacher.matrix(), b.gradient.matrix()),
              0.0, 1e-14);
  for_each_element(b.gradient.shape(), [&](index n, index c, index y, index x) {
    EXPECT_NEAR(b.gradient.at(n, c, y, x), 0.0, 1e-12);
  });
}

TEST(cross_modal_relation, within_the_student_does_not_see_its_rotation) {
  pair_batch<double> b({{7, 4, 1, 1}, {7, 4, 1, 1}});
  b.teacher.fill([&](index n, index c, index, index) { return b.student.at(n, (c + 1) % 4); });
  EXPECT_NEAR(cross_modal_relation(b.student.matrix(), b.teacher.matrix(), {.cross_weight = 0}), 0.0, 1e-13);
  EXPECT_GT(cross_modal_relation(b.student.matrix(), b.teacher.matrix(), {.intra_weight = 0}), 0.1);
}

TEST(cross_modal_relation, refuses_options_out_of_range) {
  pair_batch<float> b({{3, 2, 1, 1}, {3, 2, 1, 1}});
  auto const refusal = [&](cross_modal_relation_options const& options) {
    return refusal_of([&] { (void)cross_modal_relation(b.student.matrix(), b.teacher.matrix(), options); });
  };
  std::string const prefix = "distil::cross_modal_relation: ";
  EXPECT_EQ(refusal({.temperature = 0}), prefix + "temperature is 0; it must be finite and > 0");
  EXPECT_EQ(refusal({.teacher_temperature = -1}),
            prefix + "teacher_temperature is -1; it must be finite and > 0");
  EXPECT_EQ(refusal({.cross_weight = -1}), prefix + "cross_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal({.intra_weight = -1}), prefix + "intra_weight is -1; it must be finite and >= 0");
}

}  // namespace
}  // namespace distil::testing
