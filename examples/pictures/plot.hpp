#pragma once

#include <string>
#include <utility>
#include <vector>

/// Line charts as files of SVG that stand alone: white, with their own fonts and colours, coordinates of one decimal.
namespace pictures {

struct line {
  std::string name;
  std::vector<double> y;  ///< at the panel's x; what is not finite, or outside the panel, is left out
};

struct panel {
  std::string title;
  std::vector<double> x;
  std::vector<line> lines;  ///< at most six, which have a colour each
  double low = 0, high = 1;
  std::vector<double> x_marks, y_marks;
};

/// Panels side by side, so many in a row; each with its legend.
[[nodiscard]] std::string drawn(std::string const& description, std::string const& x_name,
                                std::vector<panel> const& panels, int columns);

/// Where two such files differ: nothing, or a line of text. Numbers may differ by 0.2, which nobody sees, since they depend on the
/// machine's last digits.
[[nodiscard]] std::string difference(std::string const& one, std::string const& other);

}  // namespace pictures
