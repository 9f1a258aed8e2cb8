#pragma once

#include "distil/relation/correlation_congruence.hpp"

#include "pair_case.hpp"
#include "relational_reference.hpp"

namespace distil::testing {

struct correlation_congruence_case
    : pair_case<distil::correlation_congruence, correlation_congruence_options, pair_arguments::matrices> {
  static constexpr char const* name = "correlation_congruence";
  static constexpr error_bound bound = correlation_congruence_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"bilinear", {.kernel = correlation_kernel_form::bilinear}},
            {"unit features, order 4", {.gamma = 0.7, .order = 4, .unit_features = true}},
            {"norm", {.unit_features = true, .distance = correlation_distance::frobenius}}};
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    exact_map const own = dots(student, s), other = dots(teacher, s);
    long double sum = 0;
    for (std::size_t i = 0; i < own.values.size(); ++i)
      sum += std::pow(correlation(own.values[i], s) - correlation(other.values[i], s), 2);
    if (own.values.empty()) return 0;
    bool const root = s.options.distance == correlation_distance::frobenius;
    return (root ? std::sqrt(sum) : sum) / static_cast<long double>(own.values.size());
  }

  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    exact_map const own = dots(student, s), other = dots(teacher, s);
    auto const rows = static_cast<long double>(student.samples());
    bool const root = s.options.distance == correlation_distance::frobenius;
    long double squares = 0, slopes = 0, longest = 0, difference = 0;
    for (index i = 0; i < student.samples(); ++i) {
      long double of_row = 0, length = 0;
      for (index j = 0; j < student.samples(); ++j) {
        long double const a = own(i, j), b = other(i, j);
        long double const size = std::abs(correlation(a, s)) + std::abs(correlation(b, s));
        squares += size * size;
        difference += std::pow(correlation(a, s) - correlation(b, s), 2);
        of_row += size * std::abs(correlation(a + 1e-6L, s) - correlation(a - 1e-6L, s)) / 2e-6L;
      }
      for (index c = 0; c < student.channels(); ++c) length = std::max(length, std::abs(student(i, c)));
      slopes = std::max(slopes, of_row);
      longest = std::max(longest, length);
    }
    long double const x = s.options.unit_features ? 1 / shortest_row_of(student) : longest;
    long double const norm = difference > 0 ? std::sqrt(difference) : 1;
    return {static_cast<double>((root ? squares / norm : squares) / (rows * rows)),
            static_cast<double>((root ? slopes * 2 / norm : slopes * 4) * x / (rows * rows))};
  }

 private:
  static exact_map dots(exact_map const& x, setting const& s) {
    return gram_of(s.options.unit_features ? unit_rows_of(x) : x);
  }
  static long double correlation(long double dot, setting const& s) {
    if (s.options.kernel == correlation_kernel_form::bilinear) return dot;
    long double const gamma = s.options.gamma;
    long double sum = 0, term = std::exp(-2 * gamma);
    for (int p = 0; p <= s.options.order; ++p) {
      sum += term;
      term *= 2 * gamma * dot / (p + 1);
    }
    return sum;
  }
};

}  // namespace distil::testing
