#include "distil/tuning/search.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "../support/refusal.hpp"

namespace distil::tuning {
namespace {

using distil::testing::refusal_of;

search_space temperature_and_weight() {
  search_space space;
  space.logarithmic("temperature", 1, 16).real("soft_weight", 0, 1);
  return space;
}

/// Least, 0, at temperature 4 and weight 0.7.
double bowl(point const& at) {
  double const t = std::log2(at[0]) - 2, w = at[1] - 0.7;
  return t * t / 4 + 4 * w * w;
}

std::vector<trial> run(search& all, std::int64_t most = 1000) {
  for (std::int64_t i = 0; i < most; ++i) {
    auto const next = all.next();
    if (!next) break;
    all.report(next->id, bowl(next->at));
  }
  return {all.trials().begin(), all.trials().end()};
}

TEST(search, a_grid_has_every_combination_once) {
  search_space space;
  space.logarithmic("temperature", 1, 16)
      .integer("layers", 1, 3)
      .choice("schedule", {"constant:4", "cosine:8:1"});
  search grid(space, {.method = search_method::grid, .trials = 1000, .per_parameter = 5});
  std::set<point> seen;
  while (auto const next = grid.next()) {
    seen.insert(next->at);
    grid.report(next->id, 0);
  }
  EXPECT_EQ(grid.trials().size(), 5U * 3 * 2);
  EXPECT_EQ(seen.size(), 30U);
  EXPECT_EQ(*seen.begin(), (point{1, 1, 0}));
  EXPECT_EQ(seen.rbegin()->at(1), 3.0);
  EXPECT_NEAR(seen.rbegin()->at(0), 16, 1e-12);
}

TEST(search, by_improvement_finds_more_than_by_chance) {
  int won = 0;
  double worst = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    search bayesian(temperature_and_weight(), {.trials = 20, .seed = seed});
    search random(temperature_and_weight(), {.method = search_method::random, .trials = 20, .seed = seed});
    run(bayesian);
    run(random);
    won += bayesian.best()->metric < random.best()->metric ? 1 : 0;
    worst = std::max(worst, bayesian.best()->metric);
  }
  EXPECT_GE(won, 5);
  EXPECT_LT(worst, 0.01);
}

TEST(search, maximises_when_it_is_told) {
  search all(temperature_and_weight(), {.wanted = goal::maximise, .trials = 20, .seed = 3});
  while (auto const next = all.next()) all.report(next->id, -bowl(next->at));
  EXPECT_GT(all.best()->metric, -0.01);
}

TEST(search, resumes_as_if_it_had_not_stopped) {
  for (auto const method : {search_method::grid, search_method::random, search_method::bayesian}) {
    search_options const options{
        .method = method, .trials = 12, .seed = 5, .first_random = 4, .candidates = 50};
    search whole(temperature_and_weight(), options);
    std::vector<trial> const expected = run(whole);
    for (std::int64_t stop = 0; stop <= 12; ++stop) {
      search first(temperature_and_weight(), options);
      run(first, stop);
      (void)first.next();  // lost with the crash
      std::string const record = to_csv(first.space(), first.trials());
      search rest(temperature_and_weight(), options, trials_from_csv(first.space(), record));
      EXPECT_EQ(run(rest), expected) << stop;
    }
  }
}

TEST(search, survives_metrics_that_are_no_numbers) {
  search all(temperature_and_weight(), {.trials = 14, .seed = 2, .first_random = 3});
  while (auto const next = all.next()) {
    all.report(next->id, next->id % 3 == 0 ? std::nan("") : next->id == 4 ? INFINITY : bowl(next->at));
  }
  EXPECT_TRUE(std::isfinite(all.best()->metric));
  search none(temperature_and_weight(), {.trials = 5, .first_random = 1});
  while (auto const next = none.next()) none.report(next->id, std::nan(""));
  EXPECT_FALSE(none.best().has_value());
}

TEST(search, refuses) {
  EXPECT_EQ(refusal_of([] { search all(search_space{}); }),
            "distil::tuning::search: number of parameters is 0; it must be at least 1");
  search all(temperature_and_weight(), {.trials = 2});
  EXPECT_EQ(refusal_of([&] { all.report(0, 1.0); }),
            "distil::tuning::search: trial is 0; it must be one that was proposed and not reported");
  EXPECT_EQ(refusal_of([] {
              search(temperature_and_weight(), {}, {{0, {1, 1}, 0}, {0, {1, 1}, 0}});
            }),
            "distil::tuning::search: trial is 0; it must be a number that is no other's");
}

TEST(trials, a_record_reads_back_and_a_torn_line_is_left_out) {
  search_space space;
  space.real("x", -1, 1).choice("schedule", {"constant:4", "cosine:8:1"});
  std::vector<trial> const trials{{0, {0.1, 1}, 0.5}, {2, {-1.0 / 3, 0}, std::nan("")}};
  std::string const record = to_csv(space, trials);
  EXPECT_EQ(record.substr(0, record.find('\n')), "trial,x,schedule,metric");
  EXPECT_EQ(trials_from_csv(space, record), trials);
  std::size_t const whole = record.find('\n', record.find('\n') + 1) + 1;  // the first two lines
  for (std::size_t size = record.size() - 1; size >= whole; --size) {
    bool torn = false;
    EXPECT_EQ(trials_from_csv(space, record.substr(0, size), &torn).size(), 1U);
    EXPECT_EQ(torn, size > whole);
  }
  std::string const where = "distil::tuning::trials_from_csv: record is ";
  EXPECT_EQ(refusal_of([&] { (void)trials_from_csv(space, "trial,y,metric\n"); }),
            where +
                "\"trial,y,metric\" in line 1; it must be \"trial,x,schedule,metric\", the parameters of the "
                "space");
  std::string const header = csv_header(space);
  EXPECT_EQ(refusal_of([&] { (void)trials_from_csv(space, header + "0,2,constant:4,1\n"); }),
            where + "\"0,2,constant:4,1\" in line 2; it must be a value of x");
  EXPECT_EQ(
      refusal_of([&] { (void)trials_from_csv(space, header + "0,0,constant:4,1\n0,0,constant:4,1\n"); }),
      where + "\"0,0,constant:4,1\" in line 3; it must be a trial that is no other's");
  EXPECT_NE(refusal_of([&] { (void)trials_from_csv(space, header + "0,0,1\n"); }), "");
}

TEST(search_space, names_values_and_refuses_what_is_none) {
  search_space space = temperature_and_weight();
  space.choice("schedule", {"constant:4"});
  EXPECT_EQ(space.number({2, 0.5, 0}, "soft_weight"), 0.5);
  EXPECT_EQ(space.chosen({2, 0.5, 0}, "schedule"), "constant:4");
  std::string const where = "distil::tuning::search_space: ";
  EXPECT_EQ(refusal_of([&] { (void)space.find("x"); }),
            where + "parameter is \"x\"; it must be one of the space");
  EXPECT_EQ(refusal_of([&] { space.logarithmic("y", 0, 1); }),
            where + "low is 0; it must be above 0 for a logarithmic parameter");
  EXPECT_EQ(refusal_of([&] { space.real("schedule", 0, 1); }),
            where + "name is \"schedule\"; it must be a name of its own, not trial or metric");
  EXPECT_EQ(refusal_of([&] { space.choice("z", {"a,b"}); }),
            where + "choice is \"a,b\"; it must be a text without commas, quotes and line breaks");
}

}  // namespace
}  // namespace distil::tuning
