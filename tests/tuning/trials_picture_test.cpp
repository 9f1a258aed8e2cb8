#include "distil/tuning/trials_picture.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "../support/refusal.hpp"

namespace distil::tuning {
namespace {

std::size_t count(std::string const& text, std::string const& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++found;
  return found;
}

search_space some_space() {
  search_space space;
  space.logarithmic("temperature", 1, 16).choice("schedule", {"a<b", "c"});
  return space;
}

TEST(to_svg, has_a_point_for_each_trial_in_each_panel) {
  std::vector<trial> const trials{{0, {1, 0}, 2.0}, {1, {4, 1}, 1.0}, {2, {16, 1}, std::nan("")}};
  std::string const picture = to_svg(some_space(), trials, goal::minimise);
  EXPECT_EQ(count(picture, "<circle"), 6U);
  EXPECT_EQ(count(picture, "r=\"5\""), 3U);  // the best, in each
  EXPECT_EQ(count(picture, "l6 6"), 3U);     // what is no number
  EXPECT_EQ(count(picture, "a&lt;b"), 1U);
  EXPECT_EQ(count(picture, "<text"), count(picture, "</text>"));
  // Temperature 4 is in the middle of its logarithmic axis: the second panel begins at 45 + 290.
  EXPECT_EQ(count(picture, "cx=\"435\""), 1U) << picture;
}

TEST(to_svg, of_nothing_is_a_picture) {
  EXPECT_EQ(count(to_svg(some_space(), {}, goal::minimise), "</svg>"), 1U);
  std::vector<trial> const one{{0, {2, 0}, 0.5}};
  EXPECT_EQ(count(to_svg(some_space(), one, goal::maximise), "r=\"5\""), 3U);
  std::vector<trial> const bad{{0, {2}, 0.5}};
  EXPECT_EQ(distil::testing::refusal_of([&] { (void)to_svg(some_space(), bad, goal::minimise); }),
            "distil::tuning::to_svg: size of a point is 1; it must be 2, as there are parameters");
}

TEST(to_table, aligns_its_columns_and_stars_the_best) {
  std::vector<trial> const trials{{0, {1, 0}, 0.25}, {10, {2.5, 1}, 0.125}};
  EXPECT_EQ(to_table(some_space(), trials, goal::minimise),
            "trial  temperature  schedule  metric\n"
            "0      1            a<b       0.25\n"
            "10*    2.5          c         0.125\n");
}

}  // namespace
}  // namespace distil::tuning
