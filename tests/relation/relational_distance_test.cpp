#include "distil/relation/relational_distance.hpp"

#include "../support/cases/relational_distance.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<relational_distance_case> const suites("relational_distance");

TEST(relational_distance, does_not_see_scale_rotation_and_place) {
  pair_batch<double> b({{7, 4, 1, 1}, {7, 4, 1, 1}});
  b.teacher.fill([&](index n, index c, index, index) { return 5 - 3 * b.student.at(n, (c + 1) % 4); });
  EXPECT_NEAR(relational_distance(b.student.matrix(), b.teacher.matrix()), 0.0, 1e-15);
}

TEST(relational_distance, keeps_its_digits_far_from_the_origin) {
  pair_batch<float> b({{9, 6, 1, 1}, {9, 6, 1, 1}});
  // Multiples of 1/64, which 4096 does not round.
  auto const coarse = [](auto& map, double offset) {
    map.fill([&](index n, index c, index y, index x) {
      return std::round(64 * map.at(n, c, y, x)) / 64 + offset;
    });
  };
  coarse(b.student, 0), coarse(b.teacher, 0);
  double const near = relational_distance(b.student.matrix(), b.teacher.matrix());
  coarse(b.student, 4096), coarse(b.teacher, 4096);
  EXPECT_NEAR(relational_distance(b.student.matrix(), b.teacher.matrix()), near, 1e-6 * near);
}

TEST(relational_distance, leaves_out_or_counts_samples_that_coincide) {
  // Three samples on a line, two of them the same: distances 0, 1, 1 and a teacher's 1, 1, 2.
  std::vector<double> student{0, 0, 1}, teacher{0, 1, 2}, gradient(3);
  matrix_view<double const> const x(student.data(), 3, 1), y(teacher.data(), 3, 1);
  matrix_view<double> const g(gradient.data(), 3, 1);
  // Their means are 1 and 4/3: 0 - 3/4, 1 - 3/2, 1 - 3/4.
  EXPECT_NEAR(relational_distance.with_grad(x, y, g), 2 * (0.28125 + 0.125 + 0.03125) / 9, 1e-15);
  EXPECT_TRUE(std::isfinite(gradient[0]) && std::isfinite(gradient[1]));
  // Counted, the student's mean is 2/3.
  EXPECT_NEAR(relational_distance(x, y, {.least_squared_distance = 1e-12}), 2 * (0.28125 + 0 + 0.28125) / 9,
              1e-5);
}

TEST(relational_distance, refuses_distances_below_nothing) {
  pair_batch<float> b({{3, 2, 1, 1}, {3, 2, 1, 1}});
  EXPECT_EQ(refusal_of([&] {
              (void)relational_distance(b.student.matrix(), b.teacher.matrix(),
                                        {.least_squared_distance = -1});
            }),
            "distil::relational_distance: least_squared_distance is -1; it must be finite and >= 0");
}

}  // namespace
}  // namespace distil::testing
