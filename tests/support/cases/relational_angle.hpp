#pragma once

#include "distil/relation/relational_angle.hpp"

#include "pair_case.hpp"
#include "relational_reference.hpp"

namespace distil::testing {

struct relational_angle_case
    : pair_case<distil::relational_angle, relational_angle_options, pair_arguments::matrices> {
  static constexpr char const* name = "relational_angle";
  static constexpr error_bound bound = relational_angle_loss::bound;

  static std::vector<setting> settings() { return {{}, {"unit features", {.unit_features = true}}}; }

  static std::vector<pair_shape> large_shapes() { return {{{150, 20, 1, 1}, {150, 24, 1, 1}}}; }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    index const rows = student.samples();
    auto const own = cosines(student, s), other = cosines(teacher, s);
    long double sum = 0;
    for (std::size_t i = 0; i < own.size(); ++i) sum += smooth_l1_of(own[i] - other[i]);
    return rows == 0 ? 0 : sum / static_cast<long double>(rows * rows * rows);
  }

  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    auto const [ratio, shortest] = spread_of(student, s);
    double const worst = std::max(ratio, spread_of(teacher, s).first);
    double const unit = s.options.unit_features ? shortest_row_of(student) : 1;
    return {worst, worst * worst / (static_cast<double>(student.samples()) * shortest * unit)};
  }

 private:
  /// e_ij . e_ik by the differences themselves.
  static std::vector<long double> cosines(exact_map const& map, setting const& s) {
    exact_map const x = s.options.unit_features ? unit_rows_of(map) : map;
    exact_map const distances = distances_of(x);
    index const rows = x.samples();
    std::vector<long double> result;
    for (index i = 0; i < rows; ++i) {
      for (index j = 0; j < rows; ++j) {
        for (index k = 0; k < rows; ++k) {
          long double dot = 0;
          for (index c = 0; c < x.channels(); ++c) dot += (x(j, c) - x(i, c)) * (x(k, c) - x(i, c));
          long double const lengths = distances(i, j) * distances(i, k);
          result.push_back(lengths > 0 ? dot / lengths : 0);
        }
      }
    }
    return result;
  }

  /// The largest ratio of two distances from one sample, and the shortest distance.
  static std::pair<double, double> spread_of(exact_map const& x, setting const& s) {
    exact_map const distances = distances_of(s.options.unit_features ? unit_rows_of(x) : x);
    long double ratio = 1, shortest = 1e300L;
    for (index i = 0; i < x.samples(); ++i) {
      long double least = 1e300L, most = 0;
      for (index j = 0; j < x.samples(); ++j) {
        if (i == j) continue;
        least = std::min(least, distances(i, j));
        most = std::max(most, distances(i, j));
      }
      if (most > 0) ratio = std::max(ratio, most / least);
      shortest = std::min(shortest, least);
    }
    return {static_cast<double>(ratio), shortest < 1e299L ? static_cast<double>(shortest) : 1.0};
  }
};

}  // namespace distil::testing
