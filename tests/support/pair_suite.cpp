#include "pair_suite.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace distil::testing {

pair_truth pair_truth_of(feature_case const& of, exact_map student, exact_map const& teacher,
                         any_setting const& s) {
  pair_truth result{of.of(student, teacher, s), exact_map(student.shape), {}};
  long double const step = 1e-4L;
  for (std::size_t i = 0; i < student.values.size(); ++i) {
    long double const x = student.values[i];
    auto const at = [&](long double moved) {
      student.values[i] = moved;
      return of.of(student, teacher, s);
    };
    long double const near = at(x + step) - at(x - step), far = at(x + 2 * step) - at(x - 2 * step);
    student.values[i] = x;
    result.gradient.values[i] = (8 * near - far) / (12 * step);
  }
  result.scales = of.scales(student, teacher, s);
  if (!(result.scales.value > 0)) result.scales.value = static_cast<double>(std::abs(result.value));
  if (!(result.scales.gradient > 0)) {
    for (long double const slope : result.gradient.values)
      result.scales.gradient = std::max(result.scales.gradient, static_cast<double>(std::abs(slope)));
  }
  return result;
}

void expect_truth(feature_case const& of, any_pair& b, pair_truth const& exact, any_setting const& s,
                  std::string const& what) {
  arithmetic_limits const limits = limits_of(b.student.type(), b.teacher.type());
  std::string const where = what + ", " + s.label + ", " + detail::map_text(b.student.shape());
  loss_value const found = of.with_grad(b, s);
  EXPECT_NEAR(found.value, static_cast<double>(exact.value),
              of.bound.value * limits.epsilon * exact.scales.value + limits.smallest)
      << where;
  if (b.student.type() == b.gradient.type()) {
    EXPECT_EQ(of.value(b, s).value, found.value) << where;
  }
  for_each_element(b.student.shape(), [&](index n, index c, index y, index x) {
    auto const expected = static_cast<double>(exact.gradient(n, c, y, x));
    double const allowed = (of.bound.gradient * limits.epsilon + 1e-11) * exact.scales.gradient +
                           limits.smallest + 1e-14 + storage_rounding(b.gradient.type(), expected);
    EXPECT_NEAR(b.gradient.at(n, c, y, x), expected, allowed)
        << where << ", gradient at " << n << ", " << c << ", " << y << ", " << x;
  });
  EXPECT_EQ(b.gradient.damaged_guards(), 0) << where;
}

void expect_pair(feature_case const& of, any_pair& b, any_setting const& s, std::string const& what) {
  expect_truth(of, b, pair_truth_of(of, b.student.exact(), b.teacher.exact(), s), s, what);
}

