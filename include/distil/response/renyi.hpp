#pragma once

#include "distil/response/divergence.hpp"
#include "distil/response/divergence/power_divergence.hpp"
#include "distil/response/divergence/summands.hpp"

namespace distil {

/// Options of `renyi`.
struct renyi_options {
  /// As in `divergence_options`: both logits are divided by it. Default 1.
  row_parameter temperature = 1;

  /// As in `divergence_options`: the teacher's are divided by this one in its place. Default: the same.
  std::optional<row_parameter> teacher_temperature = std::nullopt;

  /// The loss times T^2. Default true.
  bool scale_by_temperature_squared = true;

  /// The loss times this in the place of T^2 or 1, as in `divergence_options`. Default: none.
  std::optional<row_parameter> factor = std::nullopt;

  /// The order: 1 is `forward_kl`; more notices the teacher's classes that the student lacks, less forgives them. Finite
  /// and > 0. Default 0.5.
  double alpha = 0.5;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds to the gradient. Default false.
  bool accumulate = false;

  /// Where dL/dT is written: one element, or one per row. Default: nowhere.
  std::span<double> temperature_gradient = {};

  /// The same by `teacher_temperature`, which must be set.
  std::span<double> teacher_temperature_gradient = {};
};

/// See `renyi`.
struct renyi_function {
  static constexpr char const* name = "renyi";
  static constexpr error_bound bound{.value = 64, .gradient = 64, .temperature_gradient = 8};
  static constexpr bool homogeneous = true;
  using options = renyi_options;

  double alpha;

  constexpr renyi_function(options const& chosen = {}) : alpha(chosen.alpha) {}

  void check_numbers(char const* where, detail::computing_type type) const {
    detail::require(detail::is_positive(alpha), where, "alpha", alpha, detail::must_be_positive);
    detail::require_power(where, "alpha", alpha, type, detail::must_be_positive);
  }

  /// Amari's divergence, of which this is a function: accurate where both are small, and near order 1.
  template <class Lanes>
  DISTIL_INLINE summand<Lanes> at(class_probabilities<Lanes> const& here) const {
    return power_divergence{alpha, 1.0 - alpha}.at(here);
  }
  /// Z, accurate where it is far from 1, and where Amari's divergence leaves the range of numbers.
  template <class Lanes>
  DISTIL_INLINE log_summand<Lanes> log_at(class_probabilities<Lanes> const& here) const {
    Lanes const of_p(alpha), of_q(1.0 - alpha);
    return {zero_safe_product(of_p, here.log_p) + zero_safe_product(of_q, here.log_q), of_q, of_p};
  }
  template <class Lanes>
  DISTIL_INLINE divergence_outcome<Lanes, 2> outcome(std::array<Lanes, 2> const& sums) const {
    auto const [amari, log_z] = sums;
    Lanes const order(alpha);
    Lanes const z_less_one = zero_safe_product(Lanes(alpha * (alpha - 1.0)), amari);
    auto const near_one = abs(z_less_one) < Lanes(0.5);
    Lanes const slope = select(z_less_one == Lanes(0), Lanes(1), log1p(z_less_one) / z_less_one);
    Lanes const over(1.0 / (alpha - 1.0));
    return {select(near_one, order * amari * slope, log_z * over),
            {select(near_one, order / (Lanes(1) + z_less_one), Lanes(0)), select(near_one, Lanes(0), over)}};
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// Renyi's divergence of order alpha: forward KL at 1, -2 log of the Bhattacharyya coefficient at 0.5.
/// @alias Renyi divergence, Bhattacharyya distance
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 log(Z) / (a - 1), Z = sum_i p_i^a q_i^(1-a), a = alpha, p = softmax(t / T), q =
///            softmax(z / T), and KL(p || q) at a = 1 [nats]. Never negative
/// @gradient  w_b / sum w * T (q - w), w = p^a q^(1-a) / Z
/// @nan       +inf for alpha >= 1 where the student alone has masked a class, and where no class has mass on both sides; the
///            gradient stays finite: T (q - w) with all of w on the masked classes, and 0
/// @error     `bound` for alpha up to 2; where Z is far from 1, times 1 + alpha |log p| + |1 - alpha|
///            |log q| of the classes that make it up, whose powers are rounded
/// @cost      see `divergence`: 6 exponentials an element
/// @source    Renyi 1961; van Erven and Harremoes 2014, definition 2
/// @example   distil::renyi.with_grad(student, teacher, gradient, {.alpha = 0.5})
/// Shapes, errors, NaN behaviour: see `divergence`.
inline constexpr divergence<renyi_function> renyi{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
