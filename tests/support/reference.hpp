#pragma once

#include <cstddef>
#include <type_traits>
#include <vector>

#include "reference_cross_entropy.hpp"
#include "reference_distribution.hpp"

/// The truth the losses are held against: the papers' formulas, one row at a time, on plain vectors.
///
/// Written to be obviously right rather than fast, and from nothing of the library. `Scalar` is `double`, or
/// `long double` for finite differences. Everywhere: natural logarithms, 0 log 0 = 0, a logit of -inf is a
/// masked class of probability 0, a NaN makes its row NaN. Closed-form derivatives are in
/// reference_gradient.hpp.
namespace distil::reference {

template <class Scalar>
struct hinton_options {
  Scalar temperature = 1;
  Scalar soft_weight = 1;
  Scalar hard_weight = 0;
  bool scale_by_temperature_squared = true;
};

/// What multiplies the divergence at temperature T: soft_weight T^2, or soft_weight alone.
template <class Scalar>
Scalar soft_factor(hinton_options<Scalar> const& options) {
  return options.soft_weight *
         (options.scale_by_temperature_squared ? options.temperature * options.temperature : Scalar(1));
}

/// hard_weight CE(z, wanted) at temperature one + soft_weight T^2 KL(teacher || softmax(z / T)).
///
/// The teacher comes at its own temperature: `from_logits(t, T)`, or probabilities taken as given. The row
/// counts when its target and both its distributions do; a term of weight zero is absent.
template <class Scalar>
row_loss<Scalar> hinton_kd(row<Scalar> const& student, distribution<Scalar> const& teacher,
                           target<Scalar> const& wanted,
                           hinton_options<std::type_identity_t<Scalar>> const& options) {
  row_loss<Scalar> const soft = forward_kl(teacher, from_logits(student, options.temperature));
  row_loss<Scalar> const hard = cross_entropy(student, wanted);
  if (soft.weight == 0 || hard.weight == 0) return {};
  Scalar sum = 0;
  if (options.soft_weight != 0) sum += soft_factor(options) * soft.value;
  if (options.hard_weight != 0) sum += options.hard_weight * hard.value;
  return {sum, hard.weight};
}

/// How the rows of a batch become one number. No row weights means all are one; normalizer 0 means the rows'
/// own weight.
template <class Scalar>
struct batch_options {
  bool mean = true;
  row<Scalar> row_weights = {};
  Scalar normalizer = 0;
};

/// The reduced loss, the weight that counted, and d(reduced loss) / d(value of row r) for the gradient.
template <class Scalar>
struct batch_loss {
  Scalar value = 0;
  Scalar weight = 0;
  row<Scalar> row_factors;
};

/// Sum: sum_r w_r value_r. Mean: that over sum_r w_r weight_r, or over the normalizer; 0 when nothing counts.
template <class Scalar>
batch_loss<Scalar> reduce(std::vector<row_loss<Scalar>> const& rows,
                          batch_options<std::type_identity_t<Scalar>> const& options = {}) {
  auto const row_weight = [&](std::size_t r) {
    return options.row_weights.empty() ? Scalar(1) : options.row_weights[r];
  };
  batch_loss<Scalar> result;
  for (std::size_t r = 0; r < rows.size(); ++r) result.weight += row_weight(r) * rows[r].weight;
  Scalar const own = options.mean ? result.weight : Scalar(1);
  Scalar const divisor = options.mean && options.normalizer != 0 ? options.normalizer : own;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    Scalar const factor = divisor == 0 ? Scalar(0) : row_weight(r) / divisor;
    if (factor != 0) result.value += factor * rows[r].value;
    result.row_factors.push_back(factor);
  }
  return result;
}

}  // namespace distil::reference
