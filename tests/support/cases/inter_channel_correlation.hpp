#pragma once

#include "distil/feature/inter_channel_correlation.hpp"

#include "pair_case.hpp"

namespace distil::testing {

struct inter_channel_correlation_case
    : pair_case<distil::inter_channel_correlation, inter_channel_correlation_options> {
  static constexpr char const* name = "inter_channel_correlation";
  static constexpr error_bound bound = inter_channel_correlation_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"pair mean", {.reduce = channel_pair_reduction::pair_mean}},
            {"sample mean", {.reduce = channel_pair_reduction::sample_mean}},
            {"sum", {.reduce = channel_pair_reduction::sum}}};
  }

  static std::vector<pair_shape> shapes() {
    return {{{1, 1, 1, 1}, {1, 1, 1, 2}},
            {{2, 3, 2, 2}, {2, 3, 1, 3}},
            {{1, 2, 1, 19}, {1, 2, 1, 4}},
            {{3, 5, 3, 4}, {3, 5, 2, 4}}};
  }
  static std::vector<pair_shape> large_shapes() { return {{{9, 20, 13, 11}, {9, 20, 7, 11}}}; }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    index const channels = student.channels();
    long double sum = 0, total = 0;
    for (index n = 0; n < student.samples(); ++n) {
      auto const weight = static_cast<long double>(s.options.weights[n]);
      total += weight;
      if (weight == 0) continue;
      auto const a = unit_gram(student, n), b = unit_gram(teacher, n);
      for (index i = 0; i < channels; ++i) {
        for (index j = 0; j < channels; ++j) sum += weight * (a(i, j) - b(i, j)) * (a(i, j) - b(i, j));
      }
    }
    return total == 0 ? 0 : sum / divisor(total, channels, s);
  }

  static pair_scales scales(exact_map const& student, exact_map const&, setting const& s) {
    double shortest = 1e300;
    for (index n = 0; n < student.samples(); ++n) {
      for (index c = 0; c < student.channels(); ++c) {
        double squares = 0;
        for (index p = 0; p < student.positions(); ++p)
          squares += static_cast<double>(student.at(n, c, p) * student.at(n, c, p));
        shortest = std::min(shortest, std::sqrt(squares));
      }
    }
    auto const samples = static_cast<double>(student.samples());
    double const by = static_cast<double>(divisor(student.samples(), student.channels(), s));
    return {samples * static_cast<double>(student.channels()) / by, 1 / (by * shortest)};
  }

 private:
  static long double divisor(long double total, index channels, setting const& s) {
    auto const count = static_cast<long double>(channels);
    switch (s.options.reduce) {
      case channel_pair_reduction::channel_mean:
        return total * count;
      case channel_pair_reduction::pair_mean:
        return total * count * count;
      case channel_pair_reduction::sample_mean:
        return total;
      case channel_pair_reduction::sum:
        return 1;
    }
    return 0;
  }

  static exact_map unit_gram(exact_map const& x, index n) {
    index const channels = x.channels();
    exact_map result({channels, channels, 1, 1});
    for (index i = 0; i < channels; ++i) {
      long double squares = 0;
      for (index j = 0; j < channels; ++j) {
        for (index p = 0; p < x.positions(); ++p) result(i, j) += x.at(n, i, p) * x.at(n, j, p);
        squares += result(i, j) * result(i, j);
      }
      for (index j = 0; j < channels && squares > 0; ++j) result(i, j) /= std::sqrt(squares);
    }
    return result;
  }
};

}  // namespace distil::testing
