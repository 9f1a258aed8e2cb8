#pragma once

#include "distil/feature/hint.hpp"

#include "pair_case.hpp"

namespace distil::testing {

struct hint_case : pair_case<distil::hint, hint_options> {
  static constexpr char const* name = "hint";
  static constexpr error_bound bound = hint_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"sum", {.reduce = feature_reduction::sum}},
            {"smooth L1, beta 0.7", {.distance = hint_distance::smooth_l1, .beta = 0.7}},
            {"unit samples",
             {.normalize = hint_normalization::samples, .reduce = feature_reduction::sample_mean}},
            {"Huber, delta 0.7", {.distance = hint_distance::huber, .beta = 0.7}},
            {"absolute", {.distance = hint_distance::absolute, .reduce = feature_reduction::sample_mean}},
            {"power 3.5", {.distance = hint_distance::power, .power = 3.5}},
            {"norm", {.distance = hint_distance::norm}},
            {"norm of unit positions, sum",
             {.distance = hint_distance::norm,
              .normalize = hint_normalization::positions,
              .reduce = feature_reduction::sum}},
            {"unit positions", {.normalize = hint_normalization::positions}}};
  }

  static long double rho(long double d, hint_options const& o) {
    long double const beta = o.beta, size = std::abs(d);
    switch (o.distance) {
      case hint_distance::squared:
        return d * d;
      case hint_distance::smooth_l1:
        return size < beta ? d * d / (2 * beta) : size - beta / 2;
      case hint_distance::huber:
        return size < beta ? d * d / 2 : beta * (size - beta / 2);
      case hint_distance::absolute:
        return size;
      case hint_distance::power:
        return std::pow(size, static_cast<long double>(o.power));
      case hint_distance::norm:
        break;
    }
    return 0;
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    hint_options const& o = s.options;
    index const positions = student.positions();
    bool const by_position = o.weights.per_row() && o.weights.size() != student.samples();
    long double sum = 0, total = 0, counted = 0;
    for (index n = 0; n < student.samples(); ++n) {
      long double of_sample = 0, squares = 0;
      for (index p = 0; p < positions; ++p) {
        long double const weight = by_position ? o.weights[n * positions + p] : o.weights[n];
        of_sample += by_position || p == 0 ? weight : 0;
        for (index c = 0; c < student.channels(); ++c) {
          long double const d = student.at(n, c, p) / length(student, n, p, o.normalize) -
                                teacher.at(n, c, p) / length(teacher, n, p, o.normalize);
          if (weight == 0) continue;
          sum += weight * rho(d, o);
          squares += (by_position ? weight : 1) * d * d;
        }
      }
      if (o.distance == hint_distance::norm)
        sum += (by_position ? 1 : static_cast<long double>(o.weights[n])) * std::sqrt(squares);
      total += of_sample;
      counted += of_sample > 0 ? 1 : 0;
    }
    if (o.reduce == feature_reduction::sum || total == 0) return sum;
    if (o.reduce == feature_reduction::sample_mean || o.distance == hint_distance::norm)
      return sum / (by_position ? counted : total);
    return sum / (total * static_cast<long double>(student.channels() * (by_position ? 1 : positions)));
  }

 private:
  static long double length(exact_map const& map, index n, index position, hint_normalization what) {
    if (what == hint_normalization::none) return 1;
    long double sum = 0;
    for (index p = 0; p < map.positions(); ++p) {
      if (what == hint_normalization::positions && p != position) continue;
      for (index c = 0; c < map.channels(); ++c) sum += map.at(n, c, p) * map.at(n, c, p);
    }
    return sum == 0 ? 1 : std::sqrt(sum);
  }
};

}  // namespace distil::testing
