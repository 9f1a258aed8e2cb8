#pragma once

#include <sstream>
#include <string>

namespace bench {

/// The few shapes of a diagram, in colours that follow the reader's choice of light or dark. What a thing looks like
/// goes by its class.
class svg {
 public:
  svg(double width, double height);

  void line(std::string const& kind, double x1, double y1, double x2, double y2);
  void circle(std::string const& kind, double x, double y, double radius);
  /// `anchor` is the point of the text that lies at x: start, middle or end.
  void text(double x, double y, std::string const& kind, char const* anchor, std::string const& content);
  /// With its middle at x, turned by an angle.
  void text_along(double x, double y, double radians, std::string const& kind, std::string const& content);

  [[nodiscard]] std::string done() const { return out_.str() + "</svg>\n"; }

 private:
  std::ostringstream out_;
};

}  // namespace bench
