#pragma once

#include "distil/feature/solution_flow.hpp"

#include "layer_pair_case.hpp"

namespace distil::testing {

/// The naive loss of two layers of each network, whose samples begin at `second` in `student` and `teacher`.
inline long double solution_flow_of(exact_map const& a, exact_map const& b, exact_map const& teacher_a,
                                    exact_map const& teacher_b, index second,
                                    solution_flow_options const& options) {
  auto const product = [](exact_map const& x, exact_map const& y, index n, index m, index i, index j,
                          row_parameter const& weights) {
    long double sum = 0, divisor = 0;
    for (index p = 0; p < x.positions(); ++p) {
      auto const weight = static_cast<long double>(weights[n * x.positions() + p]);
      divisor += weight;
      if (weight > 0) sum += weight * x.at(n, i, p) * y.at(m, j, p);
    }
    return divisor > 0 ? sum / divisor : std::nanl("");
  };
  row_parameter const ours = options.position_weights;
  row_parameter const theirs = options.teacher_position_weights.value_or(ours);
  index const samples = second > 0 ? second : a.samples();
  long double sum = 0, total = 0;
  for (index n = 0; n < samples; ++n) {
    bool const counts = !std::isnan(product(a, b, n, n + second, 0, 0, ours)) &&
                        !std::isnan(product(teacher_a, teacher_b, n, n + second, 0, 0, theirs));
    auto const weight = counts ? static_cast<long double>(options.weights[n]) : 0;
    total += weight;
    for (index i = 0; i < a.channels(); ++i) {
      for (index j = 0; j < b.channels() && weight > 0; ++j) {
        long double const d = product(a, b, n, n + second, i, j, ours) -
                              product(teacher_a, teacher_b, n, n + second, i, j, theirs);
        sum += weight * d * d;
      }
    }
  }
  if (options.reduce == feature_reduction::sum || total == 0) return sum;
  if (options.reduce == feature_reduction::sample_mean) return sum / total;
  return sum / (total * static_cast<long double>(a.channels() * b.channels()));
}

struct solution_flow_case : layer_pair_case<distil::solution_flow, solution_flow_options> {
  static constexpr char const* name = "solution_flow";
  static constexpr error_bound bound = solution_flow_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"sum", {.reduce = feature_reduction::sum}},
            {"sample mean", {.reduce = feature_reduction::sample_mean}}};
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    return solution_flow_of(student, student, teacher, teacher, student.samples() / 2, s.options);
  }

  static pair_scales scales(exact_map const& student, exact_map const&, setting const& s) {
    // All elements lie within 2.
    auto const channels = static_cast<double>(student.channels());
    auto const samples = static_cast<double>(student.samples() / 2);
    double const pairs = channels * channels;
    double divisor = samples * pairs;
    if (s.options.reduce == feature_reduction::sum) divisor = 1;
    if (s.options.reduce == feature_reduction::sample_mean) divisor = samples;
    return {16 * samples * pairs / divisor,
            8 * channels / (divisor * static_cast<double>(student.positions()))};
  }
};

}  // namespace distil::testing
