#pragma once

#include "distil/response/coupled/batch.hpp"
#include "distil/response/distribution/transport_solver.hpp"

namespace distil {

/// Options of `sinkhorn`.
struct sinkhorn_options {
  /// Divides both logits before the softmax; within [1e-15, 1e15]. Default 2, as in the authors' code.
  double temperature = 2.0;

  /// Multiplies the loss by T^2. Default false.
  bool scale_by_temperature_squared = false;

  /// Strength of the entropy of the plan; within [1e-3, 1e3]. Default 0.1, as in the paper.
  double epsilon = 0.1;

  /// Of Sinkhorn's algorithm, within [1, 1000]. Default 20, as in the paper.
  int iterations = 20;

  /// Default: exact.
  transport_gradient gradient = transport_gradient::exact;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its logits hold. Default 1.
  double weight = 1.0;

  /// Which rows count, and how much: the masses that are transported are in proportion.
  coupled_rows rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write dL/dT: one element. Overwritten. Default: nowhere.
  std::span<double> temperature_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// A batch under the cost |q_a - p_b|_1. The rows of the plan are the teacher's, so that an iteration ends with
/// theirs.
template <class Storage, teacher_form Form>
class sinkhorn_term : public distribution_term<Storage, Form> {
  struct of_costs {};

 public:
  sinkhorn_options options;
  bool squared = options.scale_by_temperature_squared;

  sinkhorn_term(dense_teacher<Storage, Form> const& the_teacher, sinkhorn_options const& the_options)
      : distribution_term<Storage, Form>(the_teacher, the_options.temperature,
                                         detail::as_row_options(the_options.rows),
                                         the_options.temperature_gradient),
        options(the_options) {}

  void check(char const* where, index row_count, index columns) const {
    distribution_term<Storage, Form>::check(where, row_count, columns);
    detail::require_transport(where, options.epsilon, options.iterations, options.gradient);
  }

  template <class Policy, class T>
  [[nodiscard]] loss_value evaluate(Policy policy, coupled_batch<T> const& batch) const {
    index const count = batch.rows(), pairs = count * count;
    double const factor = options.scale_by_temperature_squared ? batch.temperature * batch.temperature : 1.0;
    // What is as large as the square of the batch is in double: rounding grows by the cost over epsilon.
    index const memory = transport_solver<double>::memory(count, count, options.iterations);
    double* const cost = simd::scratch<double, of_costs>(2 * pairs + memory);
    double* const by_cost = cost + pairs;
    measure(policy, batch, cost);
    transport_solver<double> const solver(cost, count, count, options.epsilon, options.iterations,
                                          by_cost + pairs);
    for (index row = 0; row < count; ++row) {
      solver.log_rows()[row] = solver.log_columns()[row] = std::log(batch.share[row]);
    }
    double const value = solver.solve();
    if (batch.with_gradient()) {
      solver.differentiate_by_cost(options.gradient, by_cost);
      pull_back(policy, batch.student, batch.teacher, batch.upstream, batch.share,
                [&](index s, index t) { return static_cast<T>(factor * by_cost[t * count + s]); });
      if (batch.teacher_upstream.data != nullptr) {
        pull_back(policy, batch.teacher, batch.student, batch.teacher_upstream, batch.share,
                  [&](index t, index s) { return static_cast<T>(factor * by_cost[t * count + s]); });
      }
    }
    return {factor * value, 0.0};
  }

 private:
  static constexpr index block = simd::block_elements;

  /// Costs over epsilon, of each teacher's row to each of the student's.
  template <class Policy, class T>
  void measure(Policy policy, coupled_batch<T> const& batch, double* cost) const {
    index const count = batch.rows();
    sum_chunks(policy, count, 1, count * count * batch.classes(), [&](index first, index last, index) {
      for (index t = first; t < last; ++t) {
        T const* const wanted = &batch.teacher(t, 0);
        for (index s = 0; s < count; ++s) {
          T const* const student = &batch.student(s, 0);
          T const distance = simd::sum_of<T>(
              batch.classes(), [&](auto place) { return abs(place.load(student) - place.load(wanted)); });
          cost[t * count + s] = static_cast<double>(distance) / options.epsilon;
        }
      }
      return 0.0;
    });
  }

