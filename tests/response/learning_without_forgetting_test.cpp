#include "distil/response/learning_without_forgetting.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "../support/behaviour_suite.hpp"
#include "../support/cases/learning_without_forgetting.hpp"
#include "../support/refusal.hpp"

namespace distil::testing {
namespace {

row_suites<learning_without_forgetting_case> const suites("learning_without_forgetting");

/// A student of `columns` classes, an old network of the first `known`, and the loss by its formula.
struct grown {
  index rows, columns, known;
  owned_matrix<double> student, teacher, gradient;

  grown(index the_rows, index the_columns, index the_known, layout order)
      : rows(the_rows),
        columns(the_columns),
        known(the_known),
        student(rows, columns, order),
        teacher(rows, known, order),
        gradient(rows, columns, order) {
    numbers random(static_cast<std::uint64_t>(rows + 100 * columns + known));
    for (index r = 0; r < rows; ++r) {
      for (index c = 0; c < columns; ++c) student.set(r, c, 3.0 * random.next());
      for (index c = 0; c < known; ++c) teacher.set(r, c, 3.0 * random.next());
    }
  }

  struct expected {
    long double value;
    std::vector<long double> gradient;
  };
  [[nodiscard]] expected of(index row, long double T, new_classes beyond) const {
    index const over = beyond == new_classes::left_out ? known : columns;
    long double of_student = 0, of_teacher = 0;
    for (index c = 0; c < over; ++c) of_student += std::exp(student.at(row, c) / T);
    for (index c = 0; c < known; ++c) of_teacher += std::exp(teacher.at(row, c) / T);
    expected result{0, std::vector<long double>(static_cast<std::size_t>(columns), 0)};
    for (index c = 0; c < over; ++c) {
      long double const log_q = student.at(row, c) / T - std::log(of_student);
      long double const p = c < known ? std::exp(teacher.at(row, c) / T) / of_teacher : 0.0L;
      result.value -= p * log_q;
      result.gradient[static_cast<std::size_t>(c)] = (std::exp(log_q) - p) / T;
    }
    return result;
  }

  void expect(new_classes beyond, long double T, char const* what) {
    double const value = learning_without_forgetting.with_grad(
        student.view(), teacher.view(), gradient.view(),
        {.temperature = static_cast<double>(T), .beyond = beyond, .rows = {.reduce = reduction::sum}});
    long double sum = 0;
    for (index r = 0; r < rows; ++r) {
      expected const row = of(r, T, beyond);
      sum += row.value;
      for (index c = 0; c < columns; ++c) {
        ASSERT_NEAR(gradient.at(r, c), static_cast<double>(row.gradient[static_cast<std::size_t>(c)]), 1e-14)
            << what << " at " << r << ", " << c;
      }
    }
    EXPECT_NEAR(value, static_cast<double>(sum), 1e-12 * (1 + std::abs(value))) << what;
    EXPECT_EQ(
        value,
        double(learning_without_forgetting(
            student.view(), teacher.view(),
            {.temperature = static_cast<double>(T), .beyond = beyond, .rows = {.reduce = reduction::sum}})));
    EXPECT_EQ(gradient.damaged_guards(), 0) << what;
  }
};

TEST(learning_without_forgetting, is_its_formula_for_fewer_old_classes) {
  for (auto const order : {layout::row_major, layout::padded, layout::class_major, layout::every_other}) {
    for (auto const& [rows, columns, known] : std::vector<std::array<index, 3>>{
             {1, 2, 1}, {3, 7, 5}, {5, 33, 32}, {17, 10, 4}, {40, 6, 5}, {2, 1100, 1024}, {1, 9001, 3000}}) {
      grown b(rows, columns, known, order);
      b.expect(new_classes::left_out, 2, name_of(order));
      b.expect(new_classes::zero_targets, 2, name_of(order));
      b.expect(new_classes::zero_targets, 1, name_of(order));
    }
  }
}

TEST(learning_without_forgetting, leaves_new_classes_alone_when_it_adds) {
  grown b(2, 5, 3, layout::row_major);
  for (index c = 0; c < 5; ++c) b.gradient.set(1, c, 10.0);
  learning_without_forgetting.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(),
                                        {.accumulate = true});
  auto const row = b.of(1, 2, new_classes::left_out);
  for (index c = 0; c < 5; ++c) {
    EXPECT_NEAR(b.gradient.at(1, c),
                10.0 + static_cast<double>(row.gradient[static_cast<std::size_t>(c)]) / 2, 1e-14);
  }
}

TEST(learning_without_forgetting, a_new_class_is_not_read_where_it_is_left_out) {
  grown b(2, 5, 3, layout::row_major);
  double const before = learning_without_forgetting(b.student.view(), b.teacher.view());
  b.student.set(0, 4, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(double(learning_without_forgetting(b.student.view(), b.teacher.view())), before);
  EXPECT_TRUE(std::isnan(double(learning_without_forgetting(b.student.view(), b.teacher.view(),
                                                            {.beyond = new_classes::zero_targets}))));
}

/// What the new classes take from the old ones is paid for: log of what all have over what the old ones have.
TEST(learning_without_forgetting, both_kinds_differ_by_the_mass_of_the_new_classes) {
  grown b(1, 6, 4, layout::row_major);
  double old = 0, all = 0;
  for (index c = 0; c < 6; ++c) (c < 4 ? old : all) += std::exp(b.student.at(0, c) / 2);
  all += old;
  double const left_out = learning_without_forgetting(b.student.view(), b.teacher.view());
  double const zero =
      learning_without_forgetting(b.student.view(), b.teacher.view(), {.beyond = new_classes::zero_targets});
  EXPECT_NEAR(zero - left_out, std::log(all / old), 1e-14);
}

TEST(learning_without_forgetting, works_in_place) {
  grown b(3, 6, 4, layout::padded);
  learning_without_forgetting.with_grad(b.student.view(), b.teacher.view(), b.gradient.view());
  learning_without_forgetting.with_grad(b.student.view(), b.teacher.view(), b.student.view());
  for (index c = 0; c < 6; ++c) EXPECT_EQ(b.student.at(2, c), b.gradient.at(2, c));
}

TEST(learning_without_forgetting, refuses_an_old_network_that_knows_more) {
  grown b(2, 3, 3, layout::row_major);
  owned_matrix<double> const wider(2, 4, layout::row_major);
  EXPECT_EQ(refusal_of([&] { (void)learning_without_forgetting(b.student.view(), wider.view()); }),
            "distil::learning_without_forgetting: number of old classes is 4; it must be within [1, 3], the "
            "classes of the student");
  owned_matrix<double> narrow(2, 2, layout::row_major);
  EXPECT_NE(refusal_of([&] {
              learning_without_forgetting.with_grad(b.student.view(), narrow.view(), narrow.view());
            }),
            "");
}

}  // namespace
}  // namespace distil::testing
