#pragma once

#include "cases/pair_case.hpp"
#include "element_types.hpp"
#include "refusal.hpp"
#include "reversing_executor.hpp"
#include "slope_bound.hpp"

/// What every loss between a student's and a teacher's features must do, whatever it computes. A loss takes it by
/// `INSTANTIATE_TYPED_TEST_SUITE_P(name, pair_suite, in_float_and_double<its case>)`; the case is a `pair_case`.
///
/// The only truth is the case's naive formula in long double; the gradient's is its central differences.
namespace distil::testing {

/// What the reference says of a batch.
struct pair_truth {
  long double value = 0;
  exact_map gradient;
  pair_scales scales = {};
};

template <class Case, class Setting>
pair_truth pair_truth_of(exact_map student, exact_map const& teacher, Setting const& s) {
  pair_truth result{Case::of(student, teacher, s), exact_map(student.shape), {}};
  long double const step = 1e-4L;
  for (std::size_t i = 0; i < student.values.size(); ++i) {
    long double const x = student.values[i];
    auto const at = [&](long double moved) {
      student.values[i] = moved;
      return Case::of(student, teacher, s);
    };
    long double const near = at(x + step) - at(x - step), far = at(x + 2 * step) - at(x - 2 * step);
    student.values[i] = x;
    result.gradient.values[i] = (8 * near - far) / (12 * step);
  }
  result.scales = scales_of<Case>(student, teacher, s);
  if (!(result.scales.value > 0)) result.scales.value = static_cast<double>(std::abs(result.value));
  if (!(result.scales.gradient > 0)) {
    for (long double const slope : result.gradient.values)
      result.scales.gradient = std::max(result.scales.gradient, static_cast<double>(std::abs(slope)));
  }
  return result;
}

/// Value and gradient of one batch against what the reference says of it; the value form gives the same bits.
template <class Case, class S, class Te, class G, class Setting>
void expect_truth(pair_batch<S, Te, G>& b, pair_truth const& exact, Setting const& s,
                  std::string const& what) {
  using arithmetic = std::common_type_t<arithmetic_t<S>, arithmetic_t<Te>>;
  double const epsilon = std::numeric_limits<arithmetic>::epsilon();
  double const smallest = std::numeric_limits<arithmetic>::min();
  std::string const where = what + ", " + s.label + ", " + detail::map_text(b.student.shape());
  loss_value const found = Case::with_grad(serial, b, b.gradient, s, false);
  EXPECT_NEAR(found.value, static_cast<double>(exact.value),
              Case::bound.value * epsilon * exact.scales.value + smallest)
      << where;
  if constexpr (std::is_same_v<S, G>) {
    EXPECT_EQ(Case::value(serial, b, s).value, found.value) << where;
  }
  for_each_element(b.student.shape(), [&](index n, index c, index y, index x) {
    auto const expected = static_cast<double>(exact.gradient(n, c, y, x));
    double const allowed = (Case::bound.gradient * epsilon + 1e-11) * exact.scales.gradient + smallest +
                           1e-14 + storage_rounding<G>(expected);
    EXPECT_NEAR(b.gradient.at(n, c, y, x), expected, allowed)
        << where << ", gradient at " << n << ", " << c << ", " << y << ", " << x;
  });
  EXPECT_EQ(b.gradient.damaged_guards(), 0) << where;
}

template <class Case, class S, class Te, class G, class Setting>
void expect_pair(pair_batch<S, Te, G>& b, Setting const& s, std::string const& what) {
  expect_truth<Case>(b, pair_truth_of<Case>(b.student.exact(), b.teacher.exact(), s), s, what);
}

/// The derivative by an option, a temperature or a scale, that the loss writes to `slope`; with a gradient, the same.
template <class Case, class T, class Options>
void expect_slope_by(double Options::*option, std::span<double> Options::*slope, pair_shape const& shape) {
  for (auto s : Case::settings()) {
    pair_batch<T> b(shape);
    auto const student = b.student.exact(), teacher = b.teacher.exact();
    double const size = scales_of<Case>(student, teacher, s).value, from = s.options.*option;
    double found = 42, again = 42;
    s.options.*slope = {&again, 1};
    auto const only = Case::value(serial, b, s);
    s.options.*slope = {&found, 1};
    auto const both = Case::with_grad(serial, b, b.gradient, s, false);
    EXPECT_EQ(found, again) << s.label;
    if constexpr (requires { only.of_images; }) {
      EXPECT_EQ(only.of_images, both.of_images);
      EXPECT_EQ(only.of_texts, both.of_texts);
    }
    auto const at = [&](long double moved) {
      s.options.*option = static_cast<double>(moved);
      return Case::of(student, teacher, s);
    };
    expect_slope(found, at, from, Case::bound, std::numeric_limits<T>::epsilon(), size, s.label);
  }
}

template <class Parameter>
class pair_suite : public ::testing::Test {};
TYPED_TEST_SUITE_P(pair_suite);

TYPED_TEST_P(pair_suite, matches_the_reference_on_every_shape) {
  using loss = typename TypeParam::loss;
  for (auto const& shape : loss::shapes()) {
    for (auto const& s : loss::settings()) {
      pair_batch<typename TypeParam::type> b(shape);
      expect_pair<loss>(b, s, "channels first");
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TYPED_TEST_P(pair_suite, matches_the_reference_in_every_layout) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  auto const s = loss::settings().back();
  auto const shape = loss::shapes().back();
  pair_batch<T> const plain(shape);
  pair_truth const exact = pair_truth_of<loss>(plain.student.exact(), plain.teacher.exact(), s);
  for (map_layout const of_student : every_layout) {
    for (map_layout const of_teacher : every_layout) {
      for (map_layout const of_gradient : every_layout) {
        pair_batch<T> b(shape, 2.0, of_student, of_teacher, of_gradient);
        expect_truth<loss>(
            b, exact, s,
            std::string(name_of(of_student)) + " / " + name_of(of_teacher) + " / " + name_of(of_gradient));
        if (::testing::Test::HasFailure()) return;
      }
    }
  }
}

TYPED_TEST_P(pair_suite, takes_other_element_types) {
  using loss = typename TypeParam::loss;
  if constexpr (stands_for_other_types<typename TypeParam::type>) {
    pair_batch<bfloat16, half, float> b(loss::shapes().back(), 2.0, map_layout::padded,
                                        map_layout::channels_last, map_layout::channels_last);
    expect_pair<loss>(b, loss::settings().front(), "bfloat16, half, float");
    pair_batch<float, double, half> mixed(loss::shapes().back());
    expect_pair<loss>(mixed, loss::settings().front(), "float, double, half");
  }
}

TYPED_TEST_P(pair_suite, writes_in_place_and_adds) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  auto const s = loss::settings().front();
  for (map_layout const order : every_layout) {
    auto const shape = loss::shapes().back();
    pair_batch<T> b(shape, 2.0, order, order, order), in_place(shape, 2.0, order, order, order),
        sum(shape, 2.0, order, order, order);
    loss::with_grad(serial, b, b.gradient, s, false);
    loss::with_grad(serial, in_place, in_place.student, s, false);
    sum.gradient.fill(0.5);
    loss::with_grad(serial, sum, sum.gradient, s, true);
    // Eigen's small products round by where the result lies.
    double largest = 0;
    for_each_element(b.student.shape(), [&](index n, index c, index y, index x) {
      largest = std::max(largest, std::abs(b.gradient.at(n, c, y, x)));
    });
    double const rounding = 8 * std::numeric_limits<T>::epsilon() * largest;
    for_each_element(b.student.shape(), [&](index n, index c, index y, index x) {
      double const slope = b.gradient.at(n, c, y, x);
      ASSERT_NEAR(in_place.student.at(n, c, y, x), slope, rounding) << name_of(order);
      ASSERT_NEAR(sum.gradient.at(n, c, y, x), slope + 0.5, rounding + std::numeric_limits<T>::epsilon())
          << name_of(order);
    });
  }
}

TYPED_TEST_P(pair_suite, gives_the_same_bits_on_any_number_of_threads) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  auto const s = loss::settings().front();
  for (auto const& shape : loss::large_shapes()) {
    pair_batch<T> b(shape), serially(shape);
    double const expected = loss::with_grad(serial, serially, serially.gradient, s, false);
    auto const expect_same = [&](double value, std::string const& who) {
      EXPECT_EQ(value, expected) << who;
      for_each_element(b.student.shape(), [&](index n, index c, index y, index x) {
        ASSERT_EQ(b.gradient.at(n, c, y, x), serially.gradient.at(n, c, y, x)) << who;
      });
    };
    for (int threads = 1; threads <= 3; ++threads) {
      expect_same(loss::with_grad(parallel_policy{threads}, b, b.gradient, s, false), "parallel");
      reversing_executor executor(threads);
      expect_same(loss::with_grad(run_on(executor), b, b.gradient, s, false), "own executor");
    }
  }
}

TYPED_TEST_P(pair_suite, is_defined_where_features_say_nothing) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  for (auto const& s : loss::settings()) {
    for (auto const& shape : {loss::shapes().front(), loss::shapes().back()}) {
      auto const expect_finite = [&](auto const& change, std::string const& what) {
        pair_batch<T> b(shape);
        change(b);
        EXPECT_TRUE(std::isfinite(loss::with_grad(serial, b, b.gradient, s, false).value))
            << what << ", " << s.label;
        for_each_element(b.student.shape(), [&](index n, index c, index y, index x) {
          ASSERT_TRUE(std::isfinite(b.gradient.at(n, c, y, x))) << what << ", " << s.label;
        });
      };
      expect_finite([](auto& b) { b.student.fill(0.0); }, "student of zeros");
      expect_finite([](auto& b) { b.teacher.fill(0.0); }, "teacher of zeros");
      expect_finite([](auto& b) { b.student.fill(0.0), b.teacher.fill(0.0); }, "zeros");
      expect_finite([](auto& b) { b.student.fill(1.5); }, "constant student");
      expect_finite([](auto& b) { b.student.fill(1.5), b.teacher.fill(-0.25); }, "constants");
      expect_finite(
          [](auto& b) {  // the last sample twice
            index const last = b.student.shape()[0] - 1;
            auto const again = [&](auto& map) {
              map.fill(
                  [&](index n, index c, index y, index x) { return map.at(n == 0 ? last : n, c, y, x); });
            };
            again(b.student), again(b.teacher);
          },
          "duplicates");
      if constexpr (std::is_same_v<T, float>) {
        expect_finite(
            [](auto& b) {
              b.student.fill(
                  [&](index n, index c, index y, index x) { return 5e3 * b.student.at(n, c, y, x); });
            },
            "large student");
      }
    }
  }
}

