#include "distil/response/universal_logits.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/universal_logits.hpp"
#include "../support/refusal.hpp"
#include "../support/temperature_slopes.hpp"

namespace distil::testing {
namespace {

row_suites<universal_logits_case> const suites("universal_logits");

TEST(universal_logits, compares_vocabularies_of_any_sizes) {
  struct sizes {
    index student, teacher;
  };
  for (sizes const& of : {sizes{1, 5}, sizes{5, 1}, sizes{7, 40}, sizes{1500, 900}, sizes{900, 2600}}) {
    batch<double> b(6, of.student), other(6, of.teacher, 4.0, layout::every_other, 3);
    for (auto const& s : universal_logits_case::settings()) {
      loss_value const found =
          universal_logits.with_grad(b.student.view(), other.teacher.view(), b.gradient.view(),
                                     universal_logits_case::options(s, {}, false));
      long double sum = 0;
      for (index r = 0; r < 6; ++r) {
        truth const exact =
            universal_logits_case::of(b.student.row<long double>(r), other.teacher.row<long double>(r), 0, s);
        sum += exact.value / 6;
        for (index c = 0; c < of.student; ++c) {
          ASSERT_NEAR(b.gradient.at(r, c),
                      static_cast<double>(exact.gradient[static_cast<std::size_t>(c)] / 6), 1e-14);
        }
      }
      EXPECT_NEAR(found.value, static_cast<double>(sum), 1e-13);
      EXPECT_EQ(found.weight, 6);
    }
  }
}

TEST(universal_logits, is_what_two_sorted_rows_say) {
  // q = 0.1, 0.6, 0.3 and p = 0.2, 0.8: |0.6 - 0.8| + |0.3 - 0.2| + 0.1.
  double const student[] = {std::log(0.1), std::log(0.6), std::log(0.3)}, teacher[] = {0.2, 0.8};
  double gradient[3];
  double const value = universal_logits.with_grad(
      matrix_view(student, 1, 3), probabilities(matrix_view(teacher, 1, 2)), matrix_view(gradient, 1, 3));
  EXPECT_NEAR(value, 0.4, 1e-15);
  double const mean = 0.1 - 0.6 + 0.3;  // sum q g with g = 1, -1, 1
  EXPECT_NEAR(gradient[0], 0.1 * (1 - mean), 1e-15);
  EXPECT_NEAR(gradient[1], 0.6 * (-1 - mean), 1e-15);
  EXPECT_NEAR(gradient[2], 0.3 * (1 - mean), 1e-15);
}

TEST(universal_logits, ranks_equal_probabilities_by_class) {
  for (index const columns : {4, 4096}) {  // compared, and counted
    std::vector<float> const student(static_cast<std::size_t>(columns), 1.5F);
    std::vector<float> teacher(static_cast<std::size_t>(columns), 0.0F), gradient(student.size());
    teacher[static_cast<std::size_t>(columns - 1)] = 3.0F;  // one rank above the student's, all others below
    universal_logits.with_grad(matrix_view(student.data(), 1, columns),
                               matrix_view(teacher.data(), 1, columns),
                               matrix_view(gradient.data(), 1, columns));
    EXPECT_LT(gradient[0], 0.0F) << columns;
    for (std::size_t c = 1; c < gradient.size(); ++c) ASSERT_GT(gradient[c], 0.0F) << c << " of " << columns;
  }
}

TEST(universal_logits, ranks_equal_logits_by_class_however_far_apart) {
  // In another block of the sweeps a probability may come out an ulp away.
  index const columns = 9000;
  batch<double> b(1, columns);
  for (index c = 0; c < columns; ++c) {
    b.student.set(0, c,
                  static_cast<double>(c) / static_cast<double>(columns));  // the maximum rises all along
    b.teacher.set(0, c, 0.3 + 0.4 * static_cast<double>(c) / static_cast<double>(columns));
  }
  for (index c = 0; c < 4000; ++c) b.student.set(0, c + 4500, b.student.at(0, c));
  for (auto const& s : universal_logits_case::settings()) {
    universal_logits_case::with_grad(serial, b, b.gradient.view(), s, {});
    truth const exact =
        universal_logits_case::of(b.student.row<long double>(0), b.teacher.row<long double>(0), 0, s);
    for (index c = 0; c < columns; ++c) {
      ASSERT_NEAR(b.gradient.at(0, c), static_cast<double>(exact.gradient[static_cast<std::size_t>(c)]),
                  1e-13)
          << c;
    }
  }
}

TEST(universal_logits, has_no_slope_where_sorted_rows_are_equal) {
  float const student[] = {1, 5, -2, 3}, teacher[] = {5, 3, 1, -2};
  float gradient[4];
  EXPECT_EQ(universal_logits.with_grad(matrix_view(student, 1, 4), matrix_view(teacher, 1, 4),
                                       matrix_view(gradient, 1, 4)),
            0.0);
  for (float const entry : gradient) EXPECT_EQ(entry, 0.0F);
}

TEST(universal_logits, takes_every_form_of_teacher) {
  batch<double> b(3, 20), softened(3, 20);
  double const expected = universal_logits(b.student.view(), b.teacher.view(), {.temperature = 2});
  softmax(b.teacher.view(), softened.teacher.view(), {.temperature = 2});
  EXPECT_NEAR(universal_logits(b.student.view(), probabilities(softened.teacher.view()), {.temperature = 2}),
              expected, 1e-14);
  softmax(b.teacher.view(), softened.teacher.view(), {.temperature = 3});
  EXPECT_NEAR(
      universal_logits(b.student.view(), probabilities(softened.teacher.view(), 3), {.temperature = 2}),
      expected, 1e-14);
  log_softmax(b.teacher.view(), softened.teacher.view(), {.temperature = 2});
  EXPECT_NEAR(
      universal_logits(b.student.view(), log_probabilities(softened.teacher.view()), {.temperature = 2}),
      expected, 1e-14);
}

TEST(universal_logits, takes_a_temperature_for_each_row) {
  batch<double> b(3, 20);
  std::vector<double> const temperatures = {1, 2, 0.5};
  std::vector<double> together(3), alone(1);
  (void)universal_logits(
      b.student.view(), b.teacher.view(),
      {.temperature = temperatures, .scale_by_temperature_squared = true, .rows = {.values = together}});
  for (index r = 0; r < 3; ++r) {
    auto const row = [&](auto const& m) { return matrix_view(&m(r, 0), 1, 20); };
    EXPECT_NEAR(universal_logits(row(b.student.view()), row(b.teacher.view()),
                                 {.temperature = temperatures[static_cast<std::size_t>(r)],
                                  .scale_by_temperature_squared = true}),
                together[static_cast<std::size_t>(r)], 1e-14);
  }
}

TEST(universal_logits, takes_a_temperature_of_the_teacher) {
  expect_temperature_of_teacher<universal_logits_case, universal_logits_options>(
      [](batch<double>& b, universal_logits_options const& options) {
        return universal_logits.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), options);
      });
}

