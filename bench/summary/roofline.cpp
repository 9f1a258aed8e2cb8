#include "summary/roofline.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "summary/svg.hpp"
#include "summary/table.hpp"
#include "summary/targets.hpp"

namespace bench {

namespace {

constexpr double lowest_intensity = 1.0 / 32, highest_intensity = 1.0 / 2;

struct point {
  std::string kernel;
  double intensity;  ///< exponentials for each byte
  double rate;       ///< exponentials for each nanosecond
  bool is_hinton;
};

/// What is measured at one shape; the points in the same order for every shape.
struct panel {
  std::string title;
  double bandwidth;  ///< bytes for each nanosecond
  std::vector<point> points;
};

/// Exponentials for each nanosecond of one pass: the best of all shapes.
double pass_rate(results const& measured, char const* operation) {
  std::vector<subject> passes;
  for (shape const size : shapes) passes.push_back(exp_pass(size.name(), operation));
  auto const time = measured.best(passes);
  return time ? 1.0 / *time : 0.0;
}

std::string name_of(subject const& what) {
  std::string name = what.operation;
  if (what.element != "float") name += ", " + what.element;
  return name;
}

panel measure(results const& measured, std::string const& title, std::string const& shape) {
  auto const limit = measured.best(memory_limit(shape));
  panel result{title + ", " + shape, limit ? 3 * sizeof(float) / *limit : 0.0, {}};
  for (entry const& one : benches()) {
    subject const& what = one.what;
    auto const time = measured.nanoseconds(what);
    bool const shown = what.library == "distil" && what.shape == shape && what.threads == 1 &&
                       (what.form == "gradient" || what.form == "output") &&
                       (what.element == "float" || what.element == "bfloat16");
    if (!time || !shown) continue;
    double const count = one.each.exponentials;
    result.points.push_back({name_of(what), count / static_cast<double>(one.each.bytes), count / *time,
                             what.operation.rfind("hinton_kd", 0) == 0});
  }
  std::stable_sort(result.points.begin(), result.points.end(), [](point const& a, point const& b) {
    return std::tuple(a.is_hinton, a.intensity, a.kernel) < std::tuple(b.is_hinton, b.intensity, b.kernel);
  });
  return result;
}

/// A logarithmic scale.
struct scale {
  double from, to;  ///< what lies at its ends
  double start, length;

  [[nodiscard]] double operator()(double value) const {
    return start + length * std::log2(value / from) / std::log2(to / from);
  }
};

std::string fraction(double power_of_two) {
  return power_of_two < 1 ? "1/" + std::to_string(std::lround(1 / power_of_two))
                          : std::to_string(std::lround(power_of_two));
}

struct roofs {
  double own_exp, general_exp;

  [[nodiscard]] double over(panel const& in, double intensity) const {
    return std::min(in.bandwidth * intensity, own_exp);
  }
};

void draw_axes(svg& picture, panel const& on, scale const& x, scale const& y) {
  picture.text(x.start, y.start + y.length - 14, "title", "start", on.title);
  for (double tick = x.from; tick <= x.to; tick *= 2) {
    picture.line("grid", x(tick), y.start, x(tick), y.start + y.length);
    picture.text(x(tick), y.start + 16, "tick", "middle", fraction(tick));
  }
  for (double tick = y.from; tick <= y.to; tick *= 2) {
    picture.line("grid", x.start, y(tick), x.start + x.length, y(tick));
    picture.text(x.start - 6, y(tick) + 4, "tick", "end", fraction(tick));
  }
  picture.text(x.start + x.length / 2, y.start + 34, "axis", "middle", "exponentials for each byte moved");
}

void draw_roofs(svg& picture, panel const& on, roofs const& below, scale const& x, scale const& y) {
  double const knee = std::clamp(below.own_exp / on.bandwidth, x.from, x.to);
  double const first = std::max(x.from, y.from / on.bandwidth);
  if (knee > first) {
    picture.line("roof", x(first), y(on.bandwidth * first), x(knee), y(on.bandwidth * knee));
    double const slope = (y(2) - y(1)) / (x(2) - x(1));
    double const middle = std::sqrt(first * knee);
    picture.text_along(x(middle) - 7, y(on.bandwidth * middle) - 7, std::atan(slope), "roof_name",
                       "memory, " + text(on.bandwidth) + " GB/s");
  } else {
    picture.text(x.start + 6, y(below.own_exp) + 16, "roof_name", "start",
                 "memory is further left: " + text(on.bandwidth) + " GB/s");
  }
  double const right = x.start + x.length;
  picture.line("roof", x(knee), y(below.own_exp), right, y(below.own_exp));
  picture.text(right, y(below.own_exp) - 6, "roof_name", "end", "one pass of exp_nonpositive");
  if (below.general_exp > 0) {
    picture.line("general", x(below.general_exp / on.bandwidth), y(below.general_exp), right,
                 y(below.general_exp));
    picture.text(right, y(below.general_exp) + 14, "general_name", "end", "one pass of xsimd::exp");
  }
}

/// Points with their numbers to the right, moved apart where they would cover each other.
void draw_points(svg& picture, panel const& on, scale const& x, scale const& y) {
  constexpr double apart = 12;
  std::vector<std::size_t> order(on.points.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tuple(on.points[a].intensity, on.points[a].rate) <
           std::tuple(on.points[b].intensity, on.points[b].rate);
  });
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last < order.size() && on.points[order[last]].intensity == on.points[order[first]].intensity)
      ++last;
    // From the lowest up; then the whole column down by half of what it grew.
    std::vector<double> heights;
    for (std::size_t i = first; i < last; ++i) {
      double const at = y(on.points[order[i]].rate);
      heights.push_back(heights.empty() ? at : std::min(at, heights.back() - apart));
    }
    double const grown = (y(on.points[order[last - 1]].rate) - heights.back()) / 2;
    for (std::size_t i = first; i < last; ++i) {
      point const& one = on.points[order[i]];
      double const label = heights[i - first] + grown;
      std::string const kind = one.is_hinton ? "hinton" : "other";
      picture.line("leader", x(one.intensity), y(one.rate), x(one.intensity) + 11, label);
      picture.circle(kind, x(one.intensity), y(one.rate), 4);
      picture.text(x(one.intensity) + 13, label + 4, kind + " number", "start", std::to_string(order[i] + 1));
    }
    first = last;
  }
}

