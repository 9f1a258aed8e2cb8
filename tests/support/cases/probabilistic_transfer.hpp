#pragma once

#include "distil/relation/probabilistic_transfer.hpp"

#include "pair_case.hpp"
#include "relational_reference.hpp"

namespace distil::testing {

struct probabilistic_transfer_case
    : pair_case<distil::probabilistic_transfer, probabilistic_transfer_options, pair_arguments::matrices> {
  static constexpr char const* name = "probabilistic_transfer";
  static constexpr error_bound bound = probabilistic_transfer_loss::bound;

  // The first shapes have one feature, in which samples are opposite: without epsilon the loss is infinite there.
  static std::vector<setting> settings() { return {{}, {"epsilon 1e-3", {.epsilon = 1e-3}}}; }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    exact_map const q = probabilities(student), p = probabilities(teacher);
    long double sum = 0;
    for (std::size_t i = 0; i < p.values.size(); ++i) {
      long double const epsilon = s.options.epsilon;
      if (p.values[i] > 0) sum += p.values[i] * std::log((p.values[i] + epsilon) / (q.values[i] + epsilon));
    }
    return p.values.empty() ? 0 : sum / static_cast<long double>(p.values.size());
  }

  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    exact_map const q = probabilities(student), p = probabilities(teacher);
    auto const rows = static_cast<double>(student.samples());
    long double ratio = 1;
    for (std::size_t i = 0; i < p.values.size(); ++i) {
      ratio = std::max(ratio, p.values[i] / (q.values[i] + static_cast<long double>(s.options.epsilon)));
    }
    auto const worst = static_cast<double>(ratio);
    return {worst / rows, 2 * worst / (rows * rows * shortest_row_of(student))};
  }

 private:
  static exact_map probabilities(exact_map const& x) {
    exact_map result = gram_of(unit_rows_of(x));
    for (index i = 0; i < x.samples(); ++i) {
      long double sum = 0;
      for (index j = 0; j < x.samples(); ++j) sum += result(i, j) = (1 + result(i, j)) / 2;
      for (index j = 0; j < x.samples(); ++j) result(i, j) /= sum;
    }
    return result;
  }
};

}  // namespace distil::testing
