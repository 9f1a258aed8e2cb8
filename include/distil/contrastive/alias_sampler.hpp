#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "distil/core/shapes.hpp"

namespace distil {

/// Draws of numbers 0 .. n - 1 with given probabilities, each draw in constant time (alias method: Walker 1977, Vose 1991).
/// The draws are a function of seed and number alone: the same on every machine, for every number of threads.
class alias_sampler {
 public:
  /// Every number alike. Throws std::invalid_argument unless count is at least 1.
  explicit alias_sampler(index count)
      : alias_sampler(std::vector<double>(count < 1 ? 0U : static_cast<std::size_t>(count), 1.0)) {}

  /// In proportion to the weights: finite, >= 0, not all 0.
  explicit alias_sampler(std::span<double const> weights) {
    char const* const where = "alias_sampler";
    detail::require(!weights.empty(), where, "number of weights", 0, "at least 1");
    double total = 0.0;
    for (double const weight : weights) {
      detail::require(detail::is_weight(weight), where, "weights", weight, detail::must_be_weight);
      total += weight;
    }
    detail::require(total > 0.0 && std::isfinite(total), where, "sum of the weights", total,
                    "finite and > 0");
    fill(weights, total);
  }

  [[nodiscard]] index size() const { return static_cast<index>(keep_.size()); }

  /// The draw of this seed and number.
  [[nodiscard]] std::int64_t operator()(std::uint64_t seed, std::uint64_t number) const {
    std::uint64_t const which = mix(seed, 2 * number), toss = mix(seed, 2 * number + 1);
    auto const at = static_cast<std::size_t>(uniform(which) * static_cast<double>(keep_.size()));
    return uniform(toss) < keep_[at] ? static_cast<std::int64_t>(at) : other_[at];
  }

  /// Fills `to` with the draws first, first + 1, ...
  void draw(std::uint64_t seed, std::uint64_t first, std::span<std::int64_t> to) const {
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = (*this)(seed, first + i);
  }

 private:
  // splitmix64 of a counter.
  static std::uint64_t mix(std::uint64_t seed, std::uint64_t counter) {
    std::uint64_t word = seed * 0xD1342543DE82EF95U + (counter + 1) * 0x9E3779B97F4A7C15U;
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9U;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EBU;
    return word ^ (word >> 31);
  }
  static double uniform(std::uint64_t word) { return static_cast<double>(word >> 11) * 0x1p-53; }

  // Numbers drawn too rarely share their place with one drawn too often.
  void fill(std::span<double const> weights, double total) {
    std::size_t const count = weights.size();
    keep_.resize(count);
    other_.assign(count, 0);
    std::vector<std::size_t> rare, frequent;
    for (std::size_t i = 0; i < count; ++i) {
      keep_[i] = weights[i] / total * static_cast<double>(count);
      other_[i] = static_cast<std::int64_t>(i);
      (keep_[i] < 1.0 ? rare : frequent).push_back(i);
    }
    while (!rare.empty() && !frequent.empty()) {
      std::size_t const one = rare.back(), giver = frequent.back();
      rare.pop_back();
      other_[one] = static_cast<std::int64_t>(giver);
      keep_[giver] -= 1.0 - keep_[one];
      if (keep_[giver] >= 1.0) continue;
      frequent.pop_back();
      rare.push_back(giver);
    }
    // What rounding has left over keeps its place. One of weight 0 never does: it has found a giver before.
    for (std::size_t const i : rare) keep_[i] = 1.0;
    for (std::size_t const i : frequent) keep_[i] = 1.0;
  }

  std::vector<double> keep_;
  std::vector<std::int64_t> other_;
};

}  // namespace distil
