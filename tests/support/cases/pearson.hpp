#pragma once

#include "distil/feature/pearson.hpp"

#include "pair_case.hpp"

namespace distil::testing {

struct pearson_case : pair_case<distil::pearson, pearson_options> {
  static constexpr char const* name = "pearson";
  static constexpr error_bound bound = pearson_loss::bound;

  static std::vector<setting> settings() {
    return {{}, {"epsilon 0.1", {.epsilon = 0.1}}, {"without epsilon", {.epsilon = 0}}};
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    long double sum = 0;
    for (index c = 0; c < student.channels(); ++c) {
      auto const a = moments(student, c), b = moments(teacher, c);
      for (index n = 0; n < student.samples(); ++n) {
        for (index p = 0; p < student.positions(); ++p) {
          long double const d =
              standardised(student.at(n, c, p), a, s) - standardised(teacher.at(n, c, p), b, s);
          sum += d * d / 2;
        }
      }
    }
    return student.values.empty() ? 0 : sum / static_cast<long double>(student.values.size());
  }

  static pair_scales scales(exact_map const& student, exact_map const&, setting const& s) {
    long double steepest = 0;
    for (index c = 0; c < student.channels(); ++c) {
      auto const m = moments(student, c);
      if (m.deviation == 0) continue;
      for (index n = 0; n < student.samples(); ++n) {
        for (index p = 0; p < student.positions(); ++p)
          steepest = std::max(steepest, (1 + std::abs(standardised(student.at(n, c, p), m, s))) /
                                            (m.deviation + s.options.epsilon));
      }
    }
    return {1.0, static_cast<double>(steepest) / static_cast<double>(student.values.size())};
  }

 private:
  struct moments_of_channel {
    long double mean, deviation;
  };
  static moments_of_channel moments(exact_map const& map, index c) {
    long double const count = static_cast<long double>(map.samples() * map.positions());
    long double sum = 0, squares = 0;
    for (index n = 0; n < map.samples(); ++n) {
      for (index p = 0; p < map.positions(); ++p) sum += map.at(n, c, p) / count;
    }
    for (index n = 0; n < map.samples(); ++n) {
      for (index p = 0; p < map.positions(); ++p) squares += std::pow(map.at(n, c, p) - sum, 2.0L);
    }
    return {sum, count > 1 ? std::sqrt(squares / (count - 1)) : 0};
  }
  static long double standardised(long double x, moments_of_channel const& m, setting const& s) {
    return m.deviation == 0 ? 0 : (x - m.mean) / (m.deviation + s.options.epsilon);
  }
};

}  // namespace distil::testing