namespace {

void matches_the_reference_on_every_shape(feature_case const& of, element type) {
  for (auto const& shape : of.shapes()) {
    for (auto const& s : of.settings()) {
      any_pair b(element_types::all(type), shape);
      expect_pair(of, b, s, "channels first");
      if (::testing::Test::HasFailure()) return;
    }
  }
}

void matches_the_reference_in_every_layout(feature_case const& of, element type) {
  auto const types = element_types::all(type);
  auto const s = of.settings().back();
  auto const shape = of.shapes().back();
  any_pair const plain(types, shape);
  pair_truth const exact = pair_truth_of(of, plain.student.exact(), plain.teacher.exact(), s);
  for (map_layout const of_student : every_layout) {
    for (map_layout const of_teacher : every_layout) {
      for (map_layout const of_gradient : every_layout) {
        any_pair b(types, shape, 2.0, of_student, of_teacher, of_gradient);
        expect_truth(
            of, b, exact, s,
            std::string(name_of(of_student)) + " / " + name_of(of_teacher) + " / " + name_of(of_gradient));
        if (::testing::Test::HasFailure()) return;
      }
    }
  }
}

/// The last shape, with a number of samples that is none of its other sizes.
pair_shape of_different_sizes(feature_case const& of) {
  auto shape = of.shapes().back();
  auto const is_size = [](map_shape const& sizes, index n) {
    return std::find(sizes.begin() + 1, sizes.end(), n) != sizes.end();
  };
  while (is_size(shape.student, shape.student[0]) || is_size(shape.teacher, shape.student[0])) {
    shape.student[0] = shape.teacher[0] += 2;
  }
  return shape;
}

void tells_all_its_sizes_apart(feature_case const& of, element type) {
  auto const shape = of_different_sizes(of);
  for (map_shape const& sizes : {shape.student, shape.teacher}) {
    EXPECT_TRUE(sizes[2] != sizes[3] || sizes[3] == 1) << detail::map_text(sizes);
  }
  auto const s = of.settings().back();
  any_pair const plain(element_types::all(type), shape);
  pair_truth const exact = pair_truth_of(of, plain.student.exact(), plain.teacher.exact(), s);
  for (map_layout const order : every_layout) {
    any_pair b(element_types::all(type), shape, 2.0, order, order, order);
    expect_truth(of, b, exact, s, name_of(order));
    if (::testing::Test::HasFailure()) return;
  }
}

void is_defined_where_student_and_teacher_agree(feature_case const& of, element type) {
  for (auto const& s : of.settings()) {
    for (pair_shape const& shape : of.shapes()) {
      if (shape.student != shape.teacher) continue;
      any_pair b(element_types::all(type), shape);
      b.teacher.fill([&](index n, index c, index y, index x) { return b.student.at(n, c, y, x); });
      auto const exact = static_cast<double>(of.of(b.student.exact(), b.teacher.exact(), s));
      double const found = of.with_grad(b, s).value;
      EXPECT_NEAR(found, exact, of.bound.value * limits_of(type).epsilon * std::max(1.0, std::abs(exact)))
          << s.label << ", " << detail::map_text(shape.student);
      for_each_element(shape.student, [&](index n, index c, index y, index x) {
        ASSERT_TRUE(std::isfinite(b.gradient.at(n, c, y, x))) << s.label;
      });
    }
  }
}

void takes_other_element_types(feature_case const& of, element) {
  if (of.takes(mix<float, double, half>::types)) {
    any_pair b(mix<bfloat16, half, float>::types, of.shapes().back(), 2.0, map_layout::padded,
               map_layout::channels_last, map_layout::channels_last);
    expect_pair(of, b, of.settings().front(), "bfloat16, half, float");
    any_pair mixed(mix<float, double, half>::types, of.shapes().back());
    expect_pair(of, mixed, of.settings().front(), "float, double, half");
  }
}

double largest_of(some_map const& map) {
  double largest = 0;
  for_each_element(map.shape(), [&](index n, index c, index y, index x) {
    largest = std::max(largest, std::abs(map.at(n, c, y, x)));
  });
  return largest;
}

void writes_in_place_and_adds(feature_case const& of, element type) {
  auto const types = element_types::all(type);
  auto const s = of.settings().front();
  for (map_layout const order : every_layout) {
    auto const shape = of.shapes().back();
    any_pair b(types, shape, 2.0, order, order, order), in_place(types, shape, 2.0, order, order, order),
        sum(types, shape, 2.0, order, order, order);
    of.with_grad(b, s);
    of.with_grad(detail::any_policy(serial), in_place, in_place.student, s);
    sum.gradient.fill(0.5);
    of.with_grad(sum, s, true);
    // Eigen's small products round by where the result lies.
    double const rounding = 8 * limits_of(type).epsilon * largest_of(b.gradient);
    for_each_element(b.student.shape(), [&](index n, index c, index y, index x) {
      double const slope = b.gradient.at(n, c, y, x);
      ASSERT_NEAR(in_place.student.at(n, c, y, x), slope, rounding) << name_of(order);
      ASSERT_NEAR(sum.gradient.at(n, c, y, x), slope + 0.5, rounding + limits_of(type).epsilon)
          << name_of(order);
    });
  }
}

void expect_weighed(feature_case const& of, element_types const& types, map_layout order,
                    any_setting const& s) {
  double const weight = 0.7, before = 0.5;
  auto const weighed = of.with_weight(s, weight);
  auto const shape = of.shapes().back();
  any_pair one(types, shape, 2.0, order, order, order), b(types, shape, 2.0, order, order, order),
      sum(types, shape, 2.0, order, order, order);
  loss_value const expected = of.with_grad(one, s), found = of.with_grad(b, weighed);
  sum.gradient.fill(before);
  double const added = of.with_grad(sum, weighed, true);
  EXPECT_NEAR(found.value, weight * expected.value, 1e-15 * std::abs(expected.value)) << s.label;
  EXPECT_EQ(found.weight, expected.weight) << s.label;
  EXPECT_EQ(added, found.value) << s.label;
  if (types.student == types.gradient) {
    EXPECT_EQ(of.value(b, weighed).value, found.value) << s.label;
  }
  // Eigen's small products round by where the result lies.
  double const rounding = 8 * limits_of(types.student, types.teacher).epsilon * largest_of(one.gradient);
  for_each_element(shape.student, [&](index n, index c, index y, index x) {
    double const exact = weight * one.gradient.at(n, c, y, x);
    double const stored = storage_rounding(types.gradient, one.gradient.at(n, c, y, x));
    ASSERT_NEAR(b.gradient.at(n, c, y, x), exact, rounding + 2 * stored) << s.label;
    ASSERT_NEAR(sum.gradient.at(n, c, y, x), before + exact,
                rounding + 2 * stored + limits_of(types.student, types.teacher).epsilon +
                    storage_rounding(types.gradient, before + exact))
        << s.label;
  });
  EXPECT_EQ(b.gradient.damaged_guards(), 0) << s.label;
}

void is_multiplied_by_its_weight(feature_case const& of, element type) {
  for (auto const& s : of.settings()) {
    if (of.with_weight(s, 1).own == nullptr) return;
    expect_weighed(of, element_types::all(type), map_layout::channels_first, s);
  }
  for (map_layout const order : every_layout)
    expect_weighed(of, element_types::all(type), order, of.settings().back());
  if (auto const types = mix<bfloat16, half, float>::types; of.takes(types))
    expect_weighed(of, types, map_layout::padded, of.settings().front());
  if (auto const types = mix<float, double, half>::types; of.takes(types))
    expect_weighed(of, types, map_layout::channels_first, of.settings().front());
}

void is_absent_with_weight_0(feature_case const& of, element type) {
  for (auto const& s : of.settings()) {
    auto const absent = of.with_weight(s, 0);
    if (absent.own == nullptr) return;
    for (map_layout const order : every_layout) {
      any_pair b(element_types::all(type), of.shapes().back(), 2.0, order, order, order);
      b.student.fill(std::nan("")), b.teacher.fill(std::nan(""));
      auto const expect_all = [&](some_map const& gradient, double expected) {
        for_each_element(gradient.shape(), [&](index n, index c, index y, index x) {
          ASSERT_EQ(gradient.at(n, c, y, x), expected) << s.label << ", " << name_of(order);
        });
        EXPECT_EQ(gradient.damaged_guards(), 0) << s.label << ", " << name_of(order);
      };
      b.gradient.fill(std::nan(""));
      loss_value const found = of.with_grad(b, absent);
      EXPECT_EQ(found.value, 0.0) << s.label;
      EXPECT_EQ(found.weight, 0.0) << s.label;
      EXPECT_EQ(of.value(b, absent).value, 0.0) << s.label;
      expect_all(b.gradient, 0.0);
      b.gradient.fill(0.5);
      of.with_grad(b, absent, true);
      expect_all(b.gradient, 0.5);
      of.with_grad(detail::any_policy(serial), b, b.student, absent);
      expect_all(b.student, 0.0);
    }
  }
}

void refuses_a_weight_that_is_none(feature_case const& of, element type) {
  std::string const expected = std::string("distil::") + of.name + ": weight is ";
  any_pair b(element_types::all(type), of.shapes().back());
  b.gradient.fill(0.5);
  auto const refuses = [&](double weight) {
    auto const s = of.with_weight(of.settings().front(), weight);
    if (s.own == nullptr) return true;
    return refusal_of([&] { of.with_grad(b, s); }).rfind(expected, 0) == 0 &&
           refusal_of([&] { (void)of.value(b, s); }).rfind(expected, 0) == 0;
  };
  for (double const weight : {-1.0, std::nan(""), HUGE_VAL}) EXPECT_TRUE(refuses(weight)) << weight;
  if (limits_of(type).epsilon > 1e-10) {
    EXPECT_TRUE(refuses(1e39));
  }
  for_each_element(b.student.shape(),
                   [&](index n, index c, index y, index x) { ASSERT_EQ(b.gradient.at(n, c, y, x), 0.5); });
}

/// One sample of each layer.
exact_map sample_of(exact_map const& map, index sample, index layers) {
  index const samples = map.samples() / layers;
  map_shape shape = map.shape;
  shape[0] = layers;
  exact_map result(shape);
  for_each_element(shape, [&](index layer, index c, index y, index x) {
    result(layer, c, y, x) = map(layer * samples + sample, c, y, x);
  });
  return result;
}

void gives_the_value_of_each_sample(feature_case const& of, element type) {
  for (auto const& s : of.settings()) {
    any_pair b(element_types::all(type), of.shapes().back());
    index const samples = b.student.shape()[0] / of.layers();
    std::vector<double> values(static_cast<std::size_t>(samples), 42.0), again = values;
    auto const with_values = of.with_values(s, values);
    if (with_values.own == nullptr) return;
    (void)of.value(b, with_values);
    auto const student = b.student.exact(), teacher = b.teacher.exact();
    for (index n = 0; n < samples; ++n) {
      auto const x = sample_of(student, n, of.layers()), y = sample_of(teacher, n, of.layers());
      auto const exact = static_cast<double>(of.of(x, y, s));
      double const scale = std::max(of.scales(x, y, s).value, exact);
      EXPECT_NEAR(values[static_cast<std::size_t>(n)], exact,
                  of.bound.value * limits_of(type).epsilon * scale)
          << s.label << ", sample " << n;
    }
    of.with_grad(b, of.with_weight(of.with_values(s, again), 0.5));
    EXPECT_EQ(again, values) << s.label;
    (void)of.value(b, of.with_weight(of.with_values(s, again), 0));
    EXPECT_EQ(again, std::vector<double>(again.size(), 0.0)) << s.label;
    again.resize(again.size() + 2);
    EXPECT_EQ(refusal_of([&] {
                (void)of.value(b, of.with_values(s, again));
              }).rfind(std::string("distil::") + of.name + ": values is of size ", 0),
              0U);
  }
}

void gives_the_same_bits_on_any_number_of_threads(feature_case const& of, element type) {
  auto const types = element_types::all(type);
  auto const s = of.settings().front();
  for (auto const& shape : of.large_shapes()) {
    any_pair b(types, shape), serially(types, shape);
    double const expected = of.with_grad(serially, s);
    auto const expect_same = [&](double value, std::string const& who) {
      EXPECT_EQ(value, expected) << who;
      for_each_element(b.student.shape(), [&](index n, index c, index y, index x) {
        ASSERT_EQ(b.gradient.at(n, c, y, x), serially.gradient.at(n, c, y, x)) << who;
      });
    };
    for (int threads = 1; threads <= 3; ++threads) {
      expect_same(of.with_grad(detail::any_policy(parallel_policy{threads}), b, b.gradient, s), "parallel");
      reversing_executor executor(threads);
      expect_same(of.with_grad(detail::any_policy(run_on(executor)), b, b.gradient, s), "own executor");
    }
  }
}

void is_defined_where_features_say_nothing(feature_case const& of, element type) {
  auto const types = element_types::all(type);
  for (auto const& s : of.settings()) {
    for (auto const& shape : {of.shapes().front(), of.shapes().back()}) {
      auto const expect_finite = [&](auto const& change, std::string const& what) {
        any_pair b(types, shape);
        change(b);
        EXPECT_TRUE(std::isfinite(of.with_grad(b, s).value)) << what << ", " << s.label;
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
      if (type == element::float32) {
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

void is_nan_with_a_nan(feature_case const& of, element type) {
  auto const types = element_types::all(type);
  for (auto const& s : of.settings()) {
    for (bool const of_teacher : {false, true}) {
      any_pair b(types, of.shapes().back());
      (of_teacher ? b.teacher : b.student).set(0, 0, 0, 0, std::nan(""));
      EXPECT_TRUE(std::isnan(of.with_grad(b, s).value))
          << s.label << (of_teacher ? ", teacher" : ", student");
    }
  }
}

void is_nothing_without_samples(feature_case const& of, element type) {
  auto const types = element_types::all(type);
  auto shape = of.shapes().back();
  shape.student[0] = shape.teacher[0] = 0;
  for (auto const& s : of.settings()) {
    any_pair b(types, shape);
    loss_value const found = of.with_grad(b, s);
    EXPECT_EQ(found.value, 0.0) << s.label;
    EXPECT_EQ(found.weight, 0.0) << s.label;
  }
}

void refuses_what_does_not_fit(feature_case const& of, element type) {
  auto const types = element_types::all(type);
  auto const s = of.settings().front();
  auto const shape = of.shapes().back();
  std::string const prefix = std::string("distil::") + of.name + ": ";
  auto fewer = shape;
  --fewer.teacher[of.samples_are_pairs ? 0 : 1];
  any_pair few(types, fewer);
  EXPECT_EQ(refusal_of([&] { (void)of.value(few, s); }).rfind(prefix + "teacher", 0), 0U);
  any_pair b(types, shape);
  auto other = shape;
  other.student[1] += 2;
  any_pair wide(types, other);
  EXPECT_EQ(refusal_of([&] {
              of.with_grad(detail::any_policy(serial), b, wide.gradient, s);
            }).rfind(prefix + "gradient is ", 0),
            0U);
  if (shape.student == shape.teacher) {
    EXPECT_EQ(refusal_of([&] {
                of.with_grad(detail::any_policy(serial), b, b.teacher, s);
              }).rfind(prefix + "gradient is ", 0),
              0U);
  }
}

}  // namespace

suite<feature_case> const& pair_suite() {
  static suite<feature_case> const result = {
      "pair_suite",
      __FILE__,
      {
          {"matches_the_reference_on_every_shape", matches_the_reference_on_every_shape},
          {"matches_the_reference_in_every_layout", matches_the_reference_in_every_layout},
          {"tells_all_its_sizes_apart", tells_all_its_sizes_apart},
          {"is_defined_where_student_and_teacher_agree", is_defined_where_student_and_teacher_agree},
          {"takes_other_element_types", takes_other_element_types},
          {"writes_in_place_and_adds", writes_in_place_and_adds},
          {"is_multiplied_by_its_weight", is_multiplied_by_its_weight},
          {"is_absent_with_weight_0", is_absent_with_weight_0},
          {"refuses_a_weight_that_is_none", refuses_a_weight_that_is_none},
          {"gives_the_value_of_each_sample", gives_the_value_of_each_sample},
          {"gives_the_same_bits_on_any_number_of_threads", gives_the_same_bits_on_any_number_of_threads},
          {"is_defined_where_features_say_nothing", is_defined_where_features_say_nothing},
          {"is_nan_with_a_nan", is_nan_with_a_nan},
          {"is_nothing_without_samples", is_nothing_without_samples},
          {"refuses_what_does_not_fit", refuses_what_does_not_fit},
      }};
  return result;
}

}  // namespace distil::testing
