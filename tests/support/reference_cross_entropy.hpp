#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <type_traits>

#include "reference_distribution.hpp"

/// Part of reference.hpp: cross entropy, and the targets that labels, smoothing and mixing make for it.
namespace distil::reference {

/// How much of the cross entropy of each class a row asks for, and what the row adds to the divisor of a
/// mean.
template <class Scalar>
struct target {
  row<Scalar> mass;
  Scalar weight = 1;
};

/// Where label smoothing puts the mass it takes: eps / C on every class (PyTorch), or 1 - eps left on the
/// label and eps / (C - 1) on each of the others.
enum class smoothing_convention { all_classes, other_classes };

/// What cross entropy does to its targets. No class weights means all are one.
template <class Scalar>
struct target_options {
  Scalar label_smoothing = 0;
  smoothing_convention convention = smoothing_convention::all_classes;
  row<Scalar> class_weights = {};
  std::int64_t ignore_label = -100;
};

/// Soft targets y: w_c (y_c (1 - eps) + eps / C), or w_c (y_c (1 - eps) + (1 - y_c) eps / (C - 1)). The row
/// counts as one.
template <class Scalar>
target<Scalar> soft_target(row<Scalar> const& y,
                           target_options<std::type_identity_t<Scalar>> const& options = {}) {
  Scalar const eps = options.label_smoothing;
  Scalar const classes = static_cast<Scalar>(y.size());
  target<Scalar> result;
  for (std::size_t c = 0; c < y.size(); ++c) {
    Scalar mass = y[c];
    if (eps > 0 && options.convention == smoothing_convention::all_classes)
      mass = y[c] * (1 - eps) + eps / classes;
    if (eps > 0 && options.convention == smoothing_convention::other_classes && y.size() > 1)
      mass = y[c] * (1 - eps) + (1 - y[c]) * eps / (classes - 1);
    result.mass.push_back(options.class_weights.empty() ? mass : options.class_weights[c] * mass);
  }
  return result;
}

/// A label: the soft target with all mass on it, except that the row counts as the weight of its class.
/// The ignored label has no mass and does not count.
template <class Scalar>
target<Scalar> label_target(std::size_t classes, std::int64_t label,
                            target_options<Scalar> const& options = {}) {
  if (label == options.ignore_label) return {row<Scalar>(classes, 0), 0};
  if (label < 0 || static_cast<std::size_t>(label) >= classes) throw std::out_of_range("reference: label");
  auto const index = static_cast<std::size_t>(label);
  row<Scalar> one_hot(classes, 0);
  one_hot[index] = 1;
  target<Scalar> result = soft_target(one_hot, options);
  result.weight = options.class_weights.empty() ? Scalar(1) : options.class_weights[index];
  return result;
}

/// share * first + (1 - share) * second, in mass and in weight (Mixup, CutMix).
template <class Scalar>
target<Scalar> mixed_target(target<Scalar> const& first, target<Scalar> const& second,
                            std::type_identity_t<Scalar> share) {
  target<Scalar> result;
  for (std::size_t c = 0; c < first.mass.size(); ++c)
    result.mass.push_back(share * first.mass[c] + (1 - share) * second.mass[c]);
  result.weight = share * first.weight + (1 - share) * second.weight;
  return result;
}

/// -sum_c mass_c log softmax(z / T)_c.
template <class Scalar>
row_loss<Scalar> cross_entropy(row<Scalar> const& logits, target<Scalar> const& wanted,
                               std::type_identity_t<Scalar> temperature = 1) {
  if (fully_masked(logits)) return {};
  row<Scalar> const log_q = log_softmax(logits, temperature);
  Scalar sum = 0;
  for (std::size_t c = 0; c < logits.size(); ++c)
    if (wanted.mass[c] != 0) sum -= wanted.mass[c] * log_q[c];
  return {sum, wanted.weight};
}

}  // namespace distil::reference
