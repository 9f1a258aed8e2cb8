#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The small part of SVG that the charts need. Colours and fonts come from the style sheet of the page, by
/// class, so that one chart serves light and dark.
namespace quickstart::svg {

/// Text made safe for HTML content and quoted attributes: & < > " ' become entities, control characters are
/// dropped.
[[nodiscard]] std::string escape(std::string_view text);

/// A coordinate: at most two decimals, no trailing zeros, the same in every locale. Precondition: finite.
[[nodiscard]] std::string number(double value);

/// A number to read: exactly `digits` decimals, or a dash when it is not finite.
[[nodiscard]] std::string decimal(double value, int digits);

/// Marks of an axis at round numbers (1, 2 or 5 times a power of ten).
struct ticks {
  std::vector<double> values;
  int digits = 0;  ///< decimals that tell neighbours apart
};

/// The finest round marks within [low, high], at most `at_most` of them (2 or more) and no closer than
/// `smallest_step`. An empty, reversed or non-finite range has none.
[[nodiscard]] ticks round_ticks(double low, double high, int at_most, double smallest_step = 0);

/// A straight map from the data in [from_low, from_high] to coordinates.
struct scale {
  double from_low, from_high, to_low, to_high;
  [[nodiscard]] double operator()(double value) const {
    return to_low + (value - from_low) / (from_high - from_low) * (to_high - to_low);
  }
};

struct point {
  double x, y;
};

struct box {
  double x, y, width, height;
};

/// "M x y L x y ..." through the points; a stretch begins anew after each point that is not finite.
[[nodiscard]] std::string path_through(std::vector<point> const& points);

/// Collects the elements of one picture. `classes` go to the style sheet; a `tooltip`, when given, shows on
/// hover.
class canvas {
 public:
  /// The picture fills the width it is given, up to a tenth more than `width` pixels: beyond, its text would
  /// shout.
  /// @param label read aloud in place of the picture
  canvas(double width, double height, std::string_view label);

  void line(point from, point to, std::string_view classes);
  void rectangle(box const& at, std::string_view classes, std::string_view tooltip = {});
  void circle(point center, double radius, std::string_view classes, std::string_view tooltip = {});
  void path(std::string_view commands, std::string_view classes);
  void text(point at, std::string_view words, std::string_view classes);
  /// Until `end_clip`, what leaves the box is cut off; coordinates stay those of the picture.
  void begin_clip(box const& at);
  void end_clip();

  /// The whole `<svg>` element.
  [[nodiscard]] std::string finish() const;

 private:
  void close(std::string_view element, std::string_view tooltip);
  std::string body_;
};

}  // namespace quickstart::svg
