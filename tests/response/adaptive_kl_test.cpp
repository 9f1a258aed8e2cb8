#include "distil/response/adaptive_kl.hpp"

#include "../support/cases/adaptive_kl.hpp"
#include "../support/divergence_laws.hpp"

namespace distil::testing {
namespace {

row_suites<adaptive_kl_case> const suites("adaptive_kl");

TEST(adaptive_kl, obeys_the_laws) {
  expect_slope_of_temperature<adaptive_kl_case>();
  expect_teacher_temperature<adaptive_kl_case>(adaptive_kl);
  expect_accurate_near_zero<adaptive_kl_case>();
}

TEST(adaptive_kl, parts_every_row_where_sorting_does) {
  numbers random(5);
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<double> scores;
    index const size = 1 + random.below(trial % 50 == 0 ? 3000 : 12);
    for (index c = 0; c < size; ++c)
      scores.push_back(static_cast<double>(random.below(5)) - 0.3 * random.next());
    if (trial % 3 == 0) scores.push_back(scores.front());  // equal ones
    std::vector<double> sorted = scores;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    double all = 0, share = 0.05 + 0.9 * (random.next() + 1) / 2;
    for (double const score : sorted) all += std::exp(score - sorted[0]);
    double least = sorted[0], sum = 0;
    for (std::size_t k = 0; k < sorted.size();) {
      std::size_t next = k;
      while (next < sorted.size() && sorted[next] == sorted[k]) sum += std::exp(sorted[next++] - sorted[0]);
      if (sum > share * all) break;
      least = sorted[k];
      k = next;
    }
    auto const count = static_cast<index>(scores.size());
    scores.resize(static_cast<std::size_t>(kernels::head_of_row<double>::room(count)));
    auto const least_within = [&](double part) {
      std::vector<double> memory = scores;
      return kernels::head_of_row<double>(memory.data(), count, 1.0).least(part);
    };
    EXPECT_EQ(least_within(share), least) << trial;
    EXPECT_EQ(least_within(0.0), sorted.front()) << trial;
    EXPECT_EQ(least_within(1.0), sorted.back()) << trial;
  }
}

TEST(adaptive_kl, finds_the_head_of_every_form_of_teacher) {
  batch<float> b(7, 300);
  owned_matrix<float> p(7, 300, layout::row_major), log_p(7, 300, layout::row_major);
  for (index r = 0; r < 7; ++r) {
    auto const exact = reference::from_logits(b.teacher.row<double>(r), 2);
    for (index c = 0; c < 300; ++c) {
      auto const at = static_cast<std::size_t>(c);
      p.set(r, c, exact.probability[at]), log_p.set(r, c, exact.log_probability[at]);
    }
  }
  auto const z = b.student.view();
  adaptive_kl_options const options{.temperature = 2};
  double const expected = adaptive_kl(z, b.teacher.view(), options);
  EXPECT_NEAR(adaptive_kl(z, probabilities(p.view()), options), expected, 1e-5);
  EXPECT_NEAR(adaptive_kl(z, log_probabilities(log_p.view()), options), expected, 1e-5);
  EXPECT_NEAR(adaptive_kl(z, probabilities(p.view(), 2), options), expected, 1e-5);
}

TEST(adaptive_kl, refuses_what_is_out_of_range) {
  EXPECT_EQ(refusal_of(adaptive_kl, {.head_mass = 1.5}),
            "distil::adaptive_kl: head_mass is 1.5; it must be within [0, 1]");
}

}  // namespace
}  // namespace distil::testing
