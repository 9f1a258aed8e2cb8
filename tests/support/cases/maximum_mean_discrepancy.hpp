#pragma once

#include "distil/relation/maximum_mean_discrepancy.hpp"

#include "pair_case.hpp"

namespace distil::testing {

/// With bandwidths that are given: one of the samples' own is a constant, which differences would not see.
struct maximum_mean_discrepancy_case : pair_case<distil::maximum_mean_discrepancy,
                                                 maximum_mean_discrepancy_options, pair_arguments::matrices> {
  static constexpr char const* name = "maximum_mean_discrepancy";
  static constexpr error_bound bound = maximum_mean_discrepancy_loss::bound;
  static constexpr bool samples_are_no_pairs = true;

  static std::vector<setting> settings() {
    return {{"bandwidth 3", {.bandwidth = 3.0}},
            {"unbiased", {.estimate = discrepancy_estimate::unbiased, .bandwidth = 2.0}},
            {"one kernel", {.bandwidth = 5.0, .kernels = 1}},
            {"two, ratio 3", {.bandwidth = 4.0, .kernels = 2, .ratio = 3.0}}};
  }
  static std::vector<pair_shape> shapes() {
    return {{{1, 1, 1, 1}, {1, 1, 1, 1}},   {{2, 3, 1, 1}, {4, 3, 1, 1}},  {{3, 1, 1, 1}, {3, 1, 1, 1}},
            {{4, 17, 1, 1}, {2, 17, 1, 1}}, {{9, 5, 1, 1}, {12, 5, 1, 1}}, {{7, 19, 1, 1}, {7, 19, 1, 1}}};
  }
  static std::vector<pair_shape> large_shapes() { return {{{300, 40, 1, 1}, {260, 40, 1, 1}}}; }

  static long double squared(exact_map const& a, index i, exact_map const& b, index j) {
    long double sum = 0;
    for (index c = 0; c < a.channels(); ++c) sum += (a(i, c) - b(j, c)) * (a(i, c) - b(j, c));
    return sum;
  }
  static long double bandwidth_of(int k, setting const& s) {
    return *s.options.bandwidth *
           std::pow(static_cast<long double>(s.options.ratio), k - s.options.kernels / 2);
  }
  static long double kernel(long double q, setting const& s) {
    long double sum = 0;
    for (int k = 0; k < s.options.kernels; ++k) sum += std::exp(-q / bandwidth_of(k, s));
    return sum;
  }
  static long double mean(exact_map const& a, exact_map const& b, bool without_self, setting const& s) {
    long double sum = 0;
    index pairs = 0;
    for (index i = 0; i < a.samples(); ++i) {
      for (index j = 0; j < b.samples(); ++j) {
        if (without_self && i == j) continue;
        sum += kernel(squared(a, i, b, j), s);
        ++pairs;
      }
    }
    return pairs == 0 ? 0 : sum / static_cast<long double>(pairs);
  }
  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    if (student.samples() == 0 || teacher.samples() == 0) return 0;
    bool const without_self = s.options.estimate == discrepancy_estimate::unbiased;
    return mean(student, student, without_self, s) + mean(teacher, teacher, without_self, s) -
           2 * mean(student, teacher, false, s);
  }

  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    long double largest = 0;  // of the centred samples
    exact_map all({student.samples() + teacher.samples(), student.channels(), 1, 1});
    for (index i = 0; i < all.samples(); ++i) {
      for (index c = 0; c < all.channels(); ++c) {
        all(i, c) = i < student.samples() ? student(i, c) : teacher(i - student.samples(), c);
      }
    }
    for (index c = 0; c < all.channels(); ++c) {
      long double sum = 0;
      for (index i = 0; i < all.samples(); ++i) sum += all(i, c);
      for (index i = 0; i < all.samples(); ++i) all(i, c) -= sum / static_cast<long double>(all.samples());
    }
    for (index i = 0; i < all.samples(); ++i) {
      long double squares = 0;
      for (index c = 0; c < all.channels(); ++c) squares += all(i, c) * all(i, c);
      largest = std::max(largest, squares);
    }
    double const magnified = std::max(1.0, static_cast<double>(largest / bandwidth_of(0, s)));
    long double steepest = 0;
    for (index i = 0; i < student.samples(); ++i) {
      long double sum = 0;
      for (index j = 0; j < all.samples(); ++j) {
        long double const q = squared(all, i, all, j);
        long double slope = 0;
        for (int k = 0; k < s.options.kernels; ++k)
          slope += std::exp(-q / bandwidth_of(k, s)) / bandwidth_of(k, s);
        bool const own = j < student.samples();
        auto const n = static_cast<long double>(student.samples()),
                   m = static_cast<long double>(teacher.samples());
        long double const within =
            s.options.estimate == discrepancy_estimate::biased ? n * n : std::max(1.0L, n * (n - 1));
        sum += 4 * slope * std::sqrt(q) / (own ? within : n * m);
      }
      steepest = std::max(steepest, sum);
    }
    return {4.0 * s.options.kernels * magnified, static_cast<double>(steepest) * magnified};
  }
};

}  // namespace distil::testing
