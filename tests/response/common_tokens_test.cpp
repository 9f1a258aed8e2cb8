#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include "../support/batches.hpp"
#include "../support/engine.hpp"
#include "../support/refusal.hpp"
#include "distil/response/cross_entropy.hpp"
#include "distil/response/universal_logits.hpp"

/// The hybrid form of `universal_logits`: tokens in common, and merged ones.
namespace distil::testing {
namespace {

using row_of_numbers = std::vector<double>;

row_of_numbers softmax_of(row_of_numbers const& logits, double T) {
  row_of_numbers result(logits);
  double const top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (double& x : result) sum += x = std::exp((x - top) / T);
  for (double& x : result) x /= sum;
  return result;
}

struct hybrid {
  std::vector<int> student, teacher;  ///< classes in common
  double mix = 0.5, weight = 0.5, weight_of_others = 0.5;
};

double x_log_ratio(double x, double y) { return x == 0 ? 0 : x * std::log(x / y); }

struct found {
  double value = 0;
  row_of_numbers gradient = {};
};

/// The loss of one row by its definition, from logits, and its gradient by way of dL/dq.
found formula(row_of_numbers const& z, row_of_numbers const& t, double T, double teacher_T,
              double student_log_mass, double teacher_log_mass, hybrid const& of) {
  row_of_numbers const q = softmax_of(z, T), p = softmax_of(t, teacher_T);
  auto const own = [&](int i) { return q[static_cast<std::size_t>(i)] * std::exp(student_log_mass); };
  auto const other = [&](int i) { return p[static_cast<std::size_t>(i)] * std::exp(teacher_log_mass); };
  found result;
  row_of_numbers by_log(q.size());  // dL/dlog q
  for (std::size_t k = 0; k < of.student.size(); ++k) {
    double const a = own(of.student[k]), b = other(of.teacher[k]), m = of.mix * b + (1 - of.mix) * a;
    double& slope = by_log[static_cast<std::size_t>(of.student[k])];
    if (of.mix == 0) {
      result.value += of.weight * x_log_ratio(b, a);
      slope = -of.weight * b;
    } else if (of.mix == 1) {
      result.value += of.weight * x_log_ratio(a, b);
      slope = of.weight * (x_log_ratio(a, b) + a);
    } else {
      result.value += of.weight * (of.mix * x_log_ratio(b, m) + (1 - of.mix) * x_log_ratio(a, m));
      slope = of.weight * (1 - of.mix) * x_log_ratio(a, m);
    }
  }
  auto const rest = [](std::size_t size, std::vector<int> const& listed, auto const& at) {
    std::vector<int> classes;
    for (int i = 0; i < static_cast<int>(size); ++i) {
      if (std::find(listed.begin(), listed.end(), i) == listed.end()) classes.push_back(i);
    }
    std::sort(classes.begin(), classes.end(), [&](int i, int k) { return at(i) > at(k); });
    return classes;
  };
  std::vector<int> const ours = rest(q.size(), of.student, own), theirs = rest(p.size(), of.teacher, other);
  for (std::size_t r = 0; !ours.empty() && !theirs.empty() && r < std::max(ours.size(), theirs.size()); ++r) {
    double const a = r < ours.size() ? own(ours[r]) : 0, b = r < theirs.size() ? other(theirs[r]) : 0;
    result.value += of.weight_of_others * std::abs(a - b);
    if (r < ours.size()) by_log[static_cast<std::size_t>(ours[r])] = of.weight_of_others * (a > b ? a : -a);
  }
  double const sum = std::accumulate(by_log.begin(), by_log.end(), 0.0);
  for (std::size_t i = 0; i < q.size(); ++i) result.gradient.push_back((by_log[i] - q[i] * sum) / T);
  return result;
}

struct vocabularies {
  index rows, columns, of_teacher;
  owned_matrix<double> student, teacher, gradient;
  std::vector<double> student_mass, teacher_mass;
  hybrid of;