TEST(universal_logits, refuses) {
  batch<float> b(3, 4), more(4, 4);
  auto const z = b.student.view();
  EXPECT_EQ(refusal_of([&] { (void)universal_logits(z, more.teacher.view()); }),
            "distil::universal_logits: teacher is of 4 rows; it must be of as many rows as the student, 3");
  EXPECT_EQ(refusal_of([&] { (void)universal_logits(z, matrix_view<float>(z.data, 3, 0)); }),
            "distil::universal_logits: teacher is 3 x 0; it must be rows x classes with at least one class");
  EXPECT_EQ(
      refusal_of([&] { universal_logits.with_grad(z, b.teacher.view(), b.teacher.view()); }),
      "distil::universal_logits: gradient is overlapping the teacher; it must be apart from the teacher");
  EXPECT_EQ(refusal_of([&] { (void)universal_logits(z, z, {.temperature = 0}); }),
            "distil::universal_logits: temperature is 0; it must be within [1e-15, 1e15]");
  EXPECT_EQ(refusal_of([&] { (void)universal_logits(z, z, {.rows = {.weights = -1}}); }),
            "distil::universal_logits: rows.weights is -1; it must be finite and >= 0");
}

template <class T>
void expect_slopes() {
  expect_slopes_of_rows<universal_logits_case, T>(
      [](batch<T>& b, setting const& s, row_options const& rows, std::span<double> slope, bool gradient) {
        auto options = universal_logits_case::options(s, rows, false);
        options.temperature_gradient = slope;
        if (gradient) {
          universal_logits.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), options);
        } else {
          (void)universal_logits(b.student.view(), b.teacher.view(), options);
        }
      });
}

TEST(universal_logits, differentiates_by_the_temperature) {
  expect_slopes<double>();
  expect_slopes<float>();
}

TEST(universal_logits, a_distribution_stays_where_it_is) {
  batch<double> b(1, 9, 2.0);
  owned_matrix<double> p(1, 5, layout::row_major);
  double const mass[] = {0.4, 0.3, 0.2, 0.06, 0.04};
  for (index c = 0; c < 5; ++c) p.set(0, c, mass[c]);
  auto const teacher = probabilities(std::as_const(p).view());
  double slope[1];
  (void)universal_logits(b.student.view(), teacher, {.temperature = 2, .temperature_gradient = slope});
  auto const at = [&](double T) {
    return universal_logits(b.student.view(), teacher, {.temperature = T}).value;
  };
  EXPECT_NEAR(slope[0], (at(2 + 1e-5) - at(2 - 1e-5)) / 2e-5, 1e-9);
}

}  // namespace
}  // namespace distil::testing
