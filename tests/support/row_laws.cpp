#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <utility>

#include "refusal.hpp"
#include "response_suite.hpp"
#include "weight_law.hpp"

namespace distil::testing {
namespace {

/// Rows across the lanes, along them, in parts, and class-major.
struct batch_shape {
  index rows, columns;
  layout order;
};
constexpr batch_shape shapes[] = {{19, 6, layout::row_major},
                                  {7, 90, layout::padded},
                                  {2, 2 * simd::least_part_columns + 3, layout::row_major},
                                  {21, 12, layout::class_major}};

/// So long that the first setting does.
bool is_in_parts(index columns) { return columns >= 2 * simd::least_part_columns; }

/// Losses that take one temperature, or none.
bool has_one_temperature(row_case const& of) {
  std::string const name = of.traits.name;
  for (char const* each : {"margin_mse", "hard_distillation", "binary_cross_entropy"}) {
    if (name == each) return true;
  }
  return false;
}

void takes_a_temperature_and_a_weight_for_every_row(row_case const& of, element type) {
  double const epsilon = limits_of(type).epsilon;
  auto const count = of.settings().size();
  for (std::size_t i = 0; i < count; ++i) {
    for (auto const& [rows, columns, order] : shapes) {
      any_batch b(element_types::all(type), rows, columns, 2.0, order);
      std::vector<double> temperatures, weights;
      for (index r = 0; r < rows; ++r) {  // whole numbers and others, in no order
        temperatures.push_back(0.5 * static_cast<double>(2 + r * 5 % 7));
        weights.push_back(0.25 * static_cast<double>(1 + r * 3 % 5));
      }
      row_options const options{.weights = weights};
      if (is_in_parts(columns) && i > 0) continue;
      auto const s = of.settings()[i];
      auto const exact = truth_of_rows(of, b, options, epsilon, [&](index r) {
        auto const alone = of.settings()[i];
        alone->temperature = temperatures[static_cast<std::size_t>(r)];
        return truth_of(of, b, *alone, r);
      });
      s->temperature = setting_temperature(temperatures);
      (void)of.value(b, *s, options);
      EXPECT_EQ(s->temperature.was_taken(), !has_one_temperature(of));
      if (!s->temperature.was_taken()) return;
      expect_truth(of, b, exact, *s, options, "a temperature for every row");
      if (::testing::Test::HasFatalFailure()) return;
      if (of.traits.has_temperature_gradient) {
        std::vector<double> each(static_cast<std::size_t>(rows), 7.0), again = each;
        (void)of.value(b, *s, options, each);
        of.with_grad(b, *s, options, false, again);
        EXPECT_EQ(each, again) << s->label;
        expect_slopes(of, b, exact, temperatures, each, std::accumulate(each.begin(), each.end(), 0.0),
                      "a temperature for every row, " + s->label);
      }
    }
  }
}

void holds_for_every_setting_at_every_temperature(row_case const& of, element type) {
  auto const count = of.settings().size();
  for (std::size_t i = 0; i < count; ++i) {
    for (double const temperature : {0.75, 3.0}) {
      for (bool const squared : {false, true}) {
        auto const s = of.settings()[i];
        s->temperature = temperature;
        s->squared = squared;
        s->label += " at T=" + std::to_string(temperature) + (squared ? " with T^2" : " without T^2");
        for (index const columns : {4, 70}) {
          any_batch b(element_types::all(type), 5, columns, 2.0);
          expect_reference(of, b, *s, {}, "every temperature");
          if (::testing::Test::HasFatalFailure()) return;
          if (of.traits.has_temperature_gradient) {
            auto const exact = truth_of(of, b, *s, {}, limits_of(type).epsilon);
            std::vector<double> one(1, 7.0), each(5, 7.0);
            (void)of.value(b, *s, {}, each);
            of.with_grad(b, *s, {}, false, one);
            expect_slopes(of, b, exact, std::vector<double>(5, temperature), each, one[0], s->label);
          }
        }
      }
    }
  }
}

/// Why a row does not count.
struct reason {
  char const* name;
  std::function<void(any_batch&, row_options&, index)> give;
};

void leaves_out_a_row_for_each_reason_alone(row_case const& of, element type) {
  row_traits const& traits = of.traits;
  std::vector<double> weights;
  std::vector<int> tokens;
  auto const mask = [](some_matrix& matrix, index row, index columns) {
    for (index c = 0; c < columns; ++c) matrix.set(row, c, minus_infinity);
  };
  std::vector<reason> reasons = {{"weight 0", [&](any_batch&, row_options& rows, index r) {
                                    weights[static_cast<std::size_t>(r)] = 0;
                                    rows.weights = weights;
                                  }}};
  if (!traits.infinities_are_logits) {
    reasons.push_back(
        {"masked student", [&](any_batch& b, row_options&, index r) { mask(b.student, r, b.columns); }});
  }
  if (!traits.is_map) {
    reasons.push_back({"ignored token", [&](any_batch&, row_options& rows, index r) {
                         tokens[static_cast<std::size_t>(r)] = -7;
                         rows.labels = tokens;
                         rows.ignore_label = -7;
                       }});
    if (traits.has_teacher && !traits.counts_without_teacher && !traits.infinities_are_logits) {
      reasons.push_back(
          {"masked teacher", [&](any_batch& b, row_options&, index r) { mask(b.teacher, r, b.columns); }});
    }
  }
  if (traits.has_labels) {
    reasons.push_back({"ignored label", [](any_batch& b, row_options&, index r) {
                         b.labels[static_cast<std::size_t>(r)] = -100;
                       }});
  }
  for (reason const& why : reasons) {
    bool first = true;
    for (auto const& s : of.settings()) {
      for (auto const& [rows, columns, order] : shapes) {
        if (is_in_parts(columns) && !std::exchange(first, false)) continue;
        for (bool const all : {false, true}) {
          if (all && is_in_parts(columns)) continue;
          any_batch b(element_types::all(type), rows, columns, 2.0, order);
          weights.assign(static_cast<std::size_t>(rows), 1.0);
          tokens.assign(static_cast<std::size_t>(rows), 1);
          std::vector<double> values(static_cast<std::size_t>(rows), 7.0);
          row_options options{.values = values};
          index const out = rows / 2;
          for (index r = 0; r < rows; ++r) {
            if (all || r == out) why.give(b, options, r);
          }
          std::string const where = std::string(why.name) + (all ? " everywhere, " : ", ") + s->label;
          expect_reference(of, b, *s, options, where);
          if (::testing::Test::HasFatalFailure()) return;
          loss_value const found = of.with_grad(b, *s, options);
          EXPECT_EQ(found.weight, all ? 0.0 : static_cast<double>(rows - 1)) << where;
          if (all) {
            EXPECT_EQ(found.value, 0.0) << where;
          }
          EXPECT_EQ(values[static_cast<std::size_t>(out)], 0.0) << where;
          for (index c = 0; c < columns; ++c) ASSERT_EQ(b.gradient.at(out, c), 0.0) << where;
        }
      }
    }
  }
}

/// Each term of such a loss is the mean over its own rows.
void keeps_the_hard_term_of_a_row_without_teacher(row_case const& of, element type) {
  if (!of.traits.counts_without_teacher) return;
  for (auto const& s : of.settings()) {
    for (index const columns : {6, 90}) {
      any_batch b(element_types::all(type), 7, columns, 2.0),
          ignored(element_types::all(type), 7, columns, 2.0);
      for (index c = 0; c < columns; ++c) b.teacher.set(3, c, minus_infinity);
      std::vector<double> values(7), of_others(7);
      EXPECT_EQ(of.with_grad(b, *s, {.values = values}).weight, 7.0)
          << s->label;  // the largest of the terms'
      ignored.labels[3] = -100;
      EXPECT_EQ(of.with_grad(ignored, *s, {.values = of_others}).weight, 6.0) << s->label;
      double sum = 0;
      for (index c = 0; c < columns; ++c) {
        ASSERT_TRUE(std::isfinite(b.gradient.at(3, c))) << s->label;
        sum += std::abs(b.gradient.at(3, c));
      }
      EXPECT_EQ(sum > 0, s->hard_weight > 0) << s->label;
      EXPECT_EQ(values[3] > 0, s->hard_weight > 0) << s->label;
      for (std::size_t r = 0; r < 7; ++r) {
        if (r != 3) {
          EXPECT_EQ(values[r], of_others[r]) << s->label;
        }
      }
    }
  }
}

void is_defined_where_student_and_teacher_agree(row_case const& of, element type) {
  if (!of.traits.has_teacher || of.traits.is_map) return;
  bool first = true;
  for (auto const& s : of.settings()) {
    for (auto const& [rows, columns, order] : shapes) {
      if (is_in_parts(columns) && !std::exchange(first, false)) continue;
      any_batch b(element_types::all(type), rows, columns, 4.0, order);
      for (index r = 0; r < rows; ++r) {
        for (index c = 0; c < columns; ++c) b.teacher.set(r, c, b.student.at(r, c));
      }
      std::string const where = "equal, " + s->label;
      loss_value const found = of.with_grad(b, *s, {});
      batch_truth const exact = truth_of(of, b, *s, {}, limits_of(type).epsilon);
      EXPECT_TRUE(std::isfinite(found.value)) << where;
      EXPECT_TRUE(close(found.value, exact.value, exact.value_error)) << where;
      for (index r = 0; r < rows; ++r) {
        for (index c = 0; c < columns; ++c) ASSERT_TRUE(std::isfinite(b.gradient.at(r, c))) << where;
      }
    }
  }
}

/// Of either sign, they multiply what a row has without them, and no divisor.
void multiplies_rows_by_their_coefficients(row_case const& of, element type) {
  if (of.traits.is_map) return;
  auto const s = of.settings().front();
  double const epsilon = limits_of(type).epsilon;
  for (auto const& [rows, columns, order] : shapes) {
    auto const count = static_cast<std::size_t>(rows);
    std::vector<double> weights, signs, values(count), again(count), slopes(count), moved(count);
    for (index r = 0; r < rows; ++r) {
      weights.push_back(0.25 * static_cast<double>(1 + r * 3 % 5));
      signs.push_back(0.75 * static_cast<double>(r * 3 % 5 - 2));  // 0 among them
    }
    bool const slope = of.traits.has_temperature_gradient;
    any_batch plain(element_types::all(type), rows, columns, 2.0, order),
        b(element_types::all(type), rows, columns, 2.0, order);
    loss_value const before = of.with_grad(plain, *s, {.weights = weights, .values = values}, false,
                                           slope ? std::span<double>(slopes) : std::span<double>());
    for (row_parameter const& coefficients : {row_parameter(signs), row_parameter(-0.75)}) {
      loss_value const found =
          of.with_grad(b, *s, {.weights = weights, .coefficients = coefficients, .values = again}, false,
                       slope ? std::span<double>(moved) : std::span<double>());
      EXPECT_EQ(found.weight, before.weight);
      double expected = 0.0, size = 0.0;
      for (index r = 0; r < rows; ++r) {
        auto const at = static_cast<std::size_t>(r);
        double const by = coefficients[r], part = weights[at] * values[at] / before.weight;
        expected += by * part;
        size += std::abs(by * part);
        EXPECT_EQ(again[at], by != 0.0 ? values[at] : 0.0) << "row " << r;
        if (slope) {
          EXPECT_NEAR(moved[at], by * slopes[at], 4 * epsilon * std::abs(by * slopes[at]));
        }
        double largest = 0.0;
        for (index c = 0; c < columns; ++c) {
          largest = std::max(largest, std::abs(by * plain.gradient.at(r, c)));
        }
        for (index c = 0; c < columns; ++c) {
          double const gradient = by * plain.gradient.at(r, c);
          ASSERT_NEAR(b.gradient.at(r, c), gradient,
                      64 * epsilon * largest + 3 * storage_rounding(type, gradient))
              << r << ", " << c;
        }
      }
      EXPECT_NEAR(found.value, expected, 16 * epsilon * size);
    }
  }
  any_batch b(element_types::all(type), 2, 3);
  std::vector<double> const infinite = {1.0, -minus_infinity};
  EXPECT_NE(refusal_of([&] { of.with_grad(b, *s, {.coefficients = infinite}); }), "");
  EXPECT_NE(refusal_of([&] { of.with_grad(b, *s, {.coefficients = std::nan("")}); }), "");
}

/// Losses that are terms of no sum are weighed by an option, the others by a coefficient.
bool has_a_weight(row_case const& of) {
  std::string const name = of.traits.name;
  for (char const* each :
       {"margin_mse", "list_maximum_likelihood", "pairwise_hinge", "pairwise_logistic", "universal_logits",
        "projected_kl", "logit_standardization", "learning_without_forgetting"}) {
    if (name == each) return true;
  }
  return false;
}

void multiplies_all_by_its_weight(row_case const& of, element type) {
  double const epsilon = limits_of(type).epsilon;
  for (auto const& s : of.settings()) {
    for (auto const& [rows, columns, order] : shapes) {
      if (is_in_parts(columns)) continue;
      any_batch b(element_types::all(type), rows, columns, 2.0, order);
      bool const taken = takes_a_weight(of, b, *s);
      ASSERT_EQ(taken, has_a_weight(of)) << s->label;
      if (!taken) return;
      expect_multiplied(of, b, *s, epsilon);
      if (of.traits.has_temperature_gradient) {
        std::vector<double> one(1), weighed(1), absent(1, 7.0);
        s->weight = 1.0;
        (void)of.value(b, *s, {}, one);
        s->weight = 0.375;
        (void)of.value(b, *s, {}, weighed);
        EXPECT_NEAR(weighed[0], 0.375 * one[0], 4 * epsilon * std::abs(one[0])) << s->label;
        s->weight = 0.0;
        (void)of.value(b, *s, {}, absent);
        EXPECT_EQ(absent[0], 0.0) << s->label;
      }
      expect_absent(of, b, *s);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

}  // namespace

suite<row_case> const& row_laws() {
  static suite<row_case> const result = {
      "row_laws",
      __FILE__,
      {
          {"takes_a_temperature_and_a_weight_for_every_row", takes_a_temperature_and_a_weight_for_every_row},
          {"holds_for_every_setting_at_every_temperature", holds_for_every_setting_at_every_temperature},
          {"leaves_out_a_row_for_each_reason_alone", leaves_out_a_row_for_each_reason_alone},
          {"keeps_the_hard_term_of_a_row_without_teacher", keeps_the_hard_term_of_a_row_without_teacher},
          {"is_defined_where_student_and_teacher_agree", is_defined_where_student_and_teacher_agree},
          {"multiplies_rows_by_their_coefficients", multiplies_rows_by_their_coefficients},
          {"multiplies_all_by_its_weight", multiplies_all_by_its_weight},
      }};
  return result;
}

}  // namespace distil::testing
