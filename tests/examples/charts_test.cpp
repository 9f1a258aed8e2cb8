#include "quickstart/charts.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "quickstart/svg.hpp"

namespace {

using namespace quickstart;

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

std::size_t count(std::string const& text, std::string const& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(svg, chooses_the_finest_round_ticks_that_fit) {
  struct row {
    double low, high;
    int at_most;
    std::vector<double> values;
    int digits;
  };
  for (auto const& [low, high, at_most, values, digits] : std::vector<row>{
           {0, 100, 6, {0, 20, 40, 60, 80, 100}, 0},
           {0, 1, 6, {0, 0.2, 0.4, 0.6, 0.8, 1}, 1},
           {0, 1.035, 6, {0, 0.2, 0.4, 0.6, 0.8, 1}, 1},
           {0.0012, 0.0031, 5, {0.0015, 0.002, 0.0025, 0.003}, 4},
           {-3, 3, 4, {-2, 0, 2}, 0},
           {74, 91, 6, {75, 80, 85, 90}, 0},
           {0, 3e6, 4, {0, 1e6, 2e6, 3e6}, 0},
       }) {
    auto const marks = svg::round_ticks(low, high, at_most);
    ASSERT_EQ(marks.values.size(), values.size()) << low << " to " << high;
    for (std::size_t i = 0; i < values.size(); ++i)
      EXPECT_NEAR(marks.values[i], values[i], 1e-9 * (high - low));
    EXPECT_EQ(marks.digits, digits) << low << " to " << high;
  }
}

TEST(svg, keeps_ticks_of_counts_whole) {
  EXPECT_EQ(svg::round_ticks(1, 3, 7, 1).values, (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(svg::round_ticks(0.5, 1.5, 7, 1).values, (std::vector<double>{1}));
  EXPECT_EQ(svg::round_ticks(1, 200, 7, 1).values, (std::vector<double>{50, 100, 150, 200}));
}

TEST(svg, has_no_ticks_for_a_range_that_is_none) {
  for (auto const& [low, high] : std::vector<std::pair<double, double>>{
           {1, 1}, {2, 1}, {nan_value, 1}, {0, nan_value}, {0, HUGE_VAL}, {-1e308, 1e308}}) {
    EXPECT_TRUE(svg::round_ticks(low, high, 5).values.empty()) << low << " to " << high;
  }
}

TEST(svg, writes_short_numbers) {
  EXPECT_EQ(svg::number(12), "12");
  EXPECT_EQ(svg::number(0.5), "0.5");
  EXPECT_EQ(svg::number(100), "100");
  EXPECT_EQ(svg::number(-0.001), "0");
  EXPECT_EQ(svg::number(3.14159), "3.14");
  EXPECT_EQ(svg::decimal(3, 2), "3.00");
  EXPECT_EQ(svg::decimal(-0.04, 1), "0.0");
  EXPECT_EQ(svg::decimal(nan_value, 1), "\u2013");
  EXPECT_EQ(svg::decimal(-HUGE_VAL, 1), "\u2013");
  EXPECT_EQ(svg::decimal(-1.7e308, 2).size(), 313U);
}

TEST(svg, escapes_markup_and_drops_control_characters) {
  EXPECT_EQ(svg::escape("a<b>&\"c'\x01\x7F\n"), "a&lt;b&gt;&amp;&quot;c&#39;\n");
  EXPECT_EQ(svg::escape("\u00B1 \u03C4"), "\u00B1 \u03C4");
}

TEST(svg, breaks_a_path_where_a_point_is_unknown) {
  EXPECT_EQ(svg::path_through({{0, 1}, {2, 3}, {nan_value, 4}, {5, 6}, {7, 8}}), "M0 1L2 3M5 6L7 8");
  EXPECT_EQ(svg::path_through({}), "");
}

TEST(charts, draw_a_line_a_band_and_a_dot_for_each_known_value) {
  svg::line_chart chart{"label", "epoch", "y", " %", {{"one", 1, {10, nan_value, 30, 40}, {1, 1, 1, 1}}},
                        {},      0,       50};
  std::string const drawn = svg::draw(chart);
  EXPECT_EQ(count(drawn, "<circle"), 3U);
  EXPECT_EQ(count(drawn, "class=\"c1 area\""), 1U);
  EXPECT_NE(drawn.find("one, epoch 3: 30.00 \u00B1 1.00 %"), std::string::npos);
  EXPECT_EQ(drawn.find("nan"), std::string::npos);
}

TEST(charts, place_a_line_by_its_scale) {
  svg::line_chart chart{"", "", "y", "", {{"one", 0, {0, 100}, {}}}, {}, 0, 100};
  std::string const drawn = svg::draw(chart);
  // From the lower left to the upper right corner of the plane.
  EXPECT_NE(drawn.find("d=\"M44 236L388 36\""), std::string::npos) << drawn;
  chart.stepped = true;
  EXPECT_NE(svg::draw(chart).find("d=\"M44 236L216 236L216 36L388 36\""), std::string::npos);
}

TEST(charts, make_bars_as_long_as_their_share) {
  svg::bar_chart const chart{
      "", {"a"}, {{"half", 0, {50}}, {"all", 1, {100}}, {"none", 2, {0}}, {"lost", 3, {}}}};
  std::string const drawn = svg::draw(chart);
  // The scale runs from 10 + one letter of 7.8 to 382.
  EXPECT_NE(drawn.find("width=\"182.1\""), std::string::npos) << drawn;
  EXPECT_NE(drawn.find("width=\"364.2\""), std::string::npos);
  EXPECT_NE(drawn.find("width=\"1.5\""), std::string::npos) << "zero is a result and stays visible";
  EXPECT_EQ(count(drawn, "<rect"), 3U);
}

TEST(charts, cut_long_names_between_characters) {
  std::string const drawn = svg::draw(svg::bar_chart{"", {"abcdefghijklmn\u00E9\u00E9"}, {{"one", 0, {50}}}});
  EXPECT_NE(drawn.find(">abcdefghijklmn\u2026</text>"), std::string::npos) << drawn;
}

TEST(charts, order_a_distribution_by_the_softened_side) {
  svg::distribution_pair chart{"", {"a", "b", "c"}, {"T = 1", "T = 4"}, {{{99.98, 0.02, 0}, {50, 10, 40}}}};
  std::string drawn = svg::draw(chart);
  EXPECT_LT(drawn.find(">a</text>"), drawn.find(">c</text>"));
  EXPECT_LT(drawn.find(">c</text>"), drawn.find(">b</text>"));
  EXPECT_EQ(count(drawn, "&lt; 0.1"), 2U);
  chart.rows = 2;
  EXPECT_EQ(svg::draw(chart).find(">b</text>"), std::string::npos);
}

TEST(charts, leave_empty_bins_out_of_a_reliability_diagram) {
  svg::reliability_diagram const chart{"",
                                       {{"one", 2, {{nan_value, nan_value, 0}, {50, 40, 10}, {90, 80, 90}}}}};
  std::string const drawn = svg::draw(chart);
  EXPECT_EQ(count(drawn, "<circle"), 2U);
  EXPECT_EQ(drawn.find("nan"), std::string::npos);
  // Areas are as 1 to 9, so radii as 1 to 3.
  EXPECT_NE(drawn.find("r=\"4.43\""), std::string::npos) << drawn;
  EXPECT_NE(drawn.find("r=\"13.28\""), std::string::npos);
}

}  // namespace
