#pragma once

#include <algorithm>
#include <cmath>

#include "reference.hpp"
#include "reference_gradient.hpp"
#include "reference_standardization.hpp"

/// Forward KL where every row has temperatures of its own, and what they do to it.
namespace distil::reference {

/// KL(softmax(t / S) || softmax(z / R)) with its derivatives by z at fixed temperatures, by R and by S, and how much
/// those two can round.
template <class Scalar>
struct softened_kl {
  Scalar value = 0, weight = 0;
  row<Scalar> gradient;
  Scalar by_student = 0, by_teacher = 0;
  Scalar student_rounding = 0, teacher_rounding = 0;
};

template <class Scalar>
softened_kl<Scalar> forward_kl_at(row<Scalar> const& z, row<Scalar> const& t, Scalar R, Scalar S) {
  auto const p = from_logits(t, S), q = from_logits(z, R);
  auto const one = forward_kl(p, q);
  softened_kl<Scalar> result{one.value, one.weight, row<Scalar>(z.size(), 0)};
  if (one.weight == 0) return result;
  result.gradient = forward_kl_gradient(z, p, R);
  for (std::size_t c = 0; c < z.size(); ++c) {
    if (is_masked(z[c])) result.gradient[c] = 0;
  }
  if (!std::isfinite(one.value)) return result;
  result.by_student = forward_kl_by_temperature(p, q, teacher_form::given, R);
  result.by_teacher = forward_kl_by_temperature(p, q, teacher_form::logits, S) -
                      forward_kl_by_temperature(p, q, teacher_form::given, S);
  Scalar const top_z = *std::max_element(z.begin(), z.end()), top_t = *std::max_element(t.begin(), t.end());
  for (std::size_t c = 0; c < z.size(); ++c) {
    Scalar const u = (top_z - z[c]) / R, v = (top_t - t[c]) / S;
    if (q.probability[c] > 0 && std::isfinite(u)) {
      result.student_rounding += (p.probability[c] + q.probability[c]) * u / R;
    }
    if (p.probability[c] > 0) {
      Scalar const r = p.log_probability[c] - q.log_probability[c];
      result.teacher_rounding += p.probability[c] * (1 + std::abs(r) + std::abs(one.value)) * v / S;
    }
  }
  return result;
}

/// The hard term's part of a row's loss, value and gradient.
template <class Scalar>
row_loss<Scalar> hard_part(row<Scalar> const& z, target<Scalar> const& wanted, Scalar weight,
                           row<Scalar>& gradient) {
  row_loss<Scalar> const hard = cross_entropy(z, wanted);
  if (hard.weight == 0) return {};
  row<Scalar> const of_hard = cross_entropy_gradient(z, wanted);
  for (std::size_t c = 0; c < z.size(); ++c) gradient[c] += weight * of_hard[c];
  return {weight * hard.value, hard.weight};
}

}  // namespace distil::reference
