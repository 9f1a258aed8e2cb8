#pragma once

#include "distil/core/map_weights.hpp"

#include "pair_case.hpp"

namespace distil::testing {

/// A loss that sums a function of two elements: `Case::of_element(student, teacher, channel, setting)`.
template <class Case, auto const& Loss, class Options>
struct element_case : pair_case<Loss, Options> {
  using setting = typename pair_case<Loss, Options>::setting;

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    auto const& o = s.options;
    bool const by_position = o.weights.per_row() && o.weights.size() != student.samples();
    auto const channels = static_cast<long double>(student.channels());
    long double sum = 0, weights = 0, samples = 0;
    for (index n = 0; n < student.samples(); ++n) {
      long double of_sample = 0;
      for (index p = 0; p < student.positions(); ++p) {
        long double const weight = by_position ? o.weights[n * student.positions() + p] : o.weights[n];
        weights += weight;
        of_sample = by_position ? std::max(of_sample, weight > 0 ? 1.0L : 0.0L) : weight;
        for (index c = 0; weight > 0 && c < student.channels(); ++c)
          sum += weight * Case::of_element(student.at(n, c, p), teacher.at(n, c, p), c, s);
      }
      samples += of_sample;
    }
    if (o.reduce == feature_reduction::sum || weights == 0) return sum;
    return sum / (o.reduce == feature_reduction::sample_mean ? samples : weights * channels);
  }
};

}  // namespace distil::testing
