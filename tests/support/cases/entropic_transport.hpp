#pragma once

#include "distil/response/entropic_transport.hpp"

#include "case.hpp"
#include "transport_reference.hpp"

namespace distil::testing {

/// A cost is no batch of logits, so that its test asks for the reference itself.
struct entropic_transport_case {
  static constexpr char const* name = "entropic_transport";
  template <class Matrix>
  static reference::transport_result of(Matrix const& cost, row_parameter const& row_masses,
                                        row_parameter const& column_masses, double epsilon, int iterations) {
    std::vector<exact_row> exact;
    for (index i = 0; i < cost.view().rows; ++i) exact.push_back(cost.template row<long double>(i));
    auto const normalised = [](row_parameter const& masses, index size) {
      exact_row result;
      long double sum = 0;
      for (index i = 0; i < size; ++i) sum += static_cast<long double>(masses[i]);
      for (index i = 0; i < size; ++i) result.push_back(static_cast<long double>(masses[i]) / sum);
      return result;
    };
    return reference::transport(exact, normalised(row_masses, cost.view().rows),
                                normalised(column_masses, cost.view().columns), epsilon, iterations);
  }
};

}  // namespace distil::testing
