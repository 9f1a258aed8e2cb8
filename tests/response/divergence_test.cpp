#include "distil/response/divergence.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/divergence_case.hpp"
#include "../support/cases/forward_kl.hpp"

/// Divergences as a user writes them: they go through the suites of the built-in ones.
namespace distil::testing {

struct squared_hellinger_function {
  static constexpr char const* name = "squared_hellinger";

  template <class Lanes>
  Lanes value(Lanes log_p, Lanes log_q) const {
    Lanes const difference = exp(0.5 * log_p) - exp(0.5 * log_q);
    return 0.5 * difference * difference;
  }
  template <class Lanes>
  Lanes d_log_q(Lanes log_p, Lanes log_q) const {
    return -0.5 * exp(0.5 * log_q) * (exp(0.5 * log_p) - exp(0.5 * log_q));
  }
  template <class Lanes>
  Lanes d_log_p(Lanes log_p, Lanes log_q) const {
    return 0.5 * exp(0.5 * log_p) * (exp(0.5 * log_p) - exp(0.5 * log_q));
  }
};
inline constexpr divergence<squared_hellinger_function> squared_hellinger{};

struct reverse_kl_function {
  template <class Lanes>
  Lanes value(Lanes log_p, Lanes log_q) const {
    return zero_safe_product(exp(log_q), log_q - log_p);
  }
  template <class Lanes>
  Lanes d_log_q(Lanes log_p, Lanes log_q) const {
    return zero_safe_product(exp(log_q), log_q - log_p + 1);
  }
};
inline constexpr divergence<reverse_kl_function> reverse_kl{};

struct squared_hellinger_case : divergence_case<squared_hellinger> {
  static constexpr char const* name = "squared_hellinger";
  static constexpr error_bound bound{.value = 16, .gradient = 16, .temperature_gradient = 4};
  static truth of(exact_row const& z, exact_row const& t, std::int64_t, setting const& s) {
    return scaled(z, t, s, reference::squared_hellinger<long double>,
                  reference::squared_hellinger_gradient<long double>,
                  reference::squared_hellinger_by_temperature<long double>);
  }
};

namespace {

row_suites<squared_hellinger_case> const suites("users_hellinger");

TEST(divergence, without_a_name_and_without_a_derivative_by_log_p) {
  batch<double> b(5, 70);
  loss_value const found =
      reverse_kl.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), {.temperature = 2});
  double expected = 0;
  for (index r = 0; r < 5; ++r) {
    auto const p = reference::from_logits(b.teacher.row(r), 2.0);
    auto const q = reference::from_logits(b.student.row(r), 2.0);
    expected += 4 * reference::reverse_kl(p, q).value / 5;
    auto const gradient = reference::reverse_kl_gradient(b.student.row(r), p, 2.0);
    for (index c = 0; c < 70; ++c) {
      EXPECT_NEAR(b.gradient.at(r, c), 4 * gradient[static_cast<std::size_t>(c)] / 5, 1e-14);
    }
  }
  EXPECT_NEAR(found.value, expected, 1e-13);
  std::vector<double> slope(1);
  try {
    (void)reverse_kl(b.student.view(), b.teacher.view(), {.temperature_gradient = slope});
    FAIL() << "a derivative nobody can give was promised";
  } catch (std::invalid_argument const& refusal) {
    EXPECT_STREQ(
        refusal.what(),
        "distil::divergence: temperature_gradient is asked for; it must be left out, since this divergence "
        "has no d_log_p");
  }
}

TEST(divergence, of_equal_distributions_is_zero_and_never_negative) {
  for (index const columns : {3, 40, 5000}) {
    for (double const distance : {0.0, 1e-6, 1e-4, 1e-2, 0.1}) {
      batch<float> b(16, columns);
      numbers random(3);
      for (index r = 0; r < 16; ++r) {
        for (index c = 0; c < columns; ++c)
          b.teacher.set(r, c, b.student.at(r, c) + distance * random.next());
      }
      std::vector<double> values(16);
      (void)forward_kl(b.student.view(), b.teacher.view(), {.rows = {.values = values}});
      for (index r = 0; r < 16; ++r) {
        double const value = values[static_cast<std::size_t>(r)];
        long double const exact =
            forward_kl_case::of(b.student.row<long double>(r), b.teacher.row<long double>(r), 0, {}).value;
        EXPECT_GE(value, 0.0);
        if (distance == 0.0) {
          EXPECT_LE(value, 1e-12);
        }
        // Relative accuracy where a plain sum in float would have lost all digits.
        if (distance >= 1e-2) {
          EXPECT_NEAR(value, static_cast<double>(exact), 2e-3 * static_cast<double>(exact));
        }
      }
    }
  }
}

}  // namespace
}  // namespace distil::testing
