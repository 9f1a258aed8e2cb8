#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

/// The charts of the report, each returned as one `<svg>` element without legend (see `legend`).
///
/// Values are in the unit shown (percent, not fractions). What is not finite is left out: a gap in a line, no
/// bar.
namespace quickstart::svg {

/// Number of colours in the style sheet, `c0` ... `c5`.
inline constexpr std::size_t colours = 6;

/// The class of a colour, `c0` ... `c5`; `index` is taken modulo `colours`.
[[nodiscard]] std::string colour_class(std::size_t index);

struct series {
  std::string name;
  std::size_t colour = 0;         ///< taken modulo `colours`
  std::vector<double> y;          ///< at x = 1, 2, 3, ...
  std::vector<double> deviation;  ///< half width of the band around y; empty: no band
};

/// A constant drawn as a dashed line across the chart.
struct reference_line {
  std::string name;
  std::size_t colour = 0;
  double y = 0;
};

struct line_chart {
  std::string label;  ///< read aloud
  std::string x_name, y_name;
  std::string y_unit;  ///< after numbers in tooltips: "%"
  std::vector<series> lines;
  std::vector<reference_line> references = {};
  double y_low = 0, y_high = 1;
  bool stepped = false;  ///< each value holds until the next
};

struct bar_group {
  std::string name;
  std::size_t colour = 0;
  std::vector<double> percent;  ///< one per category, 0 to 100
};

/// Horizontal bars: for every category one bar of each group.
struct bar_chart {
  std::string label;
  std::vector<std::string> categories;
  std::vector<bar_group> groups;
  std::vector<std::size_t> marked = {};  ///< categories with a band behind them
};

struct reliability_point {
  double confidence, accuracy, share;  ///< percent
};

struct reliability_curve {
  std::string name;
  std::size_t colour = 0;
  std::vector<reliability_point> points;
};

struct reliability_diagram {
  std::string label;
  std::vector<reliability_curve> curves;
};

/// Two distributions over the same classes, side by side, one row a class, likeliest of the second first.
struct distribution_pair {
  std::string label;
  std::vector<std::string> classes;
  std::array<std::string, 2> names;
  std::array<std::vector<double>, 2> percent;
  std::size_t marked = std::numeric_limits<std::size_t>::max();  ///< the class in bold
  std::size_t rows = 10;                                         ///< at most so many are shown
};

[[nodiscard]] std::string draw(line_chart const& chart);
[[nodiscard]] std::string draw(bar_chart const& chart);
[[nodiscard]] std::string draw(reliability_diagram const& chart);
[[nodiscard]] std::string draw(distribution_pair const& chart);

struct legend_entry {
  std::string name;
  std::string classes;  ///< of the sample: "c1 line", "c2 bar", "c0 dashed", "band"
};

/// The legend as an HTML list, so that it wraps on a narrow screen.
[[nodiscard]] std::string legend(std::vector<legend_entry> const& entries);

}  // namespace quickstart::svg
