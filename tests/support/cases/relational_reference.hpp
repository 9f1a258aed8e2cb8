#pragma once

#include <algorithm>

#include "../owned_map.hpp"

/// What the references of losses between samples share, naive and in long double.
namespace distil::testing {

inline exact_map unit_rows_of(exact_map x) {
  for (index i = 0; i < x.samples(); ++i) {
    long double squares = 0;
    for (index c = 0; c < x.channels(); ++c) squares += x(i, c) * x(i, c);
    for (index c = 0; c < x.channels() && squares > 0; ++c) x(i, c) /= std::sqrt(squares);
  }
  return x;
}

inline double shortest_row_of(exact_map const& x) {
  long double shortest = 1e300L;
  for (index i = 0; i < x.samples(); ++i) {
    long double squares = 0;
    for (index c = 0; c < x.channels(); ++c) squares += x(i, c) * x(i, c);
    shortest = std::min(shortest, std::sqrt(squares));
  }
  return static_cast<double>(shortest);
}

inline exact_map distances_of(exact_map const& x) {
  exact_map result({x.samples(), x.samples(), 1, 1});
  for (index i = 0; i < x.samples(); ++i) {
    for (index j = 0; j < x.samples(); ++j) {
      long double squares = 0;
      for (index c = 0; c < x.channels(); ++c) squares += (x(i, c) - x(j, c)) * (x(i, c) - x(j, c));
      result(i, j) = std::sqrt(squares);
    }
  }
  return result;
}

/// Over those that are not 0; 0 of none.
inline long double mean_distance_of(exact_map const& distances) {
  long double sum = 0, count = 0;
  for (long double const d : distances.values) sum += d, count += d > 0 ? 1 : 0;
  return count == 0 ? 0 : sum / count;
}

inline exact_map gram_of(exact_map const& x) {
  exact_map result({x.samples(), x.samples(), 1, 1});
  for (index i = 0; i < x.samples(); ++i) {
    for (index j = 0; j < x.samples(); ++j) {
      for (index c = 0; c < x.channels(); ++c) result(i, j) += x(i, c) * x(j, c);
    }
  }
  return result;
}

inline long double smooth_l1_of(long double d) { return std::abs(d) < 1 ? d * d / 2 : std::abs(d) - 0.5L; }

}  // namespace distil::testing
