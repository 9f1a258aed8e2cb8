#pragma once

#include <algorithm>
#include <cmath>

#include "distil/response/coupled/batch.hpp"
#include "distil/response/distribution/transport_solver.hpp"

namespace distil {

/// Options of `entropic_transport`.
struct entropic_transport_options {
  /// Strength of the entropy of the plan; within [1e-3, 1e3]. Default 0.1.
  double epsilon = 0.1;

  /// Of Sinkhorn's algorithm, within [1, 1000]. Default 20.
  int iterations = 20;

  /// Default: exact.
  transport_gradient gradient = transport_gradient::exact;

  /// What lies at each row and column, up to a factor: finite and >= 0, one number or one each. Default: the same.
  row_parameter row_masses = 1;
  row_parameter column_masses = 1;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its costs hold. Default 1.
  double weight = 1.0;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `entropic_transport`.
class entropic_transport_loss
    : public detail::unary_face<entropic_transport_loss, entropic_transport_options> {
  struct of_costs {};

 public:
  static constexpr char const* name = "entropic_transport";
  static constexpr error_bound bound{.value = 16, .gradient = 64};

  template <class Cost, class Output>
  [[nodiscard]] static loss_value evaluate(detail::any_policy policy, Cost const& cost, Output const& output,
                                           options_type const& options) {
    auto const costs = detail::input_view(cost);
    check(costs, options);
    if constexpr (std::is_same_v<Output, detail::no_gradient>) {
      return run(policy, costs, options, [](auto const&...) {});
    } else {
      detail::require(
          output.rows == costs.rows && output.columns == costs.columns, name, "gradient",
          [&] { return detail::shape_text(output.rows, output.columns); },
          [&] {
            return detail::said(detail::shape_text(costs.rows, costs.columns), ", the shape of the cost");
          });
      detail::require(costs.rows == 0 || output.data != nullptr, name, "gradient", "a null pointer",
                      "a matrix");
      detail::require_distinct_elements(name, output);
      detail::require(detail::overlap_of(output, costs) != detail::overlap::partial, name, "gradient",
                      "overlapping the cost in part",
                      "the cost's own matrix, element for element, or apart from it");
      return run(policy, costs, options, [&](auto const* solver, matrix_view<double> const& by_cost) {
        if (solver != nullptr) solver->differentiate_by_cost(options.gradient, by_cost.data);
        if (options.weight != 1.0) {
          std::for_each_n(by_cost.data, costs.rows * costs.columns,
                          [&](double& each) { each *= options.weight; });
        }
        kernels::write_matrix(policy, by_cost, output, options.accumulate);
      });
    }
  }

 private:
  template <class Storage>
  static void check(matrix_view<Storage const> const& cost, options_type const& options) {
    using namespace detail;
    require_matrix(name, "cost", cost);
    require_transport(name, options.epsilon, options.iterations, options.gradient);
    require(is_weight(options.weight), name, "weight", options.weight, must_be_weight);
    require_parameter(name, "row_masses", options.row_masses, cost.rows, is_weight, must_be_weight);
    if (options.column_masses.per_row()) {
      require(
          options.column_masses.size() == cost.columns, name, "column_masses",
          [&] { return detail::said("of size ", options.column_masses.size()); },
          [&] { return detail::said("one per column, ", cost.columns); });
    } else {
      require(is_weight(options.column_masses[0]), name, "column_masses", options.column_masses[0],
              must_be_weight);
    }
    require_row_values(name, "row_masses", options.row_masses, is_weight, must_be_weight);
    require_row_values(name, "column_masses", options.column_masses, is_weight, must_be_weight);
  }

  static double total_of(row_parameter const& masses, index size) {
    double sum = 0.0;
    for (index i = 0; i < size; ++i) sum += masses[i];
    return sum;
  }

  /// In double, since rounding grows by the cost over epsilon.
  template <class Policy, class Storage, class Differentiate>
  static loss_value run(Policy, matrix_view<Storage const> const& cost, options_type const& options,
                        Differentiate const& differentiate) {
    index const rows = cost.rows, columns = cost.columns, pairs = rows * columns;
    if (rows == 0) return {};
    using solver_type = kernels::transport_solver<double>;
    double* const scaled =
        simd::scratch<double, of_costs>(2 * pairs + solver_type::memory(rows, columns, options.iterations));
    matrix_view<double> const by_cost(scaled + pairs, rows, columns);
    double const row_total = total_of(options.row_masses, rows),
                 column_total = total_of(options.column_masses, columns);
    bool const has_mass = row_total > 0.0 && column_total > 0.0;
    if (!has_mass || options.weight == 0.0) {
      std::fill(by_cost.data, by_cost.data + pairs, 0.0);
      differentiate(static_cast<solver_type const*>(nullptr), by_cost);
      return {0.0, has_mass ? row_total : 0.0};
    }
    for (index i = 0; i < rows; ++i) {
      for (index j = 0; j < columns; ++j)
        scaled[i * columns + j] = detail::widen<double>(cost(i, j)) / options.epsilon;
    }
    solver_type const solver(scaled, rows, columns, options.epsilon, options.iterations, scaled + 2 * pairs);
    for (index i = 0; i < rows; ++i) solver.log_rows()[i] = std::log(options.row_masses[i] / row_total);
    for (index j = 0; j < columns; ++j)
      solver.log_columns()[j] = std::log(options.column_masses[j] / column_total);
    double const value = solver.solve();
    differentiate(&solver, by_cost);
    return {options.weight * value, row_total};
  }
};

/// Optimal transport under any cost, smoothed by entropy: the piece that `sinkhorn` and `wasserstein_logits` are made
/// of, for costs of your own. Its gradient goes on through whatever the costs were computed from. @alias Sinkhorn, OT
///
/// @formula   L = sum_ij P_ij M_ij with the plan P after the given number of Sinkhorn's iterations, each fitting the
///            columns first and the rows last, from the masses of rows and columns, normalised; weight: the sum of
///            the rows' masses
/// @param     cost     [rows, columns] M; an infinite cost is no number
/// @param     gradient [rows, columns] dL/dM, overwritten or added; may be the cost itself
/// @gradient  of the value, through all iterations; with `transport_gradient::fixed_plan` the plan P, by the envelope
///            theorem the exact gradient of sum P M - epsilon H(P) once the iterations have converged, and not that
///            of the value
/// @throws    std::invalid_argument when a shape, option or mass is refused; nothing is written then
/// @error     `bound` epsilons of double, times (1 + |M| / epsilon) and |M| for the value
/// @nan       a NaN in the cost makes value and gradient NaN. Without any mass on one side both are 0
/// @cost      2 exponentials a pair and iteration in double, 4 with the exact gradient, on the calling thread; 2
///            doubles of scratch a pair and iterations + 5 a row and a column, kept by it
/// @source    Cuturi 2013, arXiv:1306.0895, in the logarithmic domain
/// @example   distil::entropic_transport.with_grad(cost, gradient, {.epsilon = 0.05})
inline constexpr entropic_transport_loss entropic_transport{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