  vocabularies(index the_rows, index the_columns, index the_teacher, std::size_t in_common)
      : rows(the_rows),
        columns(the_columns),
        of_teacher(the_teacher),
        student(rows, columns, layout::padded),
        teacher(rows, of_teacher, layout::row_major),
        gradient(rows, columns, layout::padded) {
    numbers random(static_cast<std::uint64_t>(columns * 100 + of_teacher));
    for (index r = 0; r < rows; ++r) {
      for (index c = 0; c < columns; ++c) student.set(r, c, 3.0 * random.next());
      for (index c = 0; c < of_teacher; ++c) teacher.set(r, c, 3.0 * random.next());
      student_mass.push_back(-1.0 - random.next());
      teacher_mass.push_back(-1.0 - random.next());
    }
    // Ids of one token differ between the vocabularies, in no order.
    for (std::size_t k = 0; k < in_common; ++k) {
      of.student.push_back(static_cast<int>((3 * k + 1) % static_cast<std::size_t>(columns)));
      of.teacher.push_back(static_cast<int>(static_cast<std::size_t>(of_teacher) - 1 - k));
    }
  }
  [[nodiscard]] universal_logits_options options(std::optional<double> teacher_T = std::nullopt) const {
    universal_logits_options result{.temperature = 2};
    if (teacher_T) result.teacher_temperature = *teacher_T;
    result.in_common = {of.student, of.teacher, of.mix, of.weight, of.weight_of_others};
    result.student_log_mass = student_mass;
    result.teacher_log_mass = teacher_mass;
    return result;
  }
  [[nodiscard]] double exact(index r, double T, double teacher_T, double more_mass = 0) const {
    return all_of(r, T, teacher_T, more_mass).value;
  }
  [[nodiscard]] found all_of(index r, double T, double teacher_T, double more_mass = 0) const {
    auto const at = static_cast<std::size_t>(r);
    return formula(student.row<double>(r), teacher.row<double>(r), T, teacher_T, student_mass[at] + more_mass,
                   teacher_mass[at], of);
  }
};

TEST(common_tokens, are_compared_as_they_are_and_the_rest_ranked) {
  for (double const mix : {0.0, 0.3, 0.5, 1.0}) {
    for (auto const& [columns, of_teacher, in_common] : std::vector<std::array<index, 3>>{
             {7, 10, 4}, {10, 7, 3}, {8, 8, 0}, {40, 20, 20}, {1100, 1300, 500}}) {
      vocabularies b(3, columns, of_teacher, static_cast<std::size_t>(in_common));
      b.of.mix = mix;
      universal_logits_options options = b.options(1.25);
      std::vector<double> by_mass(3), values(3), slope(3), teacher_slope(3);
      options.student_log_mass_gradient = by_mass;
      options.temperature_gradient = slope;
      options.teacher_temperature_gradient = teacher_slope;
      options.rows = {.reduce = reduction::sum, .values = values};
      double const value =
          universal_logits.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), options);
      options.student_log_mass_gradient = {};
      EXPECT_EQ(value, double(universal_logits(b.student.view(), b.teacher.view(), options)));
      constexpr double h = 1e-5;
      auto const slope_of = [&](auto const& moved) { return (moved(h) - moved(-h)) / (2 * h); };
      for (index r = 0; r < 3; ++r) {
        auto const at = static_cast<std::size_t>(r);
        EXPECT_NEAR(values[at], b.exact(r, 2, 1.25), 1e-13);
        EXPECT_NEAR(by_mass[at], slope_of([&](double d) { return b.exact(r, 2, 1.25, d); }), 1e-9);
        row_of_numbers const exact = b.all_of(r, 2, 1.25).gradient;
        for (index c = 0; c < columns; ++c) {
          ASSERT_NEAR(b.gradient.at(r, c), exact[static_cast<std::size_t>(c)], 1e-15)
              << mix << " at " << r << ", " << c;
        }
        if (columns > 100) continue;  // of so many ranks a difference passes some
        EXPECT_NEAR(slope[at], slope_of([&](double d) { return b.exact(r, 2 + d, 1.25); }), 1e-9);
        EXPECT_NEAR(teacher_slope[at], slope_of([&](double d) { return b.exact(r, 2, 1.25 + d); }), 1e-9);
        for (index c = 0; c < columns; ++c) {
          double const before = b.student.at(r, c);
          double const expected = slope_of([&](double d) {
            b.student.set(r, c, before + d);
            return b.exact(r, 2, 1.25);
          });
          b.student.set(r, c, before);
          EXPECT_NEAR(b.gradient.at(r, c), expected, 1e-9)
              << mix << ", " << columns << " at " << r << ", " << c;
        }
      }
    }
  }
}

TEST(common_tokens, are_weighed_by_their_share_of_the_teachers_vocabulary) {
  vocabularies b(2, 9, 12, 3);
  b.of.weight = 3.0 / 12;
  b.of.weight_of_others = 9.0 / 12;
  universal_logits_options const wanted = b.options();
  universal_logits_options by_default = wanted;
  by_default.in_common = {.student = b.of.student, .teacher = b.of.teacher};
  EXPECT_EQ(double(universal_logits(b.student.view(), b.teacher.view(), by_default)),
            double(universal_logits(b.student.view(), b.teacher.view(), wanted)));
}

