#include "plot.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string_view>

namespace pictures {
namespace {

constexpr double width = 350, height = 230, left = 38, top = 26, plot_width = 190, plot_height = 160;
/// Okabe and Ito's, which the colour-blind tell apart.
constexpr std::array<char const*, 6> colours{"#0072B2", "#D55E00", "#009E73",
                                             "#CC79A7", "#56B4E9", "#E69F00"};

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value == 0.0 ? 0.0 : value);
  return text;
}
std::string mark(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

std::string of_text(double x, double y, std::string const& words, char const* anchor, char const* more = "") {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\"" + more + ">" +
         words + "</text>\n";
}

std::string of_panel(panel const& of, double at_x, double at_y, std::string const& x_name) {
  double const x0 = at_x + left, y0 = at_y + top;
  auto const to_x = [&](double x) {
    return x0 + plot_width * (x - of.x.front()) / (of.x.back() - of.x.front());
  };
  auto const to_y = [&](double y) { return y0 + plot_height * (of.high - y) / (of.high - of.low); };
  std::string result = of_text(x0, at_y + 15, of.title, "start", " font-weight=\"bold\"");
  for (double const y : of.y_marks) {
    result += "<path d=\"M" + number(x0) + " " + number(to_y(y)) + "h" + number(plot_width) +
              "\" stroke=\"#ddd\"/>\n";
    result += of_text(x0 - 5, to_y(y) + 3.5, mark(y), "end");
  }
  for (double const x : of.x_marks) {
    result += "<path d=\"M" + number(to_x(x)) + " " + number(y0 + plot_height) + "v3\" stroke=\"#888\"/>\n";
    result += of_text(to_x(x), y0 + plot_height + 14, mark(x), "middle");
  }
  result += of_text(x0 + plot_width / 2, y0 + plot_height + 28, x_name, "middle");
  double const slack = 1e-9 * (of.high - of.low);
  for (std::size_t k = 0; k < of.lines.size(); ++k) {
    std::string path;
    bool is_drawing = false;
    for (std::size_t i = 0; i < of.x.size(); ++i) {
      double const y = of.lines[k].y[i];
      bool const inside = std::isfinite(y) && y >= of.low - slack && y <= of.high + slack;
      if (inside) path += (is_drawing ? "L" : "M") + number(to_x(of.x[i])) + " " + number(to_y(y));
      is_drawing = inside;
    }
    char const* const colour = colours.at(k);
    result += std::string("<path d=\"") + path + "\" fill=\"none\" stroke=\"" + colour +
              "\" stroke-width=\"1.6\"/>\n";
    double const y = y0 + 8 + 17 * static_cast<double>(k), x = x0 + plot_width + 10;
    result += "<path d=\"M" + number(x) + " " + number(y) + "h12\" stroke=\"" + colour +
              "\" stroke-width=\"2.5\"/>\n";
    result += of_text(x + 16, y + 3.5, of.lines[k].name, "start");
  }
  return result;
}

/// The number that a text begins with, and takes it off.
std::optional<double> take_number(std::string_view& text) {
  double value = 0.0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

}  // namespace

std::string drawn(std::string const& description, std::string const& x_name, std::vector<panel> const& panels,
                  int columns) {
  int const rows = (static_cast<int>(panels.size()) + columns - 1) / columns;
  std::string const size = mark(columns * width) + " " + mark(rows * height);
  std::string result = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + size +
                       "\" font-family=\"sans-serif\" font-size=\"10.5\" fill=\"#222\">\n<title>" +
                       description + "</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  for (std::size_t i = 0; i < panels.size(); ++i) {
    auto const place = static_cast<int>(i);
    result += of_panel(panels[i], width * (place % columns), height * (place / columns), x_name);
  }
  return result + "</svg>\n";
}

std::string difference(std::string const& one, std::string const& other) {
  std::string_view a = one, b = other;
  while (!a.empty() && !b.empty()) {
    std::string_view before_a = a, before_b = b;
    auto const x = take_number(a), y = take_number(b);
    if (x && y && std::abs(*x - *y) <= 0.2) continue;
    if (!x && !y && a.front() == b.front()) {
      a.remove_prefix(1);
      b.remove_prefix(1);
      continue;
    }
    return "\"" + std::string(before_a.substr(0, 40)) + "\" is now \"" + std::string(before_b.substr(0, 40)) +
           "\"";
  }
  return a.empty() && b.empty() ? "" : "one ends before the other";
}

}  // namespace pictures
