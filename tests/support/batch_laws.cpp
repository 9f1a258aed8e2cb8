#include <cmath>
#include <functional>
#include <string>

#include "batch_expectations.hpp"
#include "batch_suite.hpp"
#include "weight_law.hpp"

namespace distil::testing {
namespace {

void holds_for_every_setting_at_every_temperature(batch_case const& of, element type) {
  auto const count = of.settings().size();
  std::vector<double> const weights = {0.5, 2.0, 1.0, 0.25, 3.0};
  for (std::size_t i = 0; i < count; ++i) {
    for (double const temperature : {0.75, 3.0}) {
      for (bool const squared : {false, true}) {
        auto const s = of.settings()[i];
        s->temperature = temperature;
        s->squared = squared;
        s->label += " at T=" + std::to_string(temperature) + (squared ? " with T^2" : " without T^2");
        any_batch b(element_types::all(type), 5, 21, 2.0);
        expect_coupled(of, b, *s, {.weights = weights}, "every temperature");
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

/// Why a row does not count.
struct reason {
  char const* name;
  std::function<void(any_batch&, coupled_rows&, index)> give;
};

void leaves_out_a_row_for_each_reason_alone(batch_case const& of, element type) {
  constexpr index rows = 6, columns = 13;
  std::vector<double> weights;
  std::vector<int> tokens;
  auto const mask = [](some_matrix& matrix, index row) {
    for (index c = 0; c < columns; ++c) matrix.set(row, c, minus_infinity);
  };
  reason const reasons[] = {
      {"weight 0",
       [&](any_batch&, coupled_rows& options, index r) {
         weights[static_cast<std::size_t>(r)] = 0;
         options.weights = weights;
       }},
      {"ignored label",
       [&](any_batch&, coupled_rows& options, index r) {
         tokens[static_cast<std::size_t>(r)] = -7;
         options.labels = tokens;
         options.ignore_label = -7;
       }},
      {"masked student", [&](any_batch& b, coupled_rows&, index r) { mask(b.student, r); }},
      {"masked teacher", [&](any_batch& b, coupled_rows&, index r) { mask(b.teacher, r); }}};
  for (reason const& why : reasons) {
    for (auto const& s : of.settings()) {
      for (bool const all : {false, true}) {
        any_batch b(element_types::all(type), rows, columns, 2.0);
        weights.assign(rows, 1.0);
        tokens.assign(rows, 1);
        coupled_rows options;
        for (index r = 0; r < rows; ++r) {
          if (all || r == 2) why.give(b, options, r);
        }
        std::string const where = std::string(why.name) + (all ? " everywhere, " : ", ") + s->label;
        expect_coupled(of, b, *s, options, where);
        if (::testing::Test::HasFatalFailure()) return;
        EXPECT_EQ(of.with_grad(b, *s, options).weight, all ? 0.0 : static_cast<double>(rows - 1)) << where;
        for (index c = 0; c < columns; ++c) ASSERT_EQ(b.gradient.at(2, c), 0.0) << where;
      }
    }
  }
}

void is_defined_where_student_and_teacher_agree(batch_case const& of, element type) {
  for (auto const& s : of.settings()) {
    for (index const columns : {2, 37}) {
      any_batch b(element_types::all(type), 9, columns, 3.0);
      for (index r = 0; r < b.rows; ++r) {
        for (index c = 0; c < columns; ++c) b.teacher.set(r, c, b.student.at(r, c));
      }
      loss_value const found = of.with_grad(b, *s, {});
      coupled_truth const exact = coupled_truth_of(of, b, *s, {});
      double const allowed = of.traits.bound.value * limits_of(type).epsilon * exact.value_scale;
      EXPECT_TRUE(close(found.value, exact.value, allowed)) << "equal, " << s->label;
      for (index r = 0; r < b.rows; ++r) {
        for (index c = 0; c < columns; ++c) ASSERT_TRUE(std::isfinite(b.gradient.at(r, c))) << s->label;
      }
    }
  }
}

void multiplies_all_by_its_weight(batch_case const& of, element type) {
  for (auto const& s : of.settings()) {
    any_batch b(element_types::all(type), 9, 37, 2.0);
    ASSERT_TRUE(takes_a_weight(of, b, *s)) << s->label;
    expect_multiplied(of, b, *s, limits_of(type).epsilon);
    expect_absent(of, b, *s);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace

suite<batch_case> const& batch_laws() {
  static suite<batch_case> const result = {
      "batch_laws",
      __FILE__,
      {
          {"holds_for_every_setting_at_every_temperature", holds_for_every_setting_at_every_temperature},
          {"leaves_out_a_row_for_each_reason_alone", leaves_out_a_row_for_each_reason_alone},
          {"is_defined_where_student_and_teacher_agree", is_defined_where_student_and_teacher_agree},
          {"multiplies_all_by_its_weight", multiplies_all_by_its_weight},
      }};
  return result;
}

}  // namespace distil::testing