TYPED_TEST_P(pair_suite, is_nan_with_a_nan) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  for (auto const& s : loss::settings()) {
    for (bool const of_teacher : {false, true}) {
      pair_batch<T> b(loss::shapes().back());
      (of_teacher ? b.teacher : b.student).set(0, 0, 0, 0, std::nan(""));
      EXPECT_TRUE(std::isnan(loss::with_grad(serial, b, b.gradient, s, false).value))
          << s.label << (of_teacher ? ", teacher" : ", student");
    }
  }
}

TYPED_TEST_P(pair_suite, is_nothing_without_samples) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  auto shape = loss::shapes().back();
  shape.student[0] = shape.teacher[0] = 0;
  for (auto const& s : loss::settings()) {
    pair_batch<T> b(shape);
    loss_value const found = loss::with_grad(serial, b, b.gradient, s, false);
    EXPECT_EQ(found.value, 0.0) << s.label;
    EXPECT_EQ(found.weight, 0.0) << s.label;
  }
}

TYPED_TEST_P(pair_suite, refuses_what_does_not_fit) {
  using loss = typename TypeParam::loss;
  using T = typename TypeParam::type;
  auto const s = loss::settings().front();
  auto const shape = loss::shapes().back();
  std::string const prefix = std::string("distil::") + loss::name + ": ";
  auto fewer = shape;
  --fewer.teacher[0];
  pair_batch<T> few(fewer);
  EXPECT_EQ(refusal_of([&] { (void)loss::value(serial, few, s); }).rfind(prefix + "teacher", 0), 0U);
  pair_batch<T> b(shape);
  auto other = shape;
  other.student[1] += 2;
  pair_batch<T> wide(other);
  EXPECT_EQ(refusal_of([&] {
              loss::with_grad(serial, b, wide.gradient, s, false);
            }).rfind(prefix + "gradient is ", 0),
            0U);
  if (shape.student == shape.teacher) {
    EXPECT_EQ(refusal_of([&] {
                loss::with_grad(serial, b, b.teacher, s, false);
              }).rfind(prefix + "gradient is ", 0),
              0U);
  }
}

REGISTER_TYPED_TEST_SUITE_P(pair_suite, matches_the_reference_on_every_shape,
                            matches_the_reference_in_every_layout, takes_other_element_types,
                            writes_in_place_and_adds, gives_the_same_bits_on_any_number_of_threads,
                            is_defined_where_features_say_nothing, is_nan_with_a_nan,
                            is_nothing_without_samples, refuses_what_does_not_fit);

}  // namespace distil::testing
