#include "charts.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "svg.hpp"

namespace quickstart::svg {
namespace {

constexpr double chart_width = 400;
constexpr double letter = 7.8;  // width of a letter at the size of the labels, generous

// The plane of a chart with two axes: grid, marks and names; `x` and `y` map data to coordinates.
struct plane {
  box area;
  scale x, y;
};

plane draw_axes(canvas& to, box const& area, std::array<double, 2> x_range, std::array<double, 2> y_range,
                std::string const& x_name, std::string const& y_name, double smallest_x_step) {
  plane const on{area,
                 {x_range[0], x_range[1], area.x, area.x + area.width},
                 {y_range[0], y_range[1], area.y + area.height, area.y}};
  double const bottom = area.y + area.height;
  ticks const rows = round_ticks(y_range[0], y_range[1], 6);
  for (double const value : rows.values) {
    to.line({area.x, on.y(value)}, {area.x + area.width, on.y(value)}, "grid-line");
    to.text({area.x - 6, on.y(value) + 4}, decimal(value, rows.digits), "mark end");
  }
  ticks const columns = round_ticks(x_range[0], x_range[1], 7, smallest_x_step);
  for (double const value : columns.values) {
    to.line({on.x(value), bottom}, {on.x(value), bottom + 4}, "axis");
    to.text({on.x(value), bottom + 18}, decimal(value, columns.digits), "mark middle");
  }
  to.line({area.x, bottom}, {area.x + area.width, bottom}, "axis");
  to.text({area.x + area.width / 2, bottom + 36}, x_name, "name middle");
  to.text({2, area.y - 16}, y_name, "name");
  return on;
}

// The band between y - deviation and y + deviation, one closed area for each stretch of known values.
std::string band(plane const& on, series const& of) {
  std::string commands;
  std::vector<point> upper;
  std::vector<point> lower;
  auto const close = [&] {
    upper.insert(upper.end(), lower.rbegin(), lower.rend());
    if (upper.size() > 2) commands += path_through(upper) + 'Z';
    upper.clear();
    lower.clear();
  };
  for (std::size_t i = 0; i < std::min(of.y.size(), of.deviation.size()); ++i) {
    double const middle = of.y[i];
    double const half = of.deviation[i];
    if (!std::isfinite(middle) || !std::isfinite(half)) {
      close();
      continue;
    }
    double const x = on.x(static_cast<double>(i + 1));
    upper.push_back({x, on.y(middle + half)});
    lower.push_back({x, on.y(middle - half)});
  }
  close();
  return commands;
}

std::string line_through(plane const& on, series const& of, bool stepped) {
  std::vector<point> points;
  for (std::size_t i = 0; i < of.y.size(); ++i) {
    double const x = static_cast<double>(i + 1);
    // A step is as wide as its epoch, so that the first and the last are seen too.
    if (stepped) {
      points.push_back({on.x(x - 0.5), on.y(of.y[i])});
      points.push_back({on.x(x + 0.5), on.y(of.y[i])});
    } else {
      points.push_back({on.x(x), on.y(of.y[i])});
    }
  }
  return path_through(points);
}

void draw_points(canvas& to, plane const& on, line_chart const& chart, series const& of) {
  constexpr std::size_t many = 25;  // from here on dots would hide the line: they show on hover alone
  std::string const classes =
      colour_class(of.colour) + (chart.stepped || of.y.size() > many ? " dot hidden" : " dot");
  for (std::size_t i = 0; i < of.y.size(); ++i) {
    if (!std::isfinite(of.y[i])) continue;
    std::string words =
        of.name + ", " + chart.x_name + ' ' + std::to_string(i + 1) + ": " + decimal(of.y[i], 2);
    if (i < of.deviation.size() && of.deviation[i] > 0) words += " \u00B1 " + decimal(of.deviation[i], 2);
    to.circle({on.x(static_cast<double>(i + 1)), on.y(of.y[i])}, 3, classes, words + chart.y_unit);
  }
}

std::size_t longest(std::vector<std::string> const& words, std::size_t at_most) {
  std::size_t length = 0;
  for (auto const& word : words) length = std::max(length, word.size());
  return std::min(length, at_most);
}

std::string shortened(std::string const& word, std::size_t at_most) {
  if (word.size() <= at_most) return word;
  std::size_t end = at_most - 1;
  while (end > 0 && (static_cast<unsigned char>(word[end]) & 0xC0U) == 0x80U)
    --end;  // never inside a character
  return word.substr(0, end) + "\u2026";
}

}  // namespace

std::string colour_class(std::size_t index) { return {'c', static_cast<char>('0' + index % colours)}; }

std::string draw(line_chart const& chart) {
  constexpr double height = 280;
  std::size_t longest_line = 1;
  for (auto const& line : chart.lines) longest_line = std::max(longest_line, line.y.size());
  double const last = static_cast<double>(longest_line);
  double const margin = chart.stepped || longest_line == 1 ? 0.5 : 0;
  canvas to(chart_width, height, chart.label);
  double const top = chart.y_name.empty() ? 14 : 36;
  box const area{44, top, chart_width - 56, height - 44 - top};
  plane const on = draw_axes(to, area, {1 - margin, last + margin}, {chart.y_low, chart.y_high}, chart.x_name,
                             chart.y_name, 1);
  to.begin_clip({area.x - 4, area.y - 4, area.width + 8, area.height + 8});
  for (auto const& line : chart.lines) to.path(band(on, line), colour_class(line.colour) + " area");
  for (auto const& reference : chart.references) {
    if (!std::isfinite(reference.y)) continue;
    double const y = on.y(reference.y);
    to.line({area.x, y}, {area.x + area.width, y}, colour_class(reference.colour) + " line dashed");
  }
  for (auto const& line : chart.lines) {
    to.path(line_through(on, line, chart.stepped), colour_class(line.colour) + " line");
    draw_points(to, on, chart, line);
  }
  to.end_clip();
  return to.finish();
}

std::string draw(bar_chart const& chart) {
  constexpr double bar = 8;
  constexpr double gap = 9;
  constexpr double top = 24;
  constexpr std::size_t longest_name = 16;
  double const row = bar * static_cast<double>(chart.groups.size()) + gap;
  double const bottom = top + row * static_cast<double>(chart.categories.size());
  double const left = 10 + letter * static_cast<double>(longest(chart.categories, longest_name));
  scale const x{0, 100, left, chart_width - 18};
  canvas to(chart_width, bottom + 6, chart.label);
  for (std::size_t const category : chart.marked) {
    if (category >= chart.categories.size()) continue;
    to.rectangle({0, top + row * static_cast<double>(category), chart_width, row}, "band");
  }
  for (double const value : {0.0, 25.0, 50.0, 75.0, 100.0}) {
    to.line({x(value), top}, {x(value), bottom}, value == 0 ? "axis" : "grid-line");
    to.text({x(value), top - 8}, decimal(value, 0), "mark middle");
  }
  to.text({2, top - 8}, "%", "name");
  for (std::size_t category = 0; category < chart.categories.size(); ++category) {
    double const y = top + row * static_cast<double>(category);
    bool const marked = std::find(chart.marked.begin(), chart.marked.end(), category) != chart.marked.end();
    to.text({left - 6, y + row / 2 + 4}, shortened(chart.categories[category], longest_name),
            marked ? "label end strong" : "label end");
    for (std::size_t index = 0; index < chart.groups.size(); ++index) {
      auto const& group = chart.groups[index];
      double const value = category < group.percent.size() ? group.percent[category] : std::nan("");
      if (!std::isfinite(value)) continue;
      // A hair of bar stays at zero: nothing right is a result, too.
      double const width = std::max(1.5, x(std::clamp(value, 0.0, 100.0)) - left);
      to.rectangle({left, y + gap / 2 + bar * static_cast<double>(index), width, bar - 1},
                   colour_class(group.colour) + " bar",
                   chart.categories[category] + ", " + group.name + ": " + decimal(value, 1) + " %");
    }
  }
  return to.finish();
}

std::string draw(reliability_diagram const& chart) {
  constexpr double height = 410;
  canvas to(chart_width, height, chart.label);
  box const area{44, 36, chart_width - 70, height - 80};
  plane const on = draw_axes(to, area, {0, 100}, {0, 100}, "confidence, %", "right answers, %", 0);
  to.line({on.x(0), on.y(0)}, {on.x(100), on.y(100)}, "ideal");
  for (auto const& curve : chart.curves) {
    std::vector<point> points;
    for (auto const& at : curve.points) points.push_back({on.x(at.confidence), on.y(at.accuracy)});
    to.path(path_through(points), colour_class(curve.colour) + " line");
    for (auto const& at : curve.points) {
      if (!std::isfinite(at.confidence) || !std::isfinite(at.accuracy) || !(at.share > 0)) continue;
      // The area of a dot is its share of the predictions.
      double const radius = std::max(2.0, 1.4 * std::sqrt(std::min(at.share, 100.0)));
      to.circle({on.x(at.confidence), on.y(at.accuracy)}, radius, colour_class(curve.colour) + " dot clear",
                curve.name + ": says " + decimal(at.confidence, 1) + " %, right in " +
                    decimal(at.accuracy, 1) + " %, over " + decimal(at.share, 1) + " % of the images");
    }
  }
  return to.finish();
}

std::string draw(distribution_pair const& chart) {
  constexpr double row = 19;
  constexpr double top = 22;
  constexpr std::size_t longest_name = 14;
  std::vector<std::size_t> order(chart.classes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  auto const known = [&](std::size_t side, std::size_t index) -> std::optional<double> {
    auto const& values = chart.percent[side];
    return index < values.size() && std::isfinite(values[index]) ? std::optional(values[index])
                                                                 : std::nullopt;
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return known(1, a).value_or(-1) > known(1, b).value_or(-1);
  });
  order.resize(std::min(order.size(), chart.rows));

  constexpr double width = 340;
  constexpr double number_width = 50;
  double const left = 10 + letter * static_cast<double>(longest(chart.classes, longest_name));
  double const half = (width - left) / 2;
  canvas to(width, top + row * static_cast<double>(order.size()) + 2, chart.label);
  for (std::size_t side = 0; side < 2; ++side) {
    double const start = left + half * static_cast<double>(side);
    scale const x{0, 100, start, start + half - number_width};
    to.text({start, top - 9}, chart.names[side], "name");
    to.line({start, top - 2}, {start, top + row * static_cast<double>(order.size())}, "axis");
    for (std::size_t place = 0; place < order.size(); ++place) {
      double const y = top + row * static_cast<double>(place);
      auto const value = known(side, order[place]);
      if (!value) continue;
      double const end = x(std::clamp(*value, 0.0, 100.0));
      to.rectangle({start, y + 2, std::max(1.0, end - start), row - 6}, side == 0 ? "c0 bar" : "c2 bar");
      std::string const words = *value < 0.05 ? std::string("< 0.1") : decimal(*value, 1);
      to.text({end + 4, y + row / 2 + 3}, words, "mark");
    }
  }
  for (std::size_t place = 0; place < order.size(); ++place) {
    to.text({left - 6, top + row * static_cast<double>(place) + row / 2 + 3},
            shortened(chart.classes[order[place]], longest_name),
            order[place] == chart.marked ? "label end strong" : "label end");
  }
  return to.finish();
}

std::string legend(std::vector<legend_entry> const& entries) {
  std::string list = "<ul class=\"legend\">\n";
  for (auto const& [name, classes] : entries) {
    list += "<li><svg class=\"sample\" viewBox=\"0 0 26 12\" aria-hidden=\"true\">";
    bool const line = classes.find("line") != std::string::npos || classes.find("ideal") != std::string::npos;
    list += line ? "<line class=\"" + classes + "\" x1=\"0\" y1=\"6\" x2=\"26\" y2=\"6\"/>"
                 : "<rect class=\"" + classes + "\" x=\"0\" y=\"1\" width=\"26\" height=\"10\"/>";
    list += "</svg>" + escape(name) + "</li>\n";
  }
  return list + "</ul>\n";
}

}  // namespace quickstart::svg
