#pragma once

#include "distil/core/language.hpp"

namespace distil {

/// What a loss returns: its reduced value in nats, and the weight it stands for.
///
/// `weight` is the sum of the row weights that counted (the number of valid rows when unweighted), so that
/// gradient accumulation and data-parallel runs can divide sums by a global count. A batch in which nothing
/// counted has value 0 and weight 0.
struct loss_value {
  double value = 0.0;
  double weight = 0.0;

  constexpr operator double() const noexcept { return value; }

  /// Multiplies the value, not the weight it stands for. A type derived from this multiplies the parts it adds up, too.
  constexpr void multiply(double factor) noexcept { value *= factor; }
};

/// How far a loss and its gradient may be from the exact result, stated as multiples of the machine epsilon of the
/// arithmetic type. With C classes, T the temperature, f = T^2 where the loss carries that factor and 1 elsewhere, and
/// m the size of what the gradient of a divergence is made of: the largest probability of the row on either side for
/// forward KL, the largest |psi|, p and q (1 + |sum psi|) of a class for others, psi = dD / d log q; 1 elsewhere:
///
///   |value    - exact| <= value    * epsilon * (|exact| + f * (1 + log C))  per row
///   |gradient - exact| <= gradient * epsilon * m * f / T                    per element, times the row's weight
///
/// plus the smallest normal number of the arithmetic type and, for 16-bit gradients, half a unit of their last place.
///
/// The derivative by the temperature, where a loss has one, is a sum over classes of gradients times logits, and the
/// factor's share 2 L / T. With g the gradient of the row's loss, p and q the probabilities of teacher and student (those
/// there are), and d how far a logit over T is from its mean under its own side's probabilities,
///
///   |dL/dT    - exact| <= epsilon * (temperature_gradient * S + temperature_floor * f) / T            per row
///   S = 2 |L| + f * sum over classes of n (d (1 + d) of student + the same of teacher),   n = |g| T / f + p + q
///
/// for rows whose logits over T span at most 32; in a batch, times the row's weight. The floor is there where probabilities
/// are subtracted that may be alike or round to 1.
///
/// Top-k teachers, and losses of other things than rows of logits (rows that are coupled, maps, relations, embeddings),
/// state the derivative by a temperature T, or by a scale in the place of 1 / T, relative to V, what their value's bound
/// is relative to: |exact| + f * (1 + log C), or what their contract has instead.
///
///   |dL/dT    - exact| <= temperature_gradient * epsilon * V / T         by a scale s: V / s
///
/// Every loss has one, found as `decltype(forward_kl)::bound`, which its contract calls `bound`. The tests read these members:
/// a bound that is documented is a bound that is tested.
struct error_bound {
  double value;
  double gradient;
  double temperature_gradient = 0;
  double temperature_floor = 0;
};

}  // namespace distil
