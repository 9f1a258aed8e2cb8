#pragma once

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

/// Reads the vectors of tests/vectors (format: tests/vectors/vector_file.py).
namespace distil::reference {

/// A row-major table of numbers. What is smaller than the smallest double is zero.
struct vector_table {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<double> numbers = {};

  [[nodiscard]] std::vector<double> row(std::size_t r) const {
    auto const first = numbers.begin() + static_cast<std::ptrdiff_t>(r * columns);
    return {first, first + static_cast<std::ptrdiff_t>(columns)};
  }
};

struct vector_case {
  std::string name = {};
  std::string loss = {};
  std::map<std::string, std::string> options = {};
  std::map<std::string, vector_table> tables = {};

  [[nodiscard]] bool has(std::string const& table_name) const { return tables.count(table_name) != 0; }
  [[nodiscard]] vector_table const& table(std::string const& table_name) const {
    return tables.at(table_name);
  }
  [[nodiscard]] double number(std::string const& table_name) const { return table(table_name).numbers.at(0); }
  [[nodiscard]] std::string option(std::string const& key, std::string const& otherwise) const {
    auto const found = options.find(key);
    return found == options.end() ? otherwise : found->second;
  }
  [[nodiscard]] double option(std::string const& key, double otherwise) const {
    auto const found = options.find(key);
    return found == options.end() ? otherwise : std::strtod(found->second.c_str(), nullptr);
  }
};

namespace detail {

/// The numbers of the next lines, one line a row. strtod, since streams refuse inf and what underflows.
inline vector_table read_table(std::istream& file, std::size_t rows, std::size_t columns) {
  vector_table result{rows, columns};
  std::string word;
  while (result.numbers.size() < rows * columns && file >> word) {
    char* end = nullptr;
    result.numbers.push_back(std::strtod(word.c_str(), &end));
    if (*end != '\0') throw std::runtime_error("not a number: " + word);
  }
  if (result.numbers.size() < rows * columns) throw std::runtime_error("the file ends inside a tensor");
  file.ignore(1, '\n');
  return result;
}

/// Entry k is ((a k + b) mod m - s) / d.
inline vector_table read_formula(std::istream& words, std::size_t rows, std::size_t columns) {
  std::size_t a = 0, b = 0, m = 0, s = 0, d = 0;
  if (!(words >> a >> b >> m >> s >> d) || m == 0) throw std::runtime_error("a formula needs A B M S D");
  vector_table result{rows, columns};
  for (std::size_t k = 0; k < rows * columns; ++k)
    result.numbers.push_back((static_cast<double>((a * k + b) % m) - static_cast<double>(s)) /
                             static_cast<double>(d));
  return result;
}

}  // namespace detail

/// Where the checked-in vectors lie, found from this header.
inline std::string vectors_path(std::string const& file_name) {
  return (std::filesystem::path(__FILE__).parent_path().parent_path() / "vectors" / file_name).string();
}

/// Every case of a file; throws `std::runtime_error` with the file's name when it is missing, empty or
/// malformed.
inline std::vector<vector_case> load_vectors(std::string const& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + ": cannot be opened");
  std::vector<vector_case> cases;
  std::string line;
  try {
    while (std::getline(file, line)) {
      std::istringstream words(line);
      std::string what, name, value;
      if (!(words >> what) || what == "#") continue;
      words >> name;
      if (what == "case") cases.push_back({name});
      if (cases.empty()) throw std::runtime_error("a case must come first");
      vector_case& current = cases.back();
      if (what == "loss") current.loss = name;
      if (what == "option" && words >> value) current.options[name] = value;
      if (what != "tensor" && what != "formula") continue;
      std::size_t rows = 0, columns = 0;
      if (!(words >> rows >> columns)) throw std::runtime_error("a tensor needs ROWS COLUMNS");
      current.tables[name] = what == "tensor" ? detail::read_table(file, rows, columns)
                                              : detail::read_formula(words, rows, columns);
    }
  } catch (std::runtime_error const& problem) {
    throw std::runtime_error(path + ": " + problem.what());
  }
  if (cases.empty()) throw std::runtime_error(path + ": no cases");
  return cases;
}

}  // namespace distil::reference
