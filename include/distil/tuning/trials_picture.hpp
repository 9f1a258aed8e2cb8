#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "distil/tuning/trials.hpp"

namespace distil::tuning {

namespace detail {

using distil::detail::said;

/// Draws panels side by side: points at shares of an axis, at heights of their metrics.
class trials_painter {
 public:
  explicit trials_painter(std::span<trial const> trials) {
    bool any = false;
    for (trial const& each : trials) {
      if (!std::isfinite(each.metric)) continue;
      low_ = any ? std::min(low_, each.metric) : each.metric;
      high_ = any ? std::max(high_, each.metric) : each.metric;
      any = true;
    }
  }

  void begin(std::string_view name, std::string_view first, std::string_view last) {
    left_ = margin + static_cast<double>(panels_++) * (width + 2 * margin);
    text_ += said("<path d=\"M", short_of(left_), " 10v", short_of(height), "h", short_of(width),
                  "\" fill=\"none\" stroke=\"#888\"/>\n");
    label(left_, height + 25, "start", first);
    label(left_ + width, height + 25, "end", last);
    label(left_ + width / 2, height + 42, "middle", name);
    label(left_ - 4, y_of(low_) + 4, "end", short_of(low_));
    if (high_ > low_) label(left_ - 4, y_of(high_) + 4, "end", short_of(high_));
  }

  /// What has no finite metric is a cross at the bottom.
  void point(double share, double metric, bool is_best) {
    std::string const x = short_of(left_ + 5 + (width - 10) * share);
    if (!std::isfinite(metric)) {
      text_ += said("<path d=\"M", x, " ", short_of(height + 4), "l6 6m0 -6l-6 6\" stroke=\"#D55E00\"/>\n");
    } else {
      text_ += said("<circle cx=\"", x, "\" cy=\"", short_of(y_of(metric)), "\" r=\"", is_best ? 5 : 3,
                    "\" fill=\"", is_best ? "#D55E00" : "#0072B2", "\"/>\n");
    }
  }

  [[nodiscard]] std::string finished() const {
    std::string const size =
        said(short_of(static_cast<double>(panels_) * (width + 2 * margin)), " ", short_of(height + 50));
    return said("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", size,
                "\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" "
                "fill=\"#fff\"/>\n",
                text_, "</svg>\n");
  }

 private:
  static constexpr double width = 200, height = 160, margin = 45;

  static std::string short_of(double number) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", number);
    return text;
  }
  [[nodiscard]] double y_of(double metric) const {
    double const range = high_ / 2 - low_ / 2;  // halves, whose difference cannot overflow
    double const share = range > 0.0 ? (metric / 2 - low_ / 2) / range : 0.5;
    return 10 + height * (0.95 - 0.9 * share);
  }
  void label(double x, double y, std::string_view anchor, std::string_view words) {
    std::string safe;
    for (char const letter : words) {
      safe += letter == '<'   ? "&lt;"
              : letter == '>' ? "&gt;"
              : letter == '&' ? "&amp;"
                              : std::string(1, letter);
    }
    text_ += said("<text x=\"", short_of(x), "\" y=\"", short_of(y), "\" text-anchor=\"", anchor, "\">", safe,
                  "</text>\n");
  }

  double low_ = 0.0, high_ = 0.0, left_ = 0.0;
  int panels_ = 0;
  std::string text_;
};

}  // namespace detail

/// The record as a picture, an SVG that stands alone: the metrics in the order of the trials, and against each parameter on its own
/// scale. The best is larger; what has no finite metric is a cross. Throws std::invalid_argument when a trial is not of the space.
[[nodiscard]] inline std::string to_svg(search_space const& space, std::span<trial const> trials,
                                        goal wanted) {
  for (trial const& each : trials) {
    distil::detail::require(each.at.size() == space.size(), "tuning::to_svg", "size of a point",
                            each.at.size(),
                            [&] { return distil::detail::said(space.size(), ", as there are parameters"); });
  }
  auto const best = best_of(trials, wanted);
  detail::trials_painter painter(trials);
  painter.begin("trial", trials.empty() ? "" : "0", trials.empty() ? "" : std::to_string(trials.size() - 1));
  for (std::size_t i = 0; i < trials.size(); ++i) {
    double const share =
        trials.size() > 1 ? static_cast<double>(i) / static_cast<double>(trials.size() - 1) : 0.5;
    painter.point(share, trials[i].metric, best && best->id == trials[i].id);
  }
  for (std::size_t p = 0; p < space.size(); ++p) {
    parameter const& each = space.parameters()[p];
    painter.begin(each.name, space.text(p, each.low), each.high > each.low ? space.text(p, each.high) : "");
    for (trial const& one : trials) {
      double const value = one.at[p];
      double const share = !(each.high > each.low) ? 0.5
                           : each.kind == parameter_kind::logarithmic
                               ? std::log(value / each.low) / std::log(each.high / each.low)
                               : (value - each.low) / (each.high - each.low);
      painter.point(share, one.metric, best && best->id == one.id);
    }
  }
  return painter.finished();
}

/// The record as a table for a terminal, the best trial with a star.
[[nodiscard]] inline std::string to_table(search_space const& space, std::span<trial const> trials,
                                          goal wanted) {
  auto const best = best_of(trials, wanted);
  std::vector<std::vector<std::string>> rows(1, {"trial"});
  for (parameter const& each : space.parameters()) rows[0].push_back(each.name);
  rows[0].push_back("metric");
  char number[32];
  auto const short_of = [&](double value) {
    std::snprintf(number, sizeof number, "%.4g", value);
    return std::string(number);
  };
  for (trial const& each : trials) {
    rows.push_back({distil::detail::said(each.id, best && best->id == each.id ? "*" : "")});
    for (std::size_t p = 0; p < space.size(); ++p) {
      bool const is_text = space.parameters()[p].kind == parameter_kind::choice;
      rows.back().push_back(is_text ? space.text(p, each.at[p]) : short_of(each.at[p]));
    }
    rows.back().push_back(short_of(each.metric));
  }
  std::vector<std::size_t> widths(rows[0].size());
  for (auto const& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (auto const& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i] + (i + 1 < row.size() ? std::string(widths[i] - row[i].size() + 2, ' ') : "\n");
    }
  }
  return text;
}

}  // namespace distil::tuning
