#pragma once

#include "../owned_map.hpp"

/// The naive map of where a sample's channels are large.
namespace distil::testing::reference {

inline std::vector<long double> attention_sums(exact_map const& map, index n, long double power) {
  std::vector<long double> v(static_cast<std::size_t>(map.positions()), 0);
  for (index p = 0; p < map.positions(); ++p) {
    for (index c = 0; c < map.channels(); ++c)
      v[static_cast<std::size_t>(p)] += std::pow(std::abs(map.at(n, c, p)), power);
  }
  return v;
}

inline long double length(std::vector<long double> const& v) {
  long double squares = 0;
  for (long double const x : v) squares += x * x;
  return std::sqrt(squares);
}

/// Of length one, or zeros.
inline std::vector<long double> attention_map(exact_map const& map, index n, long double power) {
  auto v = attention_sums(map, n, power);
  long double const by = length(v);
  for (long double& x : v) x /= by == 0 ? 1 : by;
  return v;
}

/// The largest of power |f|^(power - 1) / |v|.
inline double attention_slope(exact_map const& map, index n, double power) {
  long double const by = length(attention_sums(map, n, power));
  long double largest = 0;
  for (index p = 0; p < map.positions(); ++p) {
    for (index c = 0; c < map.channels(); ++c)
      largest = std::max(largest, power * std::pow(std::abs(map.at(n, c, p)), power - 1.0L));
  }
  return by == 0 ? 0 : static_cast<double>(largest / by);
}

}  // namespace distil::testing::reference
