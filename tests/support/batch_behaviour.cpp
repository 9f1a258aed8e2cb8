#include <algorithm>
#include <cmath>

#include "batch_expectations.hpp"
#include "batch_suite.hpp"

namespace distil::testing {
namespace {

void is_nan_with_a_nan_that_counts(batch_case const& of, element type) {
  auto const types = element_types::all(type);
  for (double const poison : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    for (bool const of_teacher : {false, true}) {
      any_batch b(types, 6, 40);
      (of_teacher ? b.teacher : b.student).set(2, 39, poison);
      EXPECT_TRUE(std::isnan(of.with_grad(b, *of.settings().front(), {}).value));
      for (index c = 0; c < 40; ++c) EXPECT_TRUE(std::isnan(b.gradient.at(2, c))) << c;
    }
  }
}

void stays_finite_at_the_extremes(batch_case const& of, element type) {
  auto const types = element_types::all(type);
  for (double const magnitude : {1e-3, 60.0, 1e4}) {
    for (double const temperature : {0.05, 1.0, 100.0}) {
      for (index const columns : {1, 2, 17, 300}) {
        if (columns > of.traits.most_columns) continue;
        auto s = of.settings().front();
        s->temperature = temperature;
        any_batch b(types, 18, columns, magnitude);
        for (index c = 0; c < columns; ++c) {
          b.teacher.set(0, c, c == 0 ? magnitude : -magnitude);
          b.student.set(1, c, c == 0 ? magnitude : -magnitude);
          b.teacher.set(2, c, b.student.at(2, c));
        }
        double const value = of.with_grad(b, *s, {});
        EXPECT_TRUE(std::isfinite(value)) << magnitude << " at " << temperature;
        EXPECT_GE(value, 0.0);
        for (index r = 0; r < 18; ++r) {
          for (index c = 0; c < columns; ++c) {
            ASSERT_TRUE(std::isfinite(b.gradient.at(r, c))) << magnitude << " at " << temperature;
          }
        }
      }
    }
  }
}

void gives_the_same_bits_on_any_number_of_threads(batch_case const& of, element type) {
  auto const types = element_types::all(type);
  auto const s = of.settings().front();
  struct sizes {
    index rows, columns;
  };
  for (sizes const& size : {sizes{260, 140}, sizes{70, 700}, sizes{700, 60}}) {
    index const rows = size.rows, columns = size.columns;
    if (columns > of.traits.most_columns) continue;
    any_batch b(types, rows, columns, 4.0, layout::padded);
    auto const serially = make_matrix(type, rows, columns);
    double const expected = of.with_grad(detail::any_policy(serial), b, *serially, *s, {});
    auto const expect_same = [&](double value, std::string const& who) {
      EXPECT_EQ(value, expected) << who;
      for (index r = 0; r < rows; ++r) {
        for (index c = 0; c < columns; ++c) ASSERT_EQ(b.gradient.at(r, c), serially->at(r, c)) << who;
      }
    };
    for (int threads = 1; threads <= 3; ++threads) {
      expect_same(of.with_grad(detail::any_policy(parallel_policy{threads}), b, b.gradient, *s, {}),
                  "parallel");
      reversing_executor executor(threads);
      expect_same(of.with_grad(detail::any_policy(run_on(executor)), b, b.gradient, *s, {}), "own executor");
    }
  }
}

void writes_in_place_and_adds(batch_case const& of, element type) {
  auto const types = element_types::all(type);
  for (auto const& s : of.settings()) {
    for (layout const order : {layout::padded, layout::class_major, layout::every_other}) {
      any_batch b(types, 20, 37, 3.0, order), in_place(types, 20, 37, 3.0, order),
          sum(types, 20, 37, 3.0, order);
      of.with_grad(b, *s, {});
      of.with_grad(detail::any_policy(serial), in_place, in_place.student, *s, {});
      for (index r = 0; r < 20; ++r) {
        for (index c = 0; c < 37; ++c) {
          ASSERT_EQ(in_place.student.at(r, c), b.gradient.at(r, c)) << name_of(order);
          sum.gradient.set(r, c, 0.5);
        }
      }
      of.with_grad(sum, *s, {}, true);
      double const allowed = limits_of(type).epsilon;
      for (index r = 0; r < 20; ++r) {
        for (index c = 0; c < 37; ++c) {
          ASSERT_NEAR(sum.gradient.at(r, c) - 0.5, b.gradient.at(r, c),
                      allowed * (1 + std::abs(b.gradient.at(r, c))));
        }
      }
      EXPECT_EQ(sum.gradient.damaged_guards(), 0);
    }
  }
}

void takes_other_element_types(batch_case const& of, element) {
  element_types const types = mix<half, bfloat16, bfloat16>::types;
  if (of.takes(types)) {
    for (auto const& s : of.settings()) {
      any_batch b(types, 18, 33, 3.0, layout::class_major);
      expect_coupled(of, b, *s, {}, "half, bfloat16, bfloat16");
    }
  }
}

void allocates_nothing_after_its_first_call(batch_case const& of, element type) {
  auto const types = element_types::all(type);
  if (!of.traits.call_allocates) {
    for (auto const& [rows, columns, order] : allocation_shapes) {
      if (columns > std::min<index>(of.traits.most_columns, 1000)) continue;
      any_batch b(types, rows, columns, 4.0, order);
      std::vector<double> const weights(static_cast<std::size_t>(rows), 0.5);
      for (auto const& s : of.settings()) {
        expect_no_allocation(s->label, [&] { (void)of.value(b, *s, {}); });
        expect_no_allocation(s->label + ", gradient",
                             [&] { of.with_grad(b, *s, {.weights = weights}, true); });
      }
    }
  }
}

}  // namespace

std::vector<suite_test<batch_case>> batch_behaviour() {
  return {
      {"is_nan_with_a_nan_that_counts", is_nan_with_a_nan_that_counts},
      {"stays_finite_at_the_extremes", stays_finite_at_the_extremes},
      {"gives_the_same_bits_on_any_number_of_threads", gives_the_same_bits_on_any_number_of_threads},
      {"writes_in_place_and_adds", writes_in_place_and_adds},
      {"takes_other_element_types", takes_other_element_types},
      {"allocates_nothing_after_its_first_call", allocates_nothing_after_its_first_call},
  };
}

}  // namespace distil::testing
