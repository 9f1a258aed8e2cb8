#include "distil/response/binary_kd.hpp"

#include <cmath>

#include "../support/behaviour_suite.hpp"
#include "../support/cases/binary_kd.hpp"
#include "../support/refusal.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/fuse.hpp"

namespace distil::testing {
namespace {

row_suites<binary_kd_case> const suites("binary_kd");

template <class T>
class binary_kd_in : public ::testing::Test {};
TYPED_TEST_SUITE(binary_kd_in, in_float_and_double<binary_kd_case>);

/// From 80 digits: what is small has its own digits, in value and gradient, from both sides and in either outcome.
TYPED_TEST(binary_kd_in, keeps_the_digits_of_small_divergences) {
  using T = typename TypeParam::type;
  struct {
    double teacher, student, value, slope;
  } const exact[] = {
      {1, 1.0009765625, 9.37377711993392036645e-08, 1.91960511227361738714e-04},
      {-1, -1.00000011920928955078125, 1.39701178363167803237e-15, -2.34379682333395486261e-08},
      {0, 1.1920928955078125e-7, 1.77635683940024947860e-15, 2.98023223876952761041e-08},
      {-20, -19.9990234375, 9.83154643163151939669e-16, 2.01382848075419634647e-12},
      {20, 20.0009765625, 9.82514776838473661844e-16, 2.01186281134229760367e-12},
      {-60, -59.5, 1.30227940752757478367e-27, 5.68053478887583498163e-27},
      {60, 61, 3.22134028599251593034e-27, 5.53517047670400410683e-27},
      {0.5, 1.125, 4.30360700670489940145e-02, 1.32455655665773719409e-01},
      {-3, 4, 3.63758146410110017044e+00, 9.34587916860341705316e-01},
      {100, -100, 1.00000000000000000000e+02, -1.00000000000000000000e+00},
      {-30, 0.25, 8.25939419875919345060e-01, 5.62176500885704477639e-01},
      {0.25, -10000, 5.62107961356332361902e+03, -5.62176500885798069440e-01}};
  constexpr double epsilon = std::numeric_limits<T>::epsilon();
  for (auto const& each : exact) {
    for (double const temperature : {1.0, 4.0}) {  // logits that are T times as large
      T const z = static_cast<T>(each.student * temperature), t = static_cast<T>(each.teacher * temperature);
      T gradient = 0;
      double const value =
          binary_kd.with_grad(matrix_view(&z, 1, 1), matrix_view(&t, 1, 1), matrix_view(&gradient, 1, 1),
                              {.temperature = temperature, .soft_weight = 1});
      double const f = temperature * temperature, slope = temperature * each.slope;
      EXPECT_NEAR(value / (f * each.value), 1, binary_kd_loss::bound.value * epsilon) << each.teacher;
      EXPECT_NEAR(static_cast<double>(gradient) / slope, 1, binary_kd_loss::bound.gradient * epsilon)
          << each.teacher;
    }
  }
}

/// The bound of the contract, element by element: the sizes of what dL/dT is the sum of.
TYPED_TEST(binary_kd_in, keeps_the_bound_of_its_slope) {
  using T = typename TypeParam::type;
  constexpr index count = 400;
  for (double const temperature : {0.5, 1.0, 2.5}) {
    batch<T> b(count, 1, 8.0);
    std::vector<double> slopes(count);
    (void)binary_kd(b.student.view(), b.teacher.view(),
                    {.temperature = temperature,
                     .soft_weight = 1,
                     .rows = {.reduce = reduction::sum},
                     .temperature_gradient = slopes});
    long double const size_of_temperature = temperature;
    for (index r = 0; r < count; ++r) {
      long double const u = b.student.at(r, 0) / size_of_temperature,
                        v = b.teacher.at(r, 0) / size_of_temperature;
      binary_kd_case::divergence const one(u, v);
      long double const parts[] = {2 * one.value, -one.by_student * u, -one.by_teacher * v};
      long double sum = 0, size = 0;
      for (long double const part : parts) sum += part, size += std::abs(part);
      long double const logits = 1 + std::abs(u) + std::abs(v);
      long double const allowed =
          binary_kd_loss::bound.temperature_gradient * std::numeric_limits<T>::epsilon() * size * logits;
      // What the formula itself loses where student and teacher agree.
      long double const of_reference = 8 * std::numeric_limits<long double>::epsilon() * logits * logits;
      EXPECT_NEAR(slopes[static_cast<std::size_t>(r)], static_cast<double>(size_of_temperature * sum),
                  static_cast<double>(size_of_temperature * (allowed + of_reference)));
    }
  }
}

/// The closed forms against central differences of the papers' formula, with temperatures of student and teacher apart, and
/// a teacher of probabilities.
TEST(binary_kd, differentiates_by_both_temperatures) {
  batch<double> b(6, 9);
  owned_matrix<double> p(6, 9, layout::row_major);
  constexpr long double captured = 1.5L, T = 2, of_teacher = 3, h = 1e-6L;
  for (index r = 0; r < 6; ++r) {
    for (index c = 0; c < 9; ++c) {
      p.set(r, c, static_cast<double>(elementwise::sigmoid(b.teacher.at(r, c) / captured)));
    }
  }
  auto const loss = [&](long double by_student, long double by_teacher) {
    long double sum = 0;
    for (index r = 0; r < 6; ++r) {
      for (index c = 0; c < 9; ++c) {
        sum += binary_kd_case::divergence(b.student.at(r, c) / by_student, b.teacher.at(r, c) / by_teacher)
                   .value;
      }
    }
    return by_student * by_teacher * sum / 54;
  };
  double slope[1], teacher_slope[1];
  binary_kd_options const options{.temperature = static_cast<double>(T),
                                  .teacher_temperature = static_cast<double>(of_teacher),
                                  .soft_weight = 1,
                                  .temperature_gradient = slope,
                                  .teacher_temperature_gradient = teacher_slope};
  auto const expect = [&](double value, double tolerance) {
    EXPECT_NEAR(value, static_cast<double>(loss(T, of_teacher)), tolerance);
    EXPECT_NEAR(slope[0], static_cast<double>((loss(T + h, of_teacher) - loss(T - h, of_teacher)) / (2 * h)),
                1e-9);
    EXPECT_NEAR(teacher_slope[0],
                static_cast<double>((loss(T, of_teacher + h) - loss(T, of_teacher - h)) / (2 * h)), 1e-9);
  };
  expect(binary_kd(b.student.view(), b.teacher.view(), options), 1e-14);
  expect(binary_kd(b.student.view(), probabilities(p.view(), static_cast<double>(captured)), options), 1e-13);

  // Probabilities that do not say what they were captured at stay where they are.
  auto const still = [&](long double by_student) {
    long double sum = 0;
    for (index r = 0; r < 6; ++r) {
      for (index c = 0; c < 9; ++c) {
        sum +=
            binary_kd_case::divergence(b.student.at(r, c) / by_student, b.teacher.at(r, c) / captured).value;
      }
    }
    return by_student * by_student * sum / 54;
  };
  double const value =
      binary_kd(b.student.view(), probabilities(p.view()),
                {.temperature = static_cast<double>(T), .soft_weight = 1, .temperature_gradient = slope});
  EXPECT_NEAR(value, static_cast<double>(still(T)), 1e-13);
  EXPECT_NEAR(slope[0], static_cast<double>((still(T + h) - still(T - h)) / (2 * h)), 1e-9);
}

/// Each term is a mean over its own elements.
TEST(binary_kd, keeps_the_soft_term_of_elements_without_target) {
  batch<float> b(5, 7);
  owned_matrix<float> sum(5, 7, layout::row_major), part(5, 7, layout::row_major);
  std::vector<std::int8_t> targets(35, 1);
  for (std::size_t i : {1U, 2U, 3U, 20U, 34U}) targets[i] = -1;
  matrix_view<std::int8_t const> const y(targets.data(), 5, 7);
  row_options const rows{.ignore_label = -1};
  auto const z = b.student.view(), t = b.teacher.view();
  hinton_kd_value const found = binary_kd.with_grad(
      z, t, y, b.gradient.view(),
      {.temperature = 2, .ignored = ignored_target::hard_term_only, .soft_weight = 0.7, .rows = rows});
  EXPECT_EQ(found.hard.weight, 30.0);
  EXPECT_EQ(found.soft.weight, 35.0);
  loss_value const hard = binary_cross_entropy.with_grad(z, y, sum.view(), {.rows = rows});
  loss_value const soft =
      binary_kd.with_grad(z, t, part.view(), {.temperature = 2, .soft_weight = 1, .rows = rows});
  EXPECT_EQ(found.hard.value, hard.value);
  EXPECT_EQ(found.soft.value, soft.value);
  EXPECT_NEAR(found.value, 0.3 * hard.value + 0.7 * soft.value, 1e-7);
  for (index r = 0; r < 5; ++r) {
    for (index c = 0; c < 7; ++c) {
      EXPECT_NEAR(b.gradient.at(r, c), 0.3 * sum.at(r, c) + 0.7 * part.at(r, c), 1e-8);
    }
  }
  hinton_kd_value const whole = binary_kd(z, t, y, {.rows = rows});
  EXPECT_EQ(whole.soft.weight, 30.0);
  // Alone it is the soft term with its weight.
  EXPECT_NEAR(binary_kd(z, t, {.temperature = 2, .soft_weight = 0.25}).value, 0.25 * soft.value, 1e-8);
}

TEST(binary_kd, of_probabilities_0_and_1_is_as_finite_as_its_student) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  struct {
    double student, teacher, value, slope;
  } const exact[] = {{1, infinity, static_cast<double>(elementwise::softplus(-1)), -1 / (1 + std::exp(1))},
                     {1, -infinity, static_cast<double>(elementwise::softplus(1)), 1 / (1 + std::exp(-1))},
                     {infinity, infinity, 0, 0},
                     {-infinity, -infinity, 0, 0},
                     {infinity, -infinity, infinity, 1},
                     {infinity, 0, infinity, 0.5},
                     {-infinity, 0, infinity, -0.5},
                     {-1e4, infinity, 1e4, -1},
                     {1e4, 1e4, 0, 0}};
  for (auto const& each : exact) {
    double gradient = 7;
    double const p = each.teacher == 0 ? 0.5 : each.teacher > 0 ? 1 : 0;
    matrix_view const z(&each.student, 1, 1), t(&each.teacher, 1, 1), of_probability(&p, 1, 1);
    matrix_view<double> const to(&gradient, 1, 1);
    auto const expect = [&](double value) {
      EXPECT_TRUE(close(value, each.value, 1e-15 * each.value)) << each.student << ", " << each.teacher;
      EXPECT_NEAR(gradient, each.slope, 1e-15) << each.student << ", " << each.teacher;
    };
    expect(binary_kd.with_grad(z, t, to, {.soft_weight = 1}));
    if (each.teacher != 1e4)
      expect(binary_kd.with_grad(z, probabilities(of_probability), to, {.soft_weight = 1}));
  }
}

TEST(binary_kd, of_a_column_is_that_of_its_elements) {
  for (index const rows : {5000, 5003}) {
    batch<float> b(rows, 1), by_row(rows, 1);
    std::vector<std::uint8_t> targets;
    for (index r = 0; r < rows; ++r) targets.push_back(r % 7 == 3 ? 255 : r % 2 == 0 ? 1 : 0);
    double slope[1];
    binary_kd_options options{.temperature = 2, .rows = {.ignore_label = 255}, .temperature_gradient = slope};
    hinton_kd_value const found =
        binary_kd.with_grad(b.student.view(), b.teacher.view(), targets, b.gradient.view(), options);
    std::vector<double> each(static_cast<std::size_t>(rows)), values(each);
    options.temperature_gradient = each;
    options.rows.values = values;
    hinton_kd_value const expected = binary_kd.with_grad(by_row.student.view(), by_row.teacher.view(),
                                                         targets, by_row.gradient.view(), options);
    EXPECT_NEAR(found.value, expected.value, 1e-6);
    EXPECT_EQ(found.weight, expected.weight);
    double sum = 0;
    for (double const one : each) sum += one;
    EXPECT_NEAR(slope[0], sum, 1e-6);
    for (index r = 0; r < rows; ++r) ASSERT_EQ(b.gradient.at(r, 0), by_row.gradient.at(r, 0)) << r;
  }
}

TEST(binary_kd, fuses) {
  batch<double> b(4, 300), kl(4, 300), soft(4, 300), hard(4, 300);
  std::vector<int> targets(1200);
  for (std::size_t i = 0; i < targets.size(); ++i) targets[i] = i % 3 == 0 ? 1 : 0;
  matrix_view<int const> const y(targets.data(), 4, 300);
  auto const z = b.student.view(), t = b.teacher.view();
  auto const sum = fuse(forward_kl.term(t), 2 * binary_kd.term(t, {.temperature = 2, .soft_weight = 0.5}),
                        3 * binary_cross_entropy.term(y));
  double const expected =
      forward_kl.with_grad(z, t, kl.gradient.view()) +
      2 * binary_kd.with_grad(z, t, soft.gradient.view(), {.temperature = 2, .soft_weight = 0.5}).value +
      3 * binary_cross_entropy.with_grad(z, y, hard.gradient.view()).value;
  EXPECT_NEAR(sum.with_grad(z, b.gradient.view()), expected, 1e-12);
  for (index c = 0; c < 300; ++c) {
    EXPECT_NEAR(b.gradient.at(2, c),
                kl.gradient.at(2, c) + 2 * soft.gradient.at(2, c) + 3 * hard.gradient.at(2, c), 1e-14);
  }
}

TEST(binary_kd, leaves_out_rows_of_factor_0) {
  batch<float> b(3, 5);
  std::vector<double> const factor = {1, 0, 1};
  b.student.set(1, 2, std::nan(""));
  loss_value const found =
      binary_kd.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), {.factor = factor});
  EXPECT_TRUE(std::isfinite(found.value));
  EXPECT_EQ(found.weight, 15.0);
  EXPECT_EQ(b.gradient.at(1, 2), 0.0);
}

