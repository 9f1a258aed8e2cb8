#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "distil/core/feature_map.hpp"
#include "distil/core/loss_value.hpp"
#include "distil/core/row_parameter.hpp"
#include "expectations.hpp"
#include "vectors.hpp"

/// Cases of named tensors (tests/vectors/tensor_case.py) as the library takes them, and held against what it gives.
namespace distil::testing {

using reference::vector_case;

/// A case in double. What a player writes under a tensor's name is compared with the gradient by that tensor.
class tensor_case {
 public:
  explicit tensor_case(vector_case const& source) : source_(source) {}

  [[nodiscard]] vector_case const& source() const { return source_; }
  [[nodiscard]] std::map<std::string, std::vector<double>> const& written() const { return written_; }

  [[nodiscard]] feature_map<double const> map(std::string const& name) const {
    return map_in(source_.table(name).numbers.data(), name);
  }
  [[nodiscard]] feature_map<double> gradient_map(std::string const& name) {
    return map_in(place_for(name).data(), name);
  }
  [[nodiscard]] matrix_view<double const> matrix(std::string const& name) const {
    return matrix_in(source_.table(name).numbers.data(), name);
  }
  [[nodiscard]] matrix_view<double> gradient_matrix(std::string const& name) {
    return matrix_in(place_for(name).data(), name);
  }

  /// Hidden states, sequences x length x features in the file.
  [[nodiscard]] feature_map<double const> tokens(std::string const& name) const {
    return tokens_in(source_.table(name).numbers.data(), name);
  }
  [[nodiscard]] feature_map<double> gradient_tokens(std::string const& name) {
    return tokens_in(place_for(name).data(), name);
  }

  [[nodiscard]] bool has(std::string const& name) const { return source_.has(name); }
  [[nodiscard]] std::vector<double> const& numbers(std::string const& name) const {
    return source_.table(name).numbers;
  }
  /// Empty unless the case has such a gradient.
  [[nodiscard]] std::span<double> gradient(std::string const& name) {
    return source_.has("gradient_" + name) ? std::span<double>(place_for(name)) : std::span<double>();
  }
  [[nodiscard]] std::vector<std::int64_t> integers(std::string const& name) const {
    std::vector<std::int64_t> result;
    for (double const x : numbers(name)) result.push_back(static_cast<std::int64_t>(x));
    return result;
  }
  /// A tensor's numbers, or `otherwise` in a case without it.
  [[nodiscard]] row_parameter parameter(std::string const& name, double otherwise = 1.0) const {
    return has(name) ? row_parameter(numbers(name)) : row_parameter(otherwise);
  }

  /// An option must be there: a misspelt name throws.
  [[nodiscard]] double number(std::string const& option) const {
    return std::stod(source_.options.at(option));
  }
  [[nodiscard]] bool is(std::string const& option) const { return number(option) != 0.0; }
  [[nodiscard]] bool says(std::string const& option, std::string const& word) const {
    return source_.options.at(option) == word;
  }
  template <class Enumeration>
  [[nodiscard]] Enumeration one_of(std::string const& option,
                                   std::map<std::string, Enumeration> const& words) const {
    return words.at(source_.options.at(option));
  }

 private:
  /// As the option NAME_shape says; a matrix has one position a row.
  [[nodiscard]] std::array<index, 4> shape_of(std::string const& name) const {
    auto const found = source_.options.find(name + "_shape");
    auto const& table = source_.table(name);
    if (found == source_.options.end())
      return {static_cast<index>(table.rows), static_cast<index>(table.columns), 1, 1};
    std::array<index, 4> shape = {1, 1, 1, 1};
    std::istringstream words(found->second);
    std::size_t axis = 0;
    for (index size = 0; axis < 4 && words >> size; words.ignore(1, 'x')) shape[axis++] = size;
    return shape;
  }

  template <class T>
  [[nodiscard]] feature_map<T> map_in(T* first, std::string const& name) const {
    auto const [samples, channels, height, width] = shape_of(name);
    return {first, samples, channels, height, width};
  }

  template <class T>
  [[nodiscard]] feature_map<T> tokens_in(T* first, std::string const& name) const {
    auto const shape = shape_of(name);
    return token_map(first, shape[0], shape[1], shape[2]);
  }

  template <class T>
  [[nodiscard]] matrix_view<T> matrix_in(T* first, std::string const& name) const {
    auto const& table = source_.table(name);
    return {first, static_cast<index>(table.rows), static_cast<index>(table.columns)};
  }

  std::vector<double>& place_for(std::string const& name) {
    std::vector<double>& place = written_[name];
    place.resize(source_.table(name).numbers.size(), std::nan(""));
    return place;
  }

  vector_case const& source_;
  std::map<std::string, std::vector<double>> written_ = {};
};

/// Gives the loss of a case in its value, and writes its gradients.
using tensor_player = double (*)(tensor_case&);
using tensor_players = std::map<std::string, tensor_player>;

/// Of the value, and of the largest element of the gradient by a tensor: autograd and the library round differently,
/// and what is centred or normalised loses some digits. A case may allow more where public code adds an epsilon.
inline double allowed_in(vector_case const& source) { return source.option("allowed", 1e-12); }

inline void expect_tensors(vector_case const& source, tensor_player play) {
  tensor_case batch(source);
  double const found = play(batch), value = source.number("value");
  double const allowed = allowed_in(source);
  EXPECT_NEAR(found, value, allowed * std::abs(value)) << source.name << ", value";
  int gradients = 0;
  for (auto const& [name, table] : source.tables) {
    if (name.rfind("gradient_", 0) != 0) continue;
    ++gradients;
    auto const written = batch.written().find(name.substr(9));
    ASSERT_NE(written, batch.written().end()) << source.name << ", nothing written for " << name;
    double largest = 0.0;
    for (double const x : table.numbers) largest = std::max(largest, std::abs(x));
    for (std::size_t i = 0; i < table.numbers.size(); ++i) {
      EXPECT_NEAR(written->second[i], table.numbers[i], allowed * largest)
          << source.name << ", " << name << " " << i;
    }
  }
  EXPECT_GT(gradients, 0) << source.name;
}

/// All cases of the family's file: each loss must have a player, and each player a case.
inline void expect_tensors(std::string const& file, tensor_players const& players) {
  std::map<std::string, int> played;
  for (vector_case const& source : reference::load_vectors(reference::vectors_path(file))) {
    auto const found = players.find(source.loss);
    ASSERT_NE(found, players.end()) << source.name << ": no player";
    expect_tensors(source, found->second);
    ++played[source.loss];
  }
  EXPECT_EQ(played.size(), players.size()) << file;
}

}  // namespace distil::testing
