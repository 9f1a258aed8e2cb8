#pragma once

#include <optional>
#include <string>
#include <vector>

namespace bench {

/// A table that reads well as text and is Markdown: the first column to the left, the others to the right.
struct table {
  std::string title;
  std::string note;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

std::string markdown(table const& content);

/// Three significant digits; a dash for what was not measured.
std::string text(std::optional<double> number);

}  // namespace bench
