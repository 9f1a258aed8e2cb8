#include "summary/table.hpp"

#include <algorithm>
#include <cstdio>

namespace bench {

namespace {

std::string line(std::vector<std::string> const& cells, std::vector<std::size_t> const& widths) {
  std::string result = "|";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    std::string const blanks(widths[i] - cells[i].size(), ' ');
    result += i == 0 ? " " + cells[i] + blanks + " |" : " " + blanks + cells[i] + " |";
  }
  return result + "\n";
}

std::string rule(std::vector<std::size_t> const& widths) {
  std::string result = "|";
  for (std::size_t i = 0; i < widths.size(); ++i) {
    result += i == 0 ? std::string(widths[i] + 2, '-') + "|" : std::string(widths[i] + 1, '-') + ":|";
  }
  return result + "\n";
}

}  // namespace

std::string markdown(table const& content) {
  std::vector<std::size_t> widths(content.columns.size(), 0);
  auto const widen = [&](std::vector<std::string> const& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  };
  widen(content.columns);
  for (auto const& row : content.rows) widen(row);

  std::string result = "## " + content.title + "\n\n";
  if (!content.note.empty()) result += content.note + "\n\n";
  result += line(content.columns, widths) + rule(widths);
  for (auto const& row : content.rows) result += line(row, widths);
  return result;
}

std::string text(std::optional<double> number) {
  if (!number) return "-";
  char digits[32];
  int const decimals = *number >= 99.95 ? 0 : *number >= 9.995 ? 1 : 2;
  std::snprintf(digits, sizeof digits, "%.*f", decimals, *number);
  return digits;
}

}  // namespace bench
