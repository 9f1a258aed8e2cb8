#pragma once

#include "distil/relation/correlation_alignment.hpp"

#include "pair_case.hpp"

namespace distil::testing {

struct correlation_alignment_case
    : pair_case<distil::correlation_alignment, correlation_alignment_options, pair_arguments::matrices> {
  static constexpr char const* name = "correlation_alignment";
  static constexpr error_bound bound = correlation_alignment_loss::bound;
  static constexpr bool samples_are_no_pairs = true;

  static std::vector<setting> settings() {
    return {{},
            {"mean", {.divisor = alignment_divisor::squared_widths}},
            {"sum", {.divisor = alignment_divisor::one}}};
  }
  static std::vector<pair_shape> shapes() {
    return {{{1, 1, 1, 1}, {1, 1, 1, 1}},   {{2, 3, 1, 1}, {4, 3, 1, 1}},  {{3, 1, 1, 1}, {3, 1, 1, 1}},
            {{4, 17, 1, 1}, {2, 17, 1, 1}}, {{9, 5, 1, 1}, {12, 5, 1, 1}}, {{7, 19, 1, 1}, {7, 19, 1, 1}}};
  }
  static std::vector<pair_shape> large_shapes() { return {{{300, 40, 1, 1}, {260, 40, 1, 1}}}; }

  static exact_map centred(exact_map x) {
    for (index c = 0; c < x.channels(); ++c) {
      long double sum = 0;
      for (index i = 0; i < x.samples(); ++i) sum += x(i, c);
      for (index i = 0; i < x.samples(); ++i) x(i, c) -= sum / static_cast<long double>(x.samples());
    }
    return x;
  }
  static long double covariance(exact_map const& centred, index a, index b) {
    long double sum = 0;
    for (index i = 0; i < centred.samples(); ++i) sum += centred(i, a) * centred(i, b);
    return sum / static_cast<long double>(std::max<index>(1, centred.samples() - 1));
  }
  static long double divisor(index width, setting const& s) {
    auto const squared = static_cast<long double>(width * width);
    return s.options.divisor == alignment_divisor::one              ? 1
           : s.options.divisor == alignment_divisor::squared_widths ? squared
                                                                    : 4 * squared;
  }
  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    if (student.samples() == 0 || teacher.samples() == 0) return 0;
    exact_map const x = centred(student), y = centred(teacher);
    long double sum = 0;
    for (index a = 0; a < x.channels(); ++a) {
      for (index b = 0; b < x.channels(); ++b) {
        long double const d = covariance(x, a, b) - covariance(y, a, b);
        sum += d * d;
      }
    }
    return sum / divisor(student.channels(), s);
  }

  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    exact_map const x = centred(student), y = centred(teacher);
    auto const norm = [](exact_map const& of) {
      long double sum = 0;
      for (index a = 0; a < of.channels(); ++a) {
        for (index b = 0; b < of.channels(); ++b) sum += covariance(of, a, b) * covariance(of, a, b);
      }
      return std::sqrt(sum);
    };
    long double const both = norm(x) + norm(y), by = divisor(student.channels(), s);
    long double longest = 0;
    for (index i = 0; i < x.samples(); ++i) {
      long double squares = 0;
      for (index c = 0; c < x.channels(); ++c) squares += x(i, c) * x(i, c);
      longest = std::max(longest, std::sqrt(squares));
    }
    auto const rest = static_cast<long double>(std::max<index>(1, x.samples() - 1));
    return {static_cast<double>(both * both / by), static_cast<double>(4 * longest * both / (by * rest))};
  }
};

}  // namespace distil::testing
