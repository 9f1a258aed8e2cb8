#pragma once

#include "distil/feature/hierarchical_context.hpp"

#include "pair_case.hpp"

namespace distil::testing {

struct hierarchical_context_case : pair_case<distil::hierarchical_context, hierarchical_context_options> {
  static constexpr char const* name = "hierarchical_context";
  static constexpr error_bound bound = hierarchical_context_loss::bound;

  static std::vector<setting> settings() { return {{}, {"levels 3, 0, 2", {.levels = {3, 0, 2}}}}; }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    long double sum = 0, total = 0;
    for (index n = 0; n < student.samples(); ++n) {
      long double const weight = s.options.weights[n];
      total += weight;
      long double level_weight = 1, weights = 1,
                  of_sample = squares(student, teacher, n, student.height(), student.width());
      for (index const level : s.options.levels) {
        if (level == 0 || level >= student.height()) continue;
        level_weight /= 2;
        weights += level_weight;
        of_sample += level_weight * squares(student, teacher, n, level, level);
      }
      if (weight > 0) sum += weight * of_sample / weights;
    }
    return total == 0 ? 0 : sum / total;
  }

  /// Mean over channels and cells of the squared differences of averages.
  static long double squares(exact_map const& s, exact_map const& t, index n, index height, index width) {
    long double sum = 0;
    for (index c = 0; c < s.channels(); ++c) {
      for (index i = 0; i < height; ++i) {
        for (index j = 0; j < width; ++j) {
          long double difference = 0, count = 0;
          for (index y = 0; y < s.height(); ++y) {
            for (index x = 0; x < s.width(); ++x) {
              if (!covers(i, y, s.height(), height) || !covers(j, x, s.width(), width)) continue;
              difference += s(n, c, y, x) - t(n, c, y, x);
              count += 1;
            }
          }
          sum += std::pow(difference / count, 2.0L);
        }
      }
    }
    return sum / static_cast<long double>(s.channels() * height * width);
  }

  static bool covers(index cell, index element, index from, index to) {
    auto const width = static_cast<double>(from) / static_cast<double>(to);
    return static_cast<double>(element) + 1 > static_cast<double>(cell) * width + 1e-9 &&
           static_cast<double>(element) < static_cast<double>(cell + 1) * width - 1e-9;
  }
};

}  // namespace distil::testing
