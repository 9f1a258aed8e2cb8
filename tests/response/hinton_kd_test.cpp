#include "distil/response/hinton_kd.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/hinton_kd.hpp"
#include "../support/reversing_executor.hpp"

namespace distil::testing {
namespace {

row_suites<hinton_kd_case> const suites("hinton_kd");

TEST(hinton_kd, without_labels_is_the_soft_term_with_its_weight) {
  batch<double> b(6, 40);
  double const soft = distil::forward_kl(b.student.view(), b.teacher.view(), {.temperature = 4});
  auto const found = distil::hinton_kd.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(),
                                                 {.soft_weight = 0.7});
  EXPECT_NEAR(found.value, 0.7 * soft, 1e-14);
  EXPECT_NEAR(found.soft.value, soft, 1e-14);
  EXPECT_EQ(found.hard.weight, 0.0);
  EXPECT_EQ(distil::hinton_kd(b.student.view(), b.teacher.view(), {.soft_weight = 0.7}).value, found.value);
}

TEST(hinton_kd, weights_complement_each_other_unless_told_otherwise) {
  batch<double> b(6, 40);
  auto const z = b.student.view();
  auto const t = b.teacher.view();
  double const hard = distil::cross_entropy(z, b.labels);
  double const soft = distil::forward_kl(z, t, {.temperature = 4});
  EXPECT_NEAR(distil::hinton_kd(z, t, b.labels), 0.1 * hard + 0.9 * soft, 1e-13);
  EXPECT_NEAR(distil::hinton_kd(z, t, b.labels, {.soft_weight = 0.3}), 0.7 * hard + 0.3 * soft, 1e-13);
  EXPECT_NEAR(distil::hinton_kd(z, t, b.labels, {.soft_weight = 1, .hard_weight = 1}), hard + soft, 1e-13);
  EXPECT_NEAR(distil::hinton_kd(z, t, b.labels, {.soft_weight = 0}), hard, 1e-13);
  auto const parts = distil::hinton_kd(z, t, b.labels);
  EXPECT_NEAR(parts.hard, hard, 1e-13);
  EXPECT_NEAR(parts.soft, soft, 1e-13);
}

TEST(hinton_kd, a_sample_without_label_can_still_be_taught) {
  batch<double> b(5, 12);
  b.labels = {3, -100, -100, 0, 1};
  auto const z = b.student.view();
  auto const t = b.teacher.view();
  auto const found = distil::hinton_kd.with_grad(z, t, b.labels, b.gradient.view(),
                                                 {.ignored = ignored_label::hard_term_only});
  EXPECT_EQ(found.hard.weight, 3.0);
  EXPECT_EQ(found.soft.weight, 5.0);
  EXPECT_EQ(found.weight, 5.0);
  EXPECT_NEAR(found.soft, distil::forward_kl(z, t, {.temperature = 4}), 1e-13);
  EXPECT_NE(b.gradient.at(1, 0), 0.0);
  auto const whole = distil::hinton_kd.with_grad(z, t, b.labels, b.gradient.view());
  EXPECT_EQ(whole.hard.weight, 3.0);
  EXPECT_EQ(whole.soft.weight, 3.0);
  EXPECT_EQ(b.gradient.at(1, 0), 0.0);
}

TEST(hinton_kd, takes_each_term_over_its_own_rows) {
  batch<double> b(5, 12);
  for (index c = 0; c < 12; ++c) b.teacher.set(2, c, minus_infinity);
  auto const z = b.student.view();
  auto const t = b.teacher.view();
  auto const found = distil::hinton_kd.with_grad(z, t, b.labels, b.gradient.view(), {.soft_weight = 0.7});
  EXPECT_EQ(found.hard.weight, 5.0);
  EXPECT_EQ(found.soft.weight, 4.0);
  EXPECT_NEAR(found.value,
              0.3 * distil::cross_entropy(z, b.labels) + 0.7 * distil::forward_kl(z, t, {.temperature = 4}),
              1e-13);
  auto const q = reference::softmax(b.student.row(2));
  for (index c = 0; c < 12; ++c) {
    auto const at = static_cast<std::size_t>(c);
    EXPECT_NEAR(b.gradient.at(2, c), 0.3 / 5 * (q[at] - (c == b.labels[2] ? 1 : 0)), 1e-15);
  }
}

TEST(hinton_kd, of_weight_0_is_without_the_term_whatever_it_holds) {
  batch<float> b(4, 9);
  auto const z = b.student.view();
  auto const t = b.teacher.view();
  for (index c = 0; c < 9; ++c) b.teacher.set(2, c, std::nan(""));
  b.student.set(1, 4, minus_infinity);  // where the teacher has mass
  b.labels = {0, 1, 2, 3};
  double const hard = distil::cross_entropy(z, b.labels);
  auto const found = distil::hinton_kd.with_grad(z, t, b.labels, b.gradient.view(), {.soft_weight = 0});
  EXPECT_NEAR(found.value, hard, 1e-6);
  for (index r = 0; r < 4; ++r) {
    for (index c = 0; c < 9; ++c) EXPECT_TRUE(std::isfinite(b.gradient.at(r, c))) << r << ", " << c;
  }
  batch<float> masked(4, 9);
  masked.student.set(0, 0, minus_infinity), masked.teacher.set(0, 0, minus_infinity);
  masked.labels = {0, 1, 2, 3};
  auto const soft_only =
      distil::hinton_kd(masked.student.view(), masked.teacher.view(), masked.labels, {.soft_weight = 1});
  EXPECT_NEAR(soft_only.value,
              distil::hinton_kd(masked.student.view(), masked.teacher.view(), {.soft_weight = 1}), 1e-6);
}

TEST(hinton_kd, keeps_a_mask_of_tokens_beside_its_labels) {
  batch<double> b(4, 9);
  std::vector<int> const tokens = {-100, 5, 5, 5};
  b.labels = {1, 2, -100, 3};
  auto const z = b.student.view();
  auto const t = b.teacher.view();
  auto const both = distil::hinton_kd(z, t, b.labels, {.rows = {.labels = tokens}});
  EXPECT_EQ(both.hard.weight, 2.0);
  EXPECT_EQ(both.soft.weight, 2.0);
  auto const taught = distil::hinton_kd(
      z, t, b.labels, {.ignored = ignored_label::hard_term_only, .rows = {.labels = tokens}});
  EXPECT_EQ(taught.hard.weight, 2.0);
  EXPECT_EQ(taught.soft.weight, 3.0);
  EXPECT_NO_THROW((void)distil::hinton_kd(z, t, {.soft_weight = 2}));  // no hard term to weigh
}

TEST(hinton_kd, divides_by_what_it_is_told_however_small) {
  batch<double> b(4, 9);
  double const expected = distil::hinton_kd(b.student.view(), b.teacher.view(), b.labels);
  EXPECT_NEAR(distil::hinton_kd(b.student.view(), b.teacher.view(), b.labels, {.rows = {.weights = 1e-310}}),
              expected, 1e-12);
}

TEST(hinton_kd, takes_a_temperature_for_every_row) {
  for (index const columns : {6, 90}) {
    batch<double> b(19, columns);
    std::vector<float> temperature;
    for (int r = 0; r < 19; ++r) temperature.push_back(0.5F + 0.25F * static_cast<float>(r));
    std::vector<double> slope(19), values(19);
    double const value = distil::hinton_kd.with_grad(
        b.student.view(), b.teacher.view(), b.labels, b.gradient.view(),
        {.temperature = temperature, .rows = {.values = values}, .temperature_gradient = slope});
    double expected = 0;
    for (index r = 0; r < 19; ++r) {
      auto const at = static_cast<std::size_t>(r);
      setting const s{.temperature = static_cast<double>(temperature[at])};
      truth const row =
          hinton_kd_case::of(b.student.row<long double>(r), b.teacher.row<long double>(r), b.labels[at], s);
      EXPECT_NEAR(values[at], static_cast<double>(row.value), 1e-12);
      EXPECT_NEAR(slope[at], static_cast<double>(row.by_temperature) / 19, 1e-12);
      expected += static_cast<double>(row.value) / 19;
      for (index c = 0; c < columns; ++c) {
        EXPECT_NEAR(b.gradient.at(r, c), static_cast<double>(row.gradient[static_cast<std::size_t>(c)]) / 19,
                    1e-14);
      }
    }
    EXPECT_NEAR(value, expected, 1e-12);
  }
}

// Rows that share a register: the exponentials of some are powers of others at their temperature.
TEST(hinton_kd, of_a_row_does_not_depend_on_the_temperatures_beside_it) {
  constexpr index rows = 16, classes = 10;
  batch<float> alike(rows, classes), mixed(rows, classes);
  for (double const own : {1.0, 2.0, 3.0, 4.0, 3.5}) {
    std::vector<double> same(rows, own), others(rows), values(rows), expected(rows);
    for (std::size_t r = 0; r < others.size(); ++r)
      others[r] = r % 3 == 0 ? own : 0.7 * static_cast<double>(r);
    hinton_kd.with_grad(alike.student.view(), alike.teacher.view(), alike.labels, alike.gradient.view(),
                        {.temperature = same, .rows = {.values = expected}});
    hinton_kd.with_grad(mixed.student.view(), mixed.teacher.view(), mixed.labels, mixed.gradient.view(),
                        {.temperature = others, .rows = {.values = values}});
    for (index r = 0; r < rows; r += 3) {
      EXPECT_EQ(values[static_cast<std::size_t>(r)], expected[static_cast<std::size_t>(r)]) << own;
      for (index c = 0; c < classes; ++c) EXPECT_EQ(mixed.gradient.at(r, c), alike.gradient.at(r, c)) << own;
    }
  }
}

TEST(hinton_kd, of_a_slice_with_a_global_divisor_adds_up_to_the_whole) {
  batch<double> b(10, 30);
  auto const z = b.student.view();
  auto const t = b.teacher.view();
  b.labels[2] = -100;
  owned_matrix<double> whole(10, 30, layout::row_major);
  auto const expected = distil::hinton_kd.with_grad(z, t, b.labels, whole.view());
  double sum = 0;
  for (index first : {0, 4}) {
    index const rows = first == 0 ? 4 : 6;
    auto const slice = [&](auto matrix) {
      matrix.data += first * matrix.row_stride;
      matrix.rows = rows;
      return matrix;
    };
    std::span<std::int32_t const> const labels(b.labels.data() + first, static_cast<std::size_t>(rows));
    sum += distil::hinton_kd.with_grad(slice(z), slice(t), labels, slice(b.gradient.view()),
                                       {.rows = {.normalizer = expected.weight}});
  }
  EXPECT_NEAR(sum, expected.value, 1e-13);
  for (index r = 0; r < 10; ++r) {
    for (index c = 0; c < 30; ++c) EXPECT_NEAR(b.gradient.at(r, c), whole.at(r, c), 1e-16);
  }
}

TEST(hinton_kd, of_an_image_is_that_of_its_pixels_in_rows) {
  // So large that class-major storage moves through windows; whole tiles and single pixels are ignored.
  index const pixels = 16411, classes = 21;
  batch<float> rows(pixels, classes);
  for (index r = 0; r < pixels; ++r) {
    if (r / 50 % 4 == 1 || r % 31 == 0) rows.labels[static_cast<std::size_t>(r)] = -100;
  }
  double const value = distil::hinton_kd.with_grad(rows.student.view(), rows.teacher.view(), rows.labels,
                                                   rows.gradient.view());
  for (bool const in_place : {false, true}) {
    for (bool const accumulate : {false, true}) {
      for (bool const threads : {false, true}) {
        batch<float> image(pixels, classes, 4.0, layout::class_major);
        owned_matrix<float> const before = in_place ? image.student : image.gradient;
        auto& gradient = in_place ? image.student : image.gradient;
        if (accumulate && !in_place) {
          for (index r = 0; r < pixels; ++r) {
            for (index c = 0; c < classes; ++c) gradient.set(r, c, 0.0);
          }
        }
        auto const z = image.student.view();
        auto const t = image.teacher.view();
        hinton_kd_options const options{.accumulate = accumulate};
        reversing_executor executor(2);
        double const found =
            threads
                ? distil::hinton_kd.with_grad(run_on(executor), z, t, rows.labels, gradient.view(), options)
                : distil::hinton_kd.with_grad(z, t, rows.labels, gradient.view(), options);
        ASSERT_NEAR(found, value, 1e-6 * value);
        for (index r = 0; r < pixels; ++r) {
          for (index c = 0; c < classes; ++c) {
            double const there = accumulate && in_place ? before.at(r, c) : 0.0;
            ASSERT_NEAR(gradient.at(r, c), there + rows.gradient.at(r, c), there == 0.0 ? 1e-10 : 4e-7)
                << r << ", " << c << (in_place ? " in place" : "");
          }
        }
        ASSERT_EQ(gradient.damaged_guards(), 0);
      }
    }
  }
}

TEST(hinton_kd, takes_labels_in_braces_and_braces_without_any_as_options) {
  batch<float> b(2, 5);
  std::vector<int> const labels = {3, 0};
  std::uint8_t const plain[] = {3, 0};
  auto const student = b.student.view(), teacher = b.teacher.view();
  double const expected = hinton_kd(student, teacher, labels);
  EXPECT_EQ(hinton_kd(student, teacher, {3, 0}).value, expected);
  EXPECT_EQ(hinton_kd(serial, student, teacher, plain).value, expected);
  EXPECT_EQ(hinton_kd.with_grad(student, teacher, {3, 0}, b.gradient.view(), {}).value, expected);
  double const soft_alone = hinton_kd(student, teacher);
  EXPECT_EQ(hinton_kd(student, teacher, {}).value, soft_alone);
  EXPECT_EQ(hinton_kd(serial, student, teacher, {}).value, soft_alone);
  EXPECT_NE(soft_alone, expected);
}

}  // namespace
}  // namespace distil::testing
