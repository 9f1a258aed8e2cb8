#pragma once

#include "distil/feature/neuron_selectivity.hpp"

#include "pair_case.hpp"

namespace distil::testing {

struct neuron_selectivity_case : pair_case<distil::neuron_selectivity, neuron_selectivity_options> {
  static constexpr char const* name = "neuron_selectivity";
  static constexpr error_bound bound = neuron_selectivity_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"linear", {.kernel = selectivity_kernel::linear}},
            {"gaussian", {.kernel = selectivity_kernel::gaussian}},
            {"narrow gaussian", {.kernel = selectivity_kernel::gaussian, .variance = 0.5}}};
  }

  static std::vector<pair_shape> shapes() {
    return {{{1, 1, 1, 1}, {1, 1, 1, 1}},
            {{2, 3, 2, 2}, {2, 2, 2, 2}},
            {{1, 2, 1, 19}, {1, 5, 1, 19}},
            {{3, 4, 3, 5}, {3, 6, 3, 5}}};
  }
  static std::vector<pair_shape> large_shapes() { return {{{9, 20, 13, 11}, {9, 24, 13, 11}}}; }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    long double sum = 0, total = 0;
    for (index n = 0; n < student.samples(); ++n) {
      auto const weight = static_cast<long double>(s.options.weights[n]);
      total += weight;
      if (weight == 0) continue;
      sum += weight * (mean(student, student, n, s.options) + mean(teacher, teacher, n, s.options) -
                       2 * mean(student, teacher, n, s.options));
    }
    return total == 0 ? 0 : sum / total;
  }

  static pair_scales scales(exact_map const& student, exact_map const&, setting const&) {
    double shortest = 1e300;
    for (index n = 0; n < student.samples(); ++n) {
      for (index c = 0; c < student.channels(); ++c)
        shortest = std::min(shortest, static_cast<double>(length(student, n, c)));
    }
    return {1, 1 / (shortest * static_cast<double>(student.samples() * student.channels()))};
  }

 private:
  static long double length(exact_map const& x, index n, index c) {
    long double squares = 0;
    for (index p = 0; p < x.positions(); ++p) squares += x.at(n, c, p) * x.at(n, c, p);
    return std::sqrt(squares);
  }

  static long double mean(exact_map const& x, exact_map const& y, index n,
                          neuron_selectivity_options const& options) {
    long double sum = 0;
    for (index i = 0; i < x.channels(); ++i) {
      for (index j = 0; j < y.channels(); ++j) {
        long double product = 0, distance = 0;
        for (index p = 0; p < x.positions(); ++p) {
          long double const a = x.at(n, i, p) / length(x, n, i), b = y.at(n, j, p) / length(y, n, j);
          product += a * b;
          distance += (a - b) * (a - b);
        }
        if (options.kernel == selectivity_kernel::linear) sum += product;
        if (options.kernel == selectivity_kernel::polynomial) sum += product * product;
        if (options.kernel == selectivity_kernel::gaussian)
          sum += std::exp(-distance / (2 * static_cast<long double>(options.variance)));
      }
    }
    return sum / static_cast<long double>(x.channels() * y.channels());
  }
};

}  // namespace distil::testing