std::string percent(double part) { return std::to_string(std::lround(100 * part)) + " %"; }

/// The kernels by their numbers, in two columns.
void draw_key(svg& picture, std::vector<panel> const& panels, roofs const& below, double left, double top,
              double column) {
  picture.text(
      left, top, "tick", "start",
      "Exponentials for each nanosecond, and their part of the roof above. Kernels with their gradient, or "
      "forward alone; hinton_kd at temperature 4, float, but where it says.");
  constexpr double rates[] = {232, 362}, parts[] = {278, 408}, line = 18;
  char const* const heads[] = {"in the caches", "in main memory"};
  auto const& kernels = panels[0].points;
  std::size_t const half = (kernels.size() + 1) / 2;
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    double const from = left + (k < half ? 0 : column), head = top + 26;
    double const at = head + line * static_cast<double>(k % half + 1);
    std::string const kind = kernels[k].is_hinton ? "hinton" : "other";
    picture.text(from + 14, at, kind + " number", "end", std::to_string(k + 1));
    picture.text(from + 22, at, "name", "start", kernels[k].kernel);
    for (std::size_t i = 0; i < panels.size(); ++i) {
      if (k % half == 0) picture.text(from + parts[i], head, "tick", "end", heads[i]);
      auto const& points = panels[i].points;
      auto const same = std::find_if(points.begin(), points.end(),
                                     [&](point const& one) { return one.kernel == kernels[k].kernel; });
      if (same == points.end()) continue;
      picture.text(from + rates[i], at, "name", "end", text(same->rate));
      picture.text(from + parts[i], at, "name", "end",
                   percent(same->rate / below.over(panels[i], same->intensity)));
    }
  }
}

}  // namespace

std::string roofline(results const& measured) {
  std::vector<panel> const panels{measure(measured, "In the caches", "128x1008"),
                                  measure(measured, "In main memory", "256x128256")};
  roofs const below{pass_rate(measured, "exp_nonpositive"), pass_rate(measured, "exp")};
  double lowest = below.own_exp;
  for (panel const& one : panels) {
    if (one.bandwidth == 0.0 || one.points.empty()) return {};
    for (point const& each : one.points) lowest = std::min(lowest, each.rate);
  }
  if (lowest <= 0.0) return {};

  constexpr double width = 420, height = 330, left = 62, top = 66, gap = 64;
  double const key = top + height + 66;
  double const lines = std::ceil(static_cast<double>(panels[0].points.size()) / 2);
  svg picture(left + 2 * width + gap + 24, key + 44 + 18 * lines);
  picture.text(left, 28, "heading", "start", "distil below its two limits, one thread");
  picture.text_along(18, top + height / 2, -std::acos(0.0), "axis", "exponentials for each nanosecond");
  scale const y{std::exp2(std::floor(std::log2(lowest))),
                std::exp2(std::ceil(std::log2(1.15 * below.own_exp))), top + height, -height};
  for (std::size_t i = 0; i < panels.size(); ++i) {
    scale const x{lowest_intensity, highest_intensity, left + static_cast<double>(i) * (width + gap), width};
    draw_axes(picture, panels[i], x, y);
    draw_roofs(picture, panels[i], below, x, y);
    draw_points(picture, panels[i], x, y);
  }
  draw_key(picture, panels, below, left, key, width + gap);
  return picture.done();
}

}  // namespace bench