TEST(common_tokens, have_no_rest_where_one_vocabulary_has_none) {
  vocabularies b(1, 4, 9, 4);
  EXPECT_NEAR(double(universal_logits(b.student.view(), b.teacher.view(), b.options())), b.exact(0, 2, 2),
              1e-14);
  b.of.weight = 0.0;
  EXPECT_EQ(double(universal_logits(b.student.view(), b.teacher.view(), b.options())), 0.0);
}

/// A token that the student spells with two: the probability of the second multiplies the first row, and the derivative by
/// it comes back to the second as a coefficient of its cross entropy.
TEST(common_tokens, merged_tokens_learn_through_cross_entropy) {
  vocabularies b(2, 8, 6, 3);
  constexpr double T = 2;
  std::vector<int> const tokens{0, 5};
  matrix_view<double> const second(&b.student.view()(1, 0), 1, 8),
      second_gradient(&b.gradient.view()(1, 0), 1, 8);
  matrix_view<double> const first(&b.student.view()(0, 0), 1, 8),
      first_gradient(&b.gradient.view()(0, 0), 1, 8);
  matrix_view<double const> const teacher(&b.teacher.view()(0, 0), 1, 6);
  auto const log_mass = [&] { return -double(cross_entropy(second, {5}, {.temperature = T})); };
  auto const loss = [&] {
    return formula(b.student.row<double>(0), b.teacher.row<double>(0), T, T, log_mass(), 0.0, b.of).value;
  };
  std::vector<double> const mass{log_mass()};
  std::vector<double> by_mass(1);
  universal_logits_options options{.temperature = T, .student_log_mass = mass};
  options.in_common = {b.of.student, b.of.teacher, b.of.mix, b.of.weight, b.of.weight_of_others};
  options.student_log_mass_gradient = by_mass;
  double const value = universal_logits.with_grad(first, teacher, first_gradient, options);
  EXPECT_NEAR(value, loss(), 1e-14);
  cross_entropy.with_grad(second, {5}, second_gradient,
                          {.temperature = T, .rows = {.coefficients = -by_mass[0]}});
  constexpr double h = 1e-5;
  for (index r = 0; r < 2; ++r) {
    for (index c = 0; c < 8; ++c) {
      double const before = b.student.at(r, c);
      b.student.set(r, c, before + h);
      double const above = loss();
      b.student.set(r, c, before - h);
      double const below = loss();
      b.student.set(r, c, before);
      EXPECT_NEAR(b.gradient.at(r, c), (above - below) / (2 * h), 1e-9) << r << ", " << c;
    }
  }
}

TEST(common_tokens, take_extremes) {
  vocabularies b(1, 6, 6, 2);
  b.student.set(0, b.of.student[0], minus_infinity);
  b.teacher.set(0, b.of.teacher[1], minus_infinity);
  b.student_mass[0] = minus_infinity;
  b.gradient.set(0, 0, std::numeric_limits<double>::quiet_NaN());
  double const value =
      universal_logits.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), b.options());
  EXPECT_NEAR(value, b.exact(0, 2, 2), 1e-14);
  for (index c = 0; c < 6; ++c) EXPECT_EQ(b.gradient.at(0, c), 0.0);
}

TEST(common_tokens, refuse_what_is_no_pairing) {
  vocabularies b(2, 6, 6, 2);
  auto const refused = [&](std::vector<int> const& student, std::vector<int> const& teacher,
                           double mix = 0.5) {
    b.of.student = student;
    b.of.teacher = teacher;
    b.of.mix = mix;
    return refusal_of([&] { (void)universal_logits(b.student.view(), b.teacher.view(), b.options()); });
  };
  std::string const where = "distil::universal_logits: ";
  EXPECT_EQ(refused({1, 2}, {1}),
            where + "in_common.teacher is of size 1; it must be of the size of in_common.student, 2");
  EXPECT_EQ(refused({1, 6}, {1, 2}),
            where + "in_common.student is 6 at 1; it must be within [0, 6), a class");
  EXPECT_EQ(refused({1, 2}, {3, 3}),
            where + "in_common.teacher is 3 a second time, at 1; it must be each class once");
  EXPECT_EQ(refused({1}, {1}, 1.5), where + "in_common.teacher_mix is 1.5; it must be within [0, 1]");
  b.student_mass[1] = 0.5;
  EXPECT_EQ(refused({1}, {1}),
            where + "student_log_mass is 0.5 in row 1; it must be <= 0, the logarithm of a probability");
}

}  // namespace
}  // namespace distil::testing