TEST(binary_kd, refuses) {
  batch<float> b(2, 3);
  std::vector<float> const targets = {0, 1, 0, 1, 2, 0};
  matrix_view<float const> const y(targets.data(), 2, 3);
  auto const refusal = [&](binary_kd_options const& options) {
    return refusal_of(
        [&] { binary_kd.with_grad(b.student.view(), b.teacher.view(), y, b.gradient.view(), options); });
  };
  std::string const name = "distil::binary_kd: ";
  EXPECT_EQ(refusal({}),
            name + "target is 2 in row 1, class 1; it must be within [0, 1] or the ignored label -100");
  EXPECT_EQ(refusal({.rows = {.ignore_label = 2}}), "");
  EXPECT_EQ(refusal({.soft_weight = 2}),
            name + "hard_weight is -1; it must be finite and >= 0 (set it when soft_weight is above 1)");
  EXPECT_EQ(refusal({.soft_weight = -1}), name + "soft_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal({.temperature = 0}), name + "temperature is 0; it must be within [1e-15, 1e15]");
  EXPECT_EQ(refusal({.elements = static_cast<over_elements>(7)}),
            name + "elements is 7; it must be a value of over_elements");
  EXPECT_EQ(refusal_of([&] {
              (void)binary_kd(b.student.view(), b.teacher.view(),
                              matrix_view<float const>(targets.data(), 3, 2));
            }),
            name + "targets is 3 x 2; it must be 2 x 3, the shape of the student");
  EXPECT_EQ(refusal_of([&] { binary_kd.with_grad(b.student.view(), b.teacher.view(), b.teacher.view()); }),
            name + "gradient is overlapping the teacher; it must be apart from the teacher");
  batch<float> column(6, 1), longer(8, 1);
  EXPECT_EQ(refusal_of([&] { (void)binary_kd(column.student.view(), longer.teacher.view()); }),
            name + "teacher is 8 x 1; it must be 6 x 1, the shape of the student");
}

}  // namespace
}  // namespace distil::testing
