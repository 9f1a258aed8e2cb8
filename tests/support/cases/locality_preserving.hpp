#pragma once

#include "distil/relation/locality_preserving.hpp"

#include "pair_case.hpp"

namespace distil::testing {

struct locality_preserving_case
    : pair_case<distil::locality_preserving, locality_preserving_options, pair_arguments::matrices> {
  static constexpr char const* name = "locality_preserving";
  static constexpr error_bound bound = locality_preserving_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"bandwidth", {.neighbours = 2, .bandwidth = 7}},
            {"reconstruction", {.neighbours = 3, .weights = neighbour_weights::reconstruction}},
            {"more neighbours than dimensions",
             {.neighbours = 7, .weights = neighbour_weights::reconstruction, .regularization = 0.01}}};
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    locality_preserving_options const& o = s.options;
    index const rows = student.samples(), count = std::min(o.neighbours, rows - 1);
    if (count <= 0) return 0;
    auto const near = neighbours(teacher, count);
    long double bandwidth = o.bandwidth;
    if (o.bandwidth == 0) {
      for (index i = 0; i < rows; ++i) {
        for (index const j : near[static_cast<std::size_t>(i)])
          bandwidth += product(teacher, i, i, j, j) / static_cast<long double>(rows * count);
      }
    }
    long double sum = 0;
    for (index i = 0; i < rows; ++i) {
      auto const& of_row = near[static_cast<std::size_t>(i)];
      if (o.weights == neighbour_weights::heat) {
        for (index const j : of_row)
          sum += std::exp(-product(teacher, i, i, j, j) / bandwidth) * product(student, i, i, j, j) / 2;
        continue;
      }
      auto const weights = reconstruction(teacher, i, of_row, o.regularization);
      for (index c = 0; c < student.channels(); ++c) {
        long double rest = student(i, c);
        for (std::size_t k = 0; k < of_row.size(); ++k) rest -= weights[k] * student(of_row[k], c);
        sum += rest * rest;
      }
    }
    return sum / static_cast<long double>(rows);
  }

  static pair_scales scales(exact_map const& student, exact_map const&, setting const&) {
    long double squares = 0;
    for (long double const x : student.values) squares += x * x;
    return {static_cast<double>(squares / static_cast<long double>(student.samples())), 0};
  }

 private:
  /// (x_i - x_a) . (x_j - x_b)
  static long double product(exact_map const& x, index i, index j, index a, index b) {
    long double sum = 0;
    for (index c = 0; c < x.channels(); ++c) sum += (x(i, c) - x(a, c)) * (x(j, c) - x(b, c));
    return sum;
  }

  static std::vector<std::vector<index>> neighbours(exact_map const& x, index count) {
    std::vector<std::vector<index>> result;
    for (index i = 0; i < x.samples(); ++i) {
      std::vector<index> others;
      for (index j = 0; j < x.samples(); ++j) {
        if (j != i) others.push_back(j);
      }
      std::stable_sort(others.begin(), others.end(),
                       [&](index a, index b) { return product(x, i, i, a, a) < product(x, i, i, b, b); });
      others.resize(static_cast<std::size_t>(count));
      result.push_back(others);
    }
    return result;
  }

  /// By Gauss's elimination.
  static std::vector<long double> reconstruction(exact_map const& x, index i, std::vector<index> const& near,
                                                 double regularization) {
    std::size_t const size = near.size();
    std::vector<std::vector<long double>> a(size, std::vector<long double>(size + 1, 1));
    long double trace = 0;
    for (std::size_t r = 0; r < size; ++r) {
      for (std::size_t c = 0; c < size; ++c) a[r][c] = product(x, i, i, near[r], near[c]);
      trace += a[r][r];
    }
    for (std::size_t r = 0; r < size; ++r) a[r][r] += static_cast<long double>(regularization) * trace;
    for (std::size_t p = 0; p < size; ++p) {
      for (std::size_t r = 0; r < size; ++r) {
        if (r == p) continue;
        long double const share = a[r][p] / a[p][p];
        for (std::size_t c = p; c <= size; ++c) a[r][c] -= share * a[p][c];
      }
    }
    std::vector<long double> weights;
    long double sum = 0;
    for (std::size_t r = 0; r < size; ++r) {
      weights.push_back(a[r][size] / a[r][r]);
      sum += weights.back();
    }
    for (long double& weight : weights) weight /= sum;
    return weights;
  }
};

}  // namespace distil::testing
