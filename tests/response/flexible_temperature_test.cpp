#include "distil/response/flexible_temperature.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "../support/batches.hpp"
#include "../support/reference.hpp"
#include "../support/refusal.hpp"
#include "distil/response/hinton_kd.hpp"

namespace distil::testing {
namespace {

double difficulty_of(std::vector<double> const& z, std::vector<double> const& t, sample_difficulty by,
                     double power) {
  if (by == sample_difficulty::low_confidence) {
    auto const q = reference::softmax(z);
    return 1 / (*std::max_element(q.begin(), q.end()) + 1e-3);
  }
  double zz = 0, tt = 0, zt = 0;
  for (std::size_t c = 0; c < z.size(); ++c) {
    if (std::isinf(z[c]) || std::isinf(t[c])) continue;
    zz += z[c] * z[c], tt += t[c] * t[c], zt += z[c] * t[c];
  }
  return std::pow(1 - (zz * tt == 0 ? 0 : zt / std::sqrt(zz * tt)), power);
}

template <class S, class T>
void expect_formula(batch<S, T> const& b, flexible_temperature_options const& options, double allowed) {
  std::vector<double> found(static_cast<std::size_t>(b.rows)), expected;
  flexible_temperatures(b.student.view(), b.teacher.view(), found, options);
  double mean = 0;
  for (index r = 0; r < b.rows; ++r) {
    expected.push_back(difficulty_of(b.student.row(r), b.teacher.row(r), options.by, options.power));
    mean += expected.back() / static_cast<double>(b.rows);
  }
  for (std::size_t r = 0; r < found.size(); ++r) {
    double const wanted =
        std::max(options.minimum, options.temperature + options.strength * (mean - expected[r]));
    ASSERT_NEAR(found[r], wanted, allowed) << "row " << r << " of " << b.rows << " x " << b.columns;
  }
}

template <class T>
class flexible_temperature : public ::testing::Test {};
using both = ::testing::Types<float, double>;
TYPED_TEST_SUITE(flexible_temperature, both);

TYPED_TEST(flexible_temperature, follows_the_formula_on_every_shape) {
  for (auto const& [rows, columns] : interesting_shapes<TypeParam>()) {
    for (layout const order : {layout::padded, layout::class_major, layout::every_other}) {
      batch<TypeParam> b(rows, columns, 4.0, order);
      if (columns > 2) b.student.set(0, 1, minus_infinity), b.teacher.set(0, 2, minus_infinity);
      double const epsilon = std::numeric_limits<TypeParam>::epsilon();
      expect_formula(b, {}, 128 * epsilon);
      expect_formula(b, {.temperature = 3, .strength = -2, .power = 1.5}, 256 * epsilon);
      double const steep = 64 * epsilon * 1000;  // 1 / (p + 0.001)^2 times p, at most
      expect_formula(b, {.temperature = 20, .by = sample_difficulty::low_confidence, .strength = 0.01},
                     0.01 * steep);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(flexible_temperatures, is_the_same_on_threads_and_mixes_element_types) {
  batch<half, bfloat16> b(3000, 20);
  expect_formula(b, {}, 1e-5);
  std::vector<double> one(3000), other(3000);
  flexible_temperatures(b.student.view(), b.teacher.view(), one);
  for (int threads = 1; threads <= 4; ++threads) {
    flexible_temperatures(parallel_policy{threads}, b.student.view(), b.teacher.view(), other);
    EXPECT_EQ(one, other);
    auto executor = [](index count, auto const& task) {
      for (index i = count - 1; i >= 0; --i) task(i);
    };
    flexible_temperatures(run_on(executor), b.student.view(), b.teacher.view(), other);
    EXPECT_EQ(one, other);
  }
}

TEST(flexible_temperatures, leaves_rows_without_meaning_at_the_mean) {
  batch<double> b(5, 6);
  for (index c = 0; c < 6; ++c) b.student.set(1, c, minus_infinity), b.student.set(3, c, 0);
  b.student.set(2, 3, std::nan(""));
  std::vector<double> found(5);
  for (sample_difficulty const by : {sample_difficulty::disagreement, sample_difficulty::low_confidence}) {
    flexible_temperatures(b.student.view(), b.teacher.view(), found, {.temperature = 5, .by = by});
    EXPECT_EQ(found[1], 5);
    EXPECT_EQ(found[2], 5);
    EXPECT_NE(found[0], 5);
    EXPECT_NEAR(found[0] + found[3] + found[4], 15, 1e-13);
    (void)hinton_kd(b.student.view(), b.teacher.view(), b.labels, {.temperature = found});  // accepted
  }
  flexible_temperatures(b.student.view(), b.teacher.view(), found,
                        {.temperature = 2, .strength = 100, .minimum = 1.5});
  for (double const one : found) EXPECT_GE(one, 1.5);
}

TEST(flexible_temperatures, refuses_before_it_writes) {
  batch<float> b(3, 4), wide(3, 5);
  std::vector<double> found(3, 7.0), two(2);
  auto const refused = [&](flexible_temperature_options const& options) {
    return refusal_of([&] { flexible_temperatures(b.student.view(), b.teacher.view(), found, options); });
  };
  std::string const name = "distil::flexible_temperatures: ";
  EXPECT_EQ(refused({.temperature = 0}), name + "temperature is 0; it must be within [1e-15, 1e15]");
  EXPECT_EQ(
      refused({.by = static_cast<sample_difficulty>(7)}),
      name + "by is 7; it must be sample_difficulty::disagreement or sample_difficulty::low_confidence");
  EXPECT_EQ(refused({.strength = std::nan("")}), name + "strength is nan; it must be finite");
  EXPECT_EQ(refused({.power = 0}), name + "power is 0; it must be finite and > 0");
  EXPECT_EQ(refused({.minimum = 5}), name + "minimum is 5; it must be within [1e-15, temperature]");
  EXPECT_EQ(refusal_of([&] { flexible_temperatures(b.student.view(), wide.teacher.view(), found); }),
            name + "teacher is 3 x 5; it must be 3 x 4, the shape of the student");
  EXPECT_EQ(refusal_of([&] { flexible_temperatures(b.student.view(), b.teacher.view(), two); }),
            name + "temperatures is of size 2; it must be one per row, 3");
  EXPECT_EQ(found, std::vector<double>(3, 7.0));
}

/// Of rows whose squares leave the range of the type at either end.
template <class T>
void expect_cosines_in_range() {
  double const size = static_cast<double>(std::numeric_limits<T>::max()) / 8;
  batch<double> exact(6, 9);
  batch<T> b(6, 9);
  for (index r = 0; r < 6; ++r) {
    double const of_student = r % 3 == 0 ? size : r % 3 == 1 ? 1 : 16 / size, of_teacher = r < 3 ? size : 1;
    for (index c = 0; c < 9; ++c) {
      double const z = static_cast<double>((3 * r + 5 * c) % 7 - 3),
                   t = static_cast<double>((r + 2 * c) % 5 - 1);
      exact.student.set(r, c, z), exact.teacher.set(r, c, t);
      b.student.set(r, c, z * of_student), b.teacher.set(r, c, t * of_teacher);
    }
  }
  std::vector<double> found(6), wanted(6);
  flexible_temperatures(b.student.view(), b.teacher.view(), found);
  flexible_temperatures(exact.student.view(), exact.teacher.view(), wanted);
  for (std::size_t r = 0; r < 6; ++r) EXPECT_NEAR(found[r], wanted[r], 1e-5) << r;
}
TEST(flexible_temperatures, keeps_cosines_in_range_in_float) { expect_cosines_in_range<float>(); }
TEST(flexible_temperatures, keeps_cosines_in_range_in_double) { expect_cosines_in_range<double>(); }

}  // namespace
}  // namespace distil::testing
