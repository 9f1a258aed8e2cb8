#include "distil/response/forward_kl.hpp"
#include "distil/response/log_softmax.hpp"
#include "distil/response/softmax.hpp"

#include "../support/allocations.hpp"
#include "../support/expectations.hpp"

namespace distil::testing {
namespace {

/// The same teacher as logits, log-probabilities and probabilities, in double so that nothing is lost
/// between.
struct three_forms {
  batch<double> b;
  owned_matrix<double> log_p, p;

  three_forms(index rows, index columns, double temperature, layout order)
      : b(rows, columns, 4.0, order), log_p(rows, columns, order), p(rows, columns, order) {
    b.teacher.set(0, 0, minus_infinity);
    distil::log_softmax(b.teacher.view(), log_p.view(), {.temperature = temperature});
    distil::softmax(b.teacher.view(), p.view(), {.temperature = temperature});
  }
};

template <class Teacher>
void expect_same(three_forms& forms, Teacher const& teacher, double temperature, std::string const& what) {
  batch<double>& b = forms.b;
  owned_matrix<double> expected(b.rows, b.columns, layout::row_major);
  double const value =
      forward_kl.with_grad(b.student.view(), b.teacher.view(), expected.view(), {.temperature = temperature});
  double const found =
      forward_kl.with_grad(b.student.view(), teacher, b.gradient.view(), {.temperature = temperature});
  EXPECT_NEAR(found, value, 1e-12 * (1 + value)) << what;
  expect_no_allocation(what, [&] {
    forward_kl.with_grad(b.student.view(), teacher, b.gradient.view(), {.temperature = temperature});
  });
  for (index r = 0; r < b.rows; ++r) {
    for (index c = 0; c < b.columns; ++c) {
      EXPECT_NEAR(b.gradient.at(r, c), expected.at(r, c), 1e-13 * temperature) << what;
    }
  }
}

TEST(teacher, in_three_forms_is_one_teacher) {
  for (layout const order : {layout::padded, layout::class_major}) {
    for (index const columns : {5, 100, 1200}) {
      three_forms soft(11, columns, 4.0, order);
      expect_same(soft, log_probabilities(soft.log_p.view()), 4.0, "taken at 4, used at 4");
      expect_same(soft, probabilities(soft.p.view()), 4.0, "taken at 4, used at 4");
      expect_same(soft, log_probabilities(soft.log_p.view(), 4.0), 2.0, "captured at 4, used at 2");
      expect_same(soft, probabilities(soft.p.view(), 4.0), 1.0, "captured at 4, used at 1");
      three_forms plain(11, columns, 1.0, order);
      std::vector<double> const ones(11, 1.0);
      expect_same(plain, log_probabilities(plain.log_p.view(), ones), 8.0,
                  "captured at 1 per row, used at 8");
      expect_same(plain, probabilities(plain.p.view(), 1), 3.0, "captured at 1, used at 3");
    }
  }
}

TEST(teacher, that_does_not_sum_to_one_does_not_bias_the_gradient) {
  batch<float, bfloat16> b(6, 300, 1.0);
  owned_matrix<bfloat16> p(6, 300, layout::row_major);
  distil::softmax(b.teacher.view(), p.view());
  forward_kl.with_grad(b.student.view(), probabilities(p.view()), b.gradient.view());
  for (index r = 0; r < 6; ++r) {
    double sum = 0, mass = 0;
    for (index c = 0; c < 300; ++c) sum += b.gradient.at(r, c), mass += p.at(r, c);
    EXPECT_NE(mass, 1.0);
    EXPECT_NEAR(sum, 0.0, 1e-6);
  }
}

TEST(teacher, moves_with_the_temperature_only_where_it_can) {
  auto const slope_of = [](batch<double>& b, auto const& teacher, double temperature) {
    std::vector<double> slope(1);
    (void)forward_kl(b.student.view(), teacher, {.temperature = temperature, .temperature_gradient = slope});
    return slope[0];
  };
  three_forms forms(4, 30, 2.0, layout::row_major);
  double const step = 1e-5;
  auto const difference_of = [&](auto const& teacher, double temperature) {
    double const up = forward_kl(forms.b.student.view(), teacher, {.temperature = temperature + step});
    double const down = forward_kl(forms.b.student.view(), teacher, {.temperature = temperature - step});
    return (up - down) / (2 * step);
  };
  auto const fixed = probabilities(forms.p.view());
  auto const captured = probabilities(forms.p.view(), 2.0);
  auto const logs = log_probabilities(forms.log_p.view(), 2.0);
  EXPECT_NEAR(slope_of(forms.b, fixed, 2.0), difference_of(fixed, 2.0), 1e-8);
  EXPECT_NEAR(slope_of(forms.b, captured, 2.0), difference_of(captured, 2.0), 1e-8);
  EXPECT_NEAR(slope_of(forms.b, logs, 3.0), difference_of(logs, 3.0), 1e-8);
  EXPECT_GT(std::abs(slope_of(forms.b, fixed, 2.0) - slope_of(forms.b, captured, 2.0)), 1e-3);
}

TEST(teacher, without_any_mass_does_not_count) {
  batch<float> b(4, 6);
  for (index c = 0; c < 6; ++c) b.teacher.set(2, c, 0.0);
  for (index r : {0, 1, 3}) {
    for (index c = 0; c < 6; ++c) b.teacher.set(r, c, 1.0 / 6);
  }
  loss_value const loss =
      forward_kl.with_grad(b.student.view(), probabilities(b.teacher.view()), b.gradient.view());
  EXPECT_EQ(loss.weight, 3.0);
  EXPECT_TRUE(std::isfinite(loss.value));
  for (index c = 0; c < 6; ++c) EXPECT_EQ(b.gradient.at(2, c), 0.0);
  b.teacher.set(1, 3, -0.25);
  EXPECT_TRUE(std::isnan(forward_kl(b.student.view(), probabilities(b.teacher.view())).value));
}

TEST(teacher, with_mass_on_a_masked_class_makes_the_loss_infinite) {
  batch<float> b(2, 6);
  b.student.set(1, 4, minus_infinity);
  EXPECT_EQ(forward_kl(b.student.view(), b.teacher.view()).value, std::numeric_limits<double>::infinity());
  b.teacher.set(1, 4, minus_infinity);
  EXPECT_TRUE(std::isfinite(forward_kl(b.student.view(), b.teacher.view()).value));
}

}  // namespace
}  // namespace distil::testing
