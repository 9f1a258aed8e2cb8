#pragma once

#include "distil/relation/centered_kernel_alignment.hpp"

#include "pair_case.hpp"
#include "relational_reference.hpp"

namespace distil::testing {

struct centered_kernel_alignment_case
    : pair_case<distil::centered_kernel_alignment, centered_kernel_alignment_options,
                pair_arguments::matrices> {
  static constexpr char const* name = "centered_kernel_alignment";
  static constexpr error_bound bound = centered_kernel_alignment_loss::bound;

  static std::vector<setting> settings() {
    return {{}, {"debiased", {.estimate = independence_estimate::debiased}}};
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    if (student.samples() == 0) return 0;
    bool const debiased = s.options.estimate == independence_estimate::debiased;
    auto const both = [&](exact_map const& a, exact_map const& b) {
      return debiased ? unbiased(gram_of(a), gram_of(b)) : independence(a, b);
    };
    if (debiased && student.samples() < 4) return 1;
    long double const own = both(student, student), other = both(teacher, teacher);
    return own > 0 && other > 0 ? 1 - both(student, teacher) / std::sqrt(own * other) : 1;
  }

  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    bool const debiased = s.options.estimate == independence_estimate::debiased;
    auto const norm = [&](exact_map const& x) {
      if (debiased && x.samples() < 4) return 1.0L;
      exact_map const k = gram_of(x);
      return std::sqrt(debiased ? unbiased(k, k) * static_cast<long double>(x.samples() * (x.samples() - 3))
                                : independence(x, x));
    };
    auto const loss = [&](exact_map const& x) {  // what cancellation costs
      return debiased && norm(x) > 0 ? std::sqrt(sum_of_squares(gram_of(x))) / norm(x) : 1.0L;
    };
    long double const worst = std::max(loss(student), loss(teacher));
    long double const own = norm(student) > 0 ? norm(student) : 1;
    return {static_cast<double>(worst),
            static_cast<double>(worst * 2 * std::sqrt(sum_of_squares(student)) / own)};
  }

 private:
  static long double sum_of_squares(exact_map const& x) {
    long double sum = 0;
    for (long double const v : x.values) sum += v * v;
    return sum;
  }

  /// |Y' X|^2 of centred features: not by the Gram matrices of samples.
  static long double independence(exact_map const& x, exact_map const& y) {
    exact_map const a = centred(x), b = centred(y);
    long double sum = 0;
    for (index i = 0; i < a.channels(); ++i) {
      for (index j = 0; j < b.channels(); ++j) {
        long double dot = 0;
        for (index n = 0; n < a.samples(); ++n) dot += a(n, i) * b(n, j);
        sum += dot * dot;
      }
    }
    return sum;
  }
  static exact_map centred(exact_map x) {
    for (index c = 0; c < x.channels(); ++c) {
      long double mean = 0;
      for (index n = 0; n < x.samples(); ++n) mean += x(n, c) / static_cast<long double>(x.samples());
      for (index n = 0; n < x.samples(); ++n) x(n, c) -= mean;
    }
    return x;
  }

  /// Song et al. 2012, equation 5: traces and sums instead of centring.
  static long double unbiased(exact_map k, exact_map l) {
    index const rows = k.samples();
    auto const n = static_cast<long double>(rows);
    for (index i = 0; i < rows; ++i) k(i, i) = l(i, i) = 0;
    long double trace = 0, of_k = 0, of_l = 0, across = 0;
    for (index i = 0; i < rows; ++i) {
      long double row_k = 0, row_l = 0;
      for (index j = 0; j < rows; ++j) {
        trace += k(i, j) * l(j, i);
        row_k += k(i, j);
        row_l += l(i, j);
      }
      of_k += row_k, of_l += row_l, across += row_k * row_l;
    }
    return (trace + of_k * of_l / ((n - 1) * (n - 2)) - 2 * across / (n - 2)) / (n * (n - 3));
  }
};

}  // namespace distil::testing
