#pragma once

#include "../batch_suite.hpp"
#include "case.hpp"

namespace distil::testing {

/// The probabilities of a batch for a reference.
struct exact_distributions {
  exact_matrix q, p;
  long double total = 0;  ///< weight

  /// Zeros of the shape of the batch.
  [[nodiscard]] coupled_truth empty_truth() const {
    return {.gradient = exact_matrix(q.size(), exact_row(q.empty() ? 0 : q[0].size(), 0)),
            .gradient_scale = std::vector<double>(q.size(), 1.0)};
  }
};

inline exact_distributions distributions(exact_matrix const& z, exact_matrix const& t,
                                         std::vector<long double> const& weights, long double temperature) {
  exact_distributions result;
  for (std::size_t r = 0; r < z.size(); ++r) {
    exact_row const zeros(z[r].size(), 0);
    result.total += weights[r];
    result.q.push_back(weights[r] == 0 ? zeros : reference::softmax(z[r], temperature));
    result.p.push_back(weights[r] == 0 ? zeros : reference::softmax(t[r], temperature));
  }
  return result;
}

/// How to call a loss that couples rows; `Case` gives options and reference.
template <class Case, auto const& loss>
struct coupled_case {
  template <class Policy, class Batch, class Setting>
  static auto value(Policy policy, Batch const& b, Setting const& s, coupled_rows const& rows) {
    return loss(policy, b.student.view(), b.teacher.view(), Case::options(s, rows, false));
  }
  template <class Policy, class Batch, class Gradient, class Setting>
  static auto with_grad(Policy policy, Batch const& b, Gradient gradient, Setting const& s,
                        coupled_rows const& rows, bool accumulate = false) {
    return loss.with_grad(policy, b.student.view(), b.teacher.view(), gradient,
                          Case::options(s, rows, accumulate));
  }
};

}  // namespace distil::testing
