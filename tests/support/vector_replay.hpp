#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "distil/core/loss_value.hpp"
#include "distil/core/matrix_view.hpp"
#include "distil/core/row_options.hpp"
#include "expectations.hpp"
#include "vectors.hpp"

/// Cases of tests/vectors as the library takes them, and held against what it gives.
namespace distil::testing {

using reference::vector_case;

/// A case in one element type.
template <class T>
struct vector_batch {
  vector_case const& source;
  index rows, columns;
  std::vector<T> student, teacher, gradient;
  std::vector<std::int64_t> labels;
  std::vector<double> row_weights, temperatures, values, slope;

  explicit vector_batch(vector_case const& from)
      : source(from),
        rows(static_cast<index>(from.table("student").rows)),
        columns(static_cast<index>(from.table("student").columns)),
        student(numbers_of<T>("student")),
        teacher(numbers_of<T>("teacher")),
        gradient(student.size()),
        labels(numbers_of<std::int64_t>("labels")),
        row_weights(numbers_of<double>("row_weights")),
        temperatures(numbers_of<double>("temperature")),
        values(static_cast<std::size_t>(rows)),
        slope(temperatures.empty() ? 1 : temperatures.size()) {}

  template <class Number>
  [[nodiscard]] std::vector<Number> numbers_of(char const* name) const {
    std::vector<Number> result;
    if (source.has(name)) {
      for (double const number : source.table(name).numbers) result.push_back(static_cast<Number>(number));
    }
    return result;
  }

  [[nodiscard]] matrix_view<T const> z() const { return {student.data(), rows, columns}; }
  [[nodiscard]] matrix_view<T const> t() const {
    return {teacher.data(), rows, static_cast<index>(source.table("teacher").columns)};
  }
  [[nodiscard]] matrix_view<T> g() { return {gradient.data(), rows, columns}; }

  [[nodiscard]] double number(std::string const& option, double otherwise = 0.0) const {
    return source.option(option, otherwise);
  }
  [[nodiscard]] bool is(std::string const& option) const { return number(option) != 0.0; }
  [[nodiscard]] std::string word(std::string const& option) const {
    return source.option(option, std::string());
  }

  [[nodiscard]] row_parameter temperature() const {
    return temperatures.empty() ? row_parameter(number("temperature", 1.0)) : row_parameter(temperatures);
  }
  [[nodiscard]] bool squared(double otherwise = 0.0) const {
    return number("scale_by_temperature_squared", otherwise) != 0.0;
  }
  [[nodiscard]] row_options row() {
    row_options result{
        .reduce = source.option("reduction", "sum") == "mean" ? reduction::mean : reduction::sum,
        .normalizer = number("normalizer"),
        .values = values};
    if (!row_weights.empty()) result.weights = row_weights;
    return result;
  }
  /// The same for a loss that takes no labels of its own.
  [[nodiscard]] row_options masked_row() {
    row_options result = row();
    result.labels = labels;
    return result;
  }
  [[nodiscard]] bool wants_slope() const { return source.has("gradient_by_temperature"); }
  [[nodiscard]] std::span<double> slopes() {
    return wants_slope() ? std::span<double>(slope) : std::span<double>();
  }
};

/// Sums of the terms' size: logits over T, times T^2 where the loss has it.
inline double size_of(vector_case const& source) {
  double largest = 1.0, temperature = source.option("temperature", 1.0);
  double coldest = temperature;
  if (source.has("temperature")) {
    for (double const t : source.table("temperature").numbers) {
      temperature = std::max(temperature, t);
      coldest = std::min(coldest, t);
    }
  }
  for (char const* const name : {"student", "teacher"}) {
    if (!source.has(name)) continue;
    for (double const logit : source.table(name).numbers) {
      if (std::isfinite(logit)) largest = std::max(largest, std::abs(logit) / coldest);
    }
  }
  return largest * std::max(1.0, temperature * temperature);
}

/// How a case is run: calls the loss of its name with the options of the case, writing gradient, row values and slopes.
template <class T>
using vector_player = loss_value (*)(vector_batch<T>&);
template <class T>
using vector_players = std::map<std::string, vector_player<T>>;

/// Everything a case holds, within some roundings of its size.
template <class T>
void expect_case(vector_case const& source, vector_player<T> play) {
  double const epsilon = std::numeric_limits<T>::epsilon();
  double const size = size_of(source), allowed = 32 * epsilon * size;
  vector_batch<T> batch(source);
  loss_value const found = play(batch);
  auto const near = [&](double actual, double expected, double scale, std::string const& what) {
    EXPECT_TRUE(close(actual, expected, scale * allowed + 16 * epsilon * std::abs(expected)))
        << source.name << (std::is_same_v<T, float> ? " in float, " : " in double, ") << what;
  };
  if (source.has("value")) near(found.value, source.number("value"), 1, "value");
  auto const& gradient = source.table("gradient").numbers;
  for (std::size_t i = 0; i < batch.gradient.size(); ++i) {
    near(double(batch.gradient[i]), gradient[i], 1, "gradient " + std::to_string(i));
  }
  if (source.has("values")) {
    for (std::size_t r = 0; r < batch.values.size(); ++r) {
      near(batch.values[r], source.table("values").numbers[r], 4, "row " + std::to_string(r));
    }
  }
  if (batch.wants_slope()) {
    auto const& slope = source.table("gradient_by_temperature").numbers;
    for (std::size_t i = 0; i < batch.slope.size(); ++i)
      near(batch.slope[i], slope[i], 4 * size, "by temperature");
  }
}

/// All cases of the family's file whose loss has a player; `least` of them must be there.
template <class T>
void expect_vectors(std::string const& file, vector_players<T> const& players, int least) {
  int compared = 0;
  for (vector_case const& source : reference::load_vectors(reference::vectors_path(file))) {
    auto const found = players.find(source.loss);
    if (found == players.end()) continue;
    expect_case<T>(source, found->second);
    ++compared;
  }
  EXPECT_GE(compared, least) << file;
}

}  // namespace distil::testing