  /// dL/dq_s = sum_t dL/dM_ts sign(q_s - p_t), and the same for dL/dp_t. `slope_of(own, other)` is dL/dM.
  template <class Policy, class T, class SlopeOf>
  static void pull_back(Policy policy, matrix_view<T> const& side, matrix_view<T> const& other,
                        matrix_view<T> const& to, double const* share, SlopeOf const& slope_of) {
    index const count = side.rows, classes = side.columns;
    sum_chunks(policy, count, 1, count * count * classes, [&](index first, index last, index) {
      for (index s = first; s < last; ++s) {
        if (share[s] == 0.0) continue;
        for (index column = 0; column < classes; column += block) {
          T const* const own = &side(s, column);
          T* const upstream = &to(s, column);
          for (index t = 0; t < count; ++t) {
            T const* const wanted = &other(t, column);
            lanes<T> const slope(slope_of(s, t));
            simd::for_each_register<T>(std::min(block, classes - column), [&](auto place) {
              lanes<T> const q = place.load(own), p = place.load(wanted);
              // NaN is neither above nor below.
              lanes<T> const signed_slope =
                  select(q > p, slope, select(q < p, -slope, select(q == p, lanes<T>(0), q - p)));
              place.store(place.load(upstream) + signed_slope, upstream);
            });
          }
        }
      }
      return 0.0;
    });
  }
};

}  // namespace kernels

/// See `sinkhorn`.
struct sinkhorn_loss : coupled_loss<sinkhorn_loss, sinkhorn_options> {
  static constexpr char const* name = "sinkhorn";
  static constexpr error_bound bound{.value = 16, .gradient = 64, .temperature_gradient = 1};

  template <class Storage, teacher_form Form>
  static auto term(dense_teacher<Storage, Form> const& teacher, sinkhorn_options const& options) {
    return kernels::sinkhorn_term<Storage, Form>(teacher, options);
  }
};

/// Sinkhorn distance between the predictions of teacher and student for a batch: the cheapest way to move the rows of
/// one onto those of the other, smoothed by entropy. @alias SinKD, optimal transport, Wasserstein
///
/// @formula   L = sum_ab P_ab M_ab, M_ab = sum_c |q_bc - p_ac|, q = softmax(z / T), p = softmax(t / T); P the plan
///            between masses w / sum w on both sides after the given number of Sinkhorn's iterations with epsilon,
///            each fitting the student's rows first and the teacher's last; within [0, 2]
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher  [rows, classes] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  dL/dq_b = sum_a G_ab sign(q_b - p_a), then through the softmax; sign(0) = 0. G = dL/dM is that of the
///            value, through all iterations, or with `transport_gradient::fixed_plan` the plan P itself: by the
///            envelope theorem the exact gradient of sum P M - epsilon H(P) once the iterations have converged, and
///            not that of the value. dL/dT on request, through both sides unless the teacher's is a distribution that stays;
///            it holds constant what the gradient does
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound`, times 1 + 1 / epsilon, by which the plan magnifies the rounding of costs, dL/dT over T;
///            where q and p of a class differ by less than rounding, either sign
/// @nan       rows are coupled: a NaN or +inf logit in a row that counts makes value and gradient NaN. A row whose
///            student or teacher is fully masked, or that is ignored, takes no part; without any row, loss and
///            gradient are 0
/// @cost      B^2 C additions for the costs and as many for the gradient; 2 B^2 exponentials in double an iteration,
///            4 with the exact gradient, on the calling thread. 3 numbers of scratch an element and 2 doubles a pair
///            of rows, kept by the calling thread
/// @source    Cui et al. 2024, SinKD, arXiv:2402.17110; Cuturi 2013. The authors' plan has mass B instead of 1, which
///            makes B times this value, weighted by 0.001; it is formed from e^(-M / epsilon), which underflows for a
///            small epsilon, and differentiated by autograd through all iterations
/// @example   distil::sinkhorn.with_grad(student, teacher, gradient, {.epsilon = 0.1})
inline constexpr sinkhorn_loss sinkhorn{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
