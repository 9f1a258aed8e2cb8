#include "svg.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace quickstart::svg {
namespace {

std::string fixed(double value, int digits) {
  // The longest double written out: 309 digits, sign, point and decimals.
  std::array<char, 400> buffer{};
  auto const end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, digits)
          .ptr;
  std::string text(buffer.data(), end);
  if (text.front() == '-' && text.find_first_not_of("-0.") == std::string::npos) text.erase(0, 1);
  return text;
}

std::string attribute(std::string_view name, double value) {
  return ' ' + std::string(name) + "=\"" + number(value) + '"';
}

std::string class_attribute(std::string_view classes) { return " class=\"" + std::string(classes) + '"'; }

}  // namespace

std::string escape(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (char const letter : text) {
    switch (letter) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        auto const code = static_cast<unsigned char>(letter);
        if ((code >= 0x20 && code != 0x7F) || letter == '\n' || letter == '\t') safe += letter;
    }
  }
  return safe;
}

std::string number(double value) {
  std::string text = fixed(value, 2);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string decimal(double value, int digits) {
  return std::isfinite(value) ? fixed(value, digits) : "\u2013";
}

ticks round_ticks(double low, double high, int at_most, double smallest_step) {
  ticks marks;
  double const span = high - low;
  if (!std::isfinite(span) || span <= 0) return marks;
  double power = std::pow(10.0, std::floor(std::log10(span / at_most)));
  double step = 0;
  double first = 0;
  double last = 0;
  // A range of 10 at_most powers holds its marks after two decades at the latest.
  for (;; power *= 10) {
    for (double const factor : {1.0, 2.0, 5.0}) {
      step = factor * power;
      // Rounding must not drop a mark that lies on the end of the axis.
      double const slack = 1e-9;
      first = std::ceil(low / step - slack);
      last = std::floor(high / step + slack);
      if (step >= smallest_step && last - first + 1 <= at_most) {
        for (double index = first; index <= last; ++index) marks.values.push_back(index * step);
        marks.digits = std::max(0, -static_cast<int>(std::floor(std::log10(step) + slack)));
        return marks;
      }
    }
  }
}

std::string path_through(std::vector<point> const& points) {
  std::string commands;
  bool drawing = false;
  for (auto const& [x, y] : points) {
    bool const known = std::isfinite(x) && std::isfinite(y);
    if (known) commands += (drawing ? 'L' : 'M') + number(x) + ' ' + number(y);
    drawing = known;
  }
  return commands;
}

canvas::canvas(double width, double height, std::string_view label)
    : body_("<svg class=\"chart\" role=\"img\" viewBox=\"0 0 " + number(width) + ' ' + number(height) +
            "\" style=\"max-width:" + number(1.1 * width) + "px\" aria-label=\"" + escape(label) + "\">\n") {}

void canvas::line(point from, point to, std::string_view classes) {
  body_ += "<line" + class_attribute(classes) + attribute("x1", from.x) + attribute("y1", from.y) +
           attribute("x2", to.x) + attribute("y2", to.y);
  close("line", {});
}

void canvas::rectangle(box const& at, std::string_view classes, std::string_view tooltip) {
  body_ += "<rect" + class_attribute(classes) + attribute("x", at.x) + attribute("y", at.y) +
           attribute("width", at.width) + attribute("height", at.height);
  close("rect", tooltip);
}

void canvas::circle(point center, double radius, std::string_view classes, std::string_view tooltip) {
  body_ += "<circle" + class_attribute(classes) + attribute("cx", center.x) + attribute("cy", center.y) +
           attribute("r", radius);
  close("circle", tooltip);
}

void canvas::path(std::string_view commands, std::string_view classes) {
  if (commands.empty()) return;
  body_ += "<path" + class_attribute(classes) + " d=\"" + std::string(commands) + '"';
  close("path", {});
}

void canvas::text(point at, std::string_view words, std::string_view classes) {
  body_ += "<text" + class_attribute(classes) + attribute("x", at.x) + attribute("y", at.y) + '>' +
           escape(words) + "</text>\n";
}

void canvas::begin_clip(box const& at) {
  // A nested picture cuts at its border without an id, which would have to be unique on the page.
  body_ += "<svg" + attribute("x", at.x) + attribute("y", at.y) + attribute("width", at.width) +
           attribute("height", at.height) + " viewBox=\"" + number(at.x) + ' ' + number(at.y) + ' ' +
           number(at.width) + ' ' + number(at.height) + "\">\n";
}

void canvas::end_clip() { body_ += "</svg>\n"; }

void canvas::close(std::string_view element, std::string_view tooltip) {
  if (tooltip.empty()) {
    body_ += "/>\n";
  } else {
    body_ += "><title>" + escape(tooltip) + "</title></" + std::string(element) + ">\n";
  }
}

std::string canvas::finish() const { return body_ + "</svg>\n"; }

}  // namespace quickstart::svg
