#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>

#include "reference.hpp"

/// Closed-form derivatives of reference.hpp, for rows too long for finite differences.
///
/// Each is the derivative of one row's loss with respect to the student's logits z, or to the temperature.
/// The tests hold them to finite differences, to automatic differentiation and to 50-digit values. Multiply
/// by `batch_loss::row_factors` for a reduced loss. A row that does not count has derivative zero.
namespace distil::reference {

/// sum_c w_c a_c, where a weight of zero silences even an infinite a.
template <class Scalar>
Scalar expectation(row<Scalar> const& weights, row<Scalar> const& values) {
  Scalar sum = 0;
  for (std::size_t c = 0; c < weights.size(); ++c)
    if (weights[c] != 0) sum += weights[c] * values[c];
  return sum;
}

/// sum_c w_c (a_c - mean a) (b_c - mean b) for weights that sum to one.
template <class Scalar>
Scalar covariance(row<Scalar> const& weights, row<Scalar> const& a, row<Scalar> const& b) {
  Scalar const mean_a = expectation(weights, a);
  Scalar const mean_b = expectation(weights, b);
  Scalar sum = 0;
  for (std::size_t c = 0; c < weights.size(); ++c)
    if (weights[c] != 0) sum += weights[c] * (a[c] - mean_a) * (b[c] - mean_b);
  return sum;
}

/// a - b, with 0 where both are -inf: a class masked on both sides.
template <class Scalar>
row<Scalar> difference(row<Scalar> a, row<Scalar> const& b) {
  for (std::size_t c = 0; c < a.size(); ++c) a[c] = a[c] == b[c] ? Scalar(0) : a[c] - b[c];
  return a;
}

/// From g = dL / d log q, zero where q is: dL/dz = (g - q sum g) / T.
template <class Scalar>
row<Scalar> log_softmax_pull_back(row<Scalar> const& logits, row<Scalar> g,
                                  std::type_identity_t<Scalar> temperature = 1) {
  row<Scalar> const q = softmax(logits, temperature);
  Scalar sum = 0;
  for (Scalar const entry : g) sum += entry;
  for (std::size_t c = 0; c < g.size(); ++c) g[c] = (g[c] - q[c] * sum) / temperature;
  return g;
}

/// dL/dT of the same: -sum_c g_c (log q_c - sum q log q) / T.
template <class Scalar>
Scalar log_softmax_pull_back_by_temperature(row<Scalar> const& logits, row<Scalar> const& g,
                                            std::type_identity_t<Scalar> temperature) {
  distribution<Scalar> const q = from_logits(logits, temperature);
  Scalar const mean = expectation(q.probability, q.log_probability);
  Scalar sum = 0;
  for (std::size_t c = 0; c < g.size(); ++c)
    if (g[c] != 0) sum += g[c] * (q.log_probability[c] - mean);
  return -sum / temperature;
}

/// From g = dL/dq: dL/dz = q (g - sum q g) / T.
template <class Scalar>
row<Scalar> softmax_pull_back(row<Scalar> const& logits, row<Scalar> const& g,
                              std::type_identity_t<Scalar> temperature = 1) {
  row<Scalar> result = softmax(logits, temperature);
  Scalar const mean = expectation(result, g);
  for (std::size_t c = 0; c < g.size(); ++c)
    if (result[c] != 0) result[c] *= (g[c] - mean) / temperature;
  return result;
}

/// dL/dT of the same: -Cov_q(log q, g) / T.
template <class Scalar>
Scalar softmax_pull_back_by_temperature(row<Scalar> const& logits, row<Scalar> const& g,
                                        std::type_identity_t<Scalar> temperature) {
  distribution<Scalar> const q = from_logits(logits, temperature);
  return -covariance(q.probability, q.log_probability, g) / temperature;
}

/// softmax(z / T) / T.
template <class Scalar>
row<Scalar> log_sum_exp_gradient(row<Scalar> const& logits, std::type_identity_t<Scalar> temperature = 1) {
  row<Scalar> result = softmax(logits, temperature);
  for (Scalar& entry : result) entry /= temperature;
  return result;
}

/// -(1 / T) sum q z / T = -(log_sum_exp - entropy) / T.
template <class Scalar>
Scalar log_sum_exp_by_temperature(row<Scalar> const& logits, std::type_identity_t<Scalar> temperature) {
  if (fully_masked(logits)) return 0;
  return (entropy(logits, temperature).value - log_sum_exp(logits, temperature)) / temperature;
}

/// -q (log q + H) / T.
template <class Scalar>
row<Scalar> entropy_gradient(row<Scalar> const& logits, std::type_identity_t<Scalar> temperature = 1) {
  distribution<Scalar> const q = from_logits(logits, temperature);
  Scalar const value = entropy(logits, temperature).value;
  row<Scalar> result = q.probability;
  for (std::size_t c = 0; c < result.size(); ++c)
    if (result[c] != 0) result[c] *= -(q.log_probability[c] + value) / temperature;
  return result;
}

/// Var_q(log q) / T.
template <class Scalar>
Scalar entropy_by_temperature(row<Scalar> const& logits, std::type_identity_t<Scalar> temperature) {
  distribution<Scalar> const q = from_logits(logits, temperature);
  return covariance(q.probability, q.log_probability, q.log_probability) / temperature;
}

/// (q sum_c mass_c - mass) / T.
template <class Scalar>
row<Scalar> cross_entropy_gradient(row<Scalar> const& logits, target<Scalar> const& wanted,
                                   std::type_identity_t<Scalar> temperature = 1) {
  if (fully_masked(logits)) return row<Scalar>(logits.size(), 0);
  row<Scalar> result = wanted.mass;
  for (Scalar& entry : result) entry = -entry;
  return log_softmax_pull_back(logits, result, temperature);
}

/// (q - p) / T, which is also the gradient of soft cross entropy.
template <class Scalar>
row<Scalar> forward_kl_gradient(row<Scalar> const& student, distribution<Scalar> const& teacher,
                                std::type_identity_t<Scalar> temperature = 1) {
  return cross_entropy_gradient(student, {teacher.probability, 1}, temperature);
}

/// q (log q - log p - KL(q || p)) / T.
template <class Scalar>
row<Scalar> reverse_kl_gradient(row<Scalar> const& student, distribution<Scalar> const& teacher,
                                std::type_identity_t<Scalar> temperature = 1) {
  distribution<Scalar> const q = from_logits(student, temperature);
  if (reverse_kl(teacher, q).weight == 0) return row<Scalar>(student.size(), 0);
  return softmax_pull_back(student, difference(q.log_probability, teacher.log_probability), temperature);
}

/// (q sum sqrt(p q) - sqrt(p q)) / (2 T).
template <class Scalar>
row<Scalar> squared_hellinger_gradient(row<Scalar> const& student, distribution<Scalar> const& teacher,
                                       std::type_identity_t<Scalar> temperature = 1) {
  row<Scalar> g = softmax(student, temperature);
  for (std::size_t c = 0; c < g.size(); ++c) g[c] = -std::sqrt(teacher.probability[c] * g[c]) / 2;
  return log_softmax_pull_back(student, g, temperature);
}

/// Whether the temperature moves the teacher too (logits), or acts on the student alone (probabilities as
/// given).
enum class teacher_form { logits, given };

/// What the temperature does to a loss through softmax(z / T): -(dL/du . u) / T of u = z / T. The entries of
/// dL/du sum to zero, so that u may be shifted: to log q with a largest entry of zero, which rounds least.
template <class Scalar>
Scalar share_of_temperature(row<Scalar> const& gradient, distribution<Scalar> const& moved,
                            std::type_identity_t<Scalar> temperature) {
  row<Scalar> shifted = moved.log_probability;
  Scalar const largest = *std::max_element(shifted.begin(), shifted.end());
  for (Scalar& entry : shifted) entry -= largest;
  return -expectation(gradient, shifted) / temperature;
}

/// The student's share, and the teacher's: KL(p || q) is for p what reverse KL is for q.
template <class Scalar>
Scalar forward_kl_by_temperature(distribution<Scalar> const& teacher, distribution<Scalar> const& student,
                                 teacher_form form, std::type_identity_t<Scalar> temperature) {
  row<Scalar> const by_student = forward_kl_gradient(student.log_probability, teacher);
  Scalar const share = share_of_temperature(by_student, student, temperature);
  if (form == teacher_form::given) return share;
  row<Scalar> const by_teacher = reverse_kl_gradient(teacher.log_probability, student);
  return share + share_of_temperature(by_teacher, teacher, temperature);
}

template <class Scalar>
Scalar reverse_kl_by_temperature(distribution<Scalar> const& teacher, distribution<Scalar> const& student,
                                 teacher_form form, std::type_identity_t<Scalar> temperature) {
  row<Scalar> const by_student = reverse_kl_gradient(student.log_probability, teacher);
  Scalar const share = share_of_temperature(by_student, student, temperature);
  if (form == teacher_form::given) return share;
  row<Scalar> const by_teacher = forward_kl_gradient(teacher.log_probability, student);
  return share + share_of_temperature(by_teacher, teacher, temperature);
}

template <class Scalar>
Scalar squared_hellinger_by_temperature(distribution<Scalar> const& teacher,
                                        distribution<Scalar> const& student, teacher_form form,
                                        std::type_identity_t<Scalar> temperature) {
  row<Scalar> const by_student = squared_hellinger_gradient(student.log_probability, teacher);
  Scalar const share = share_of_temperature(by_student, student, temperature);
  if (form == teacher_form::given) return share;
  row<Scalar> const by_teacher = squared_hellinger_gradient(teacher.log_probability, student);
  return share + share_of_temperature(by_teacher, teacher, temperature);
}

/// Forward KL plus the entropy of the teacher, which moves when the teacher does.
template <class Scalar>
Scalar soft_cross_entropy_by_temperature(distribution<Scalar> const& teacher,
                                         distribution<Scalar> const& student, teacher_form form,
                                         std::type_identity_t<Scalar> temperature) {
  Scalar const slope = forward_kl_by_temperature(teacher, student, form, temperature);
  if (form == teacher_form::given) return slope;
  return slope + entropy_by_temperature(teacher.log_probability, 1) / temperature;
}

/// hard_weight (softmax(z) - mass) + soft_weight T^2 (q - p) / T; zero for a row that does not count.
template <class Scalar>
row<Scalar> hinton_kd_gradient(row<Scalar> const& student, distribution<Scalar> const& teacher,
                               target<Scalar> const& wanted,
                               hinton_options<std::type_identity_t<Scalar>> const& options) {
  row<Scalar> result(student.size(), 0);
  if (hinton_kd(student, teacher, wanted, options).weight == 0) return result;
  row<Scalar> const hard = cross_entropy_gradient(student, wanted);
  row<Scalar> const soft = forward_kl_gradient(student, teacher, options.temperature);
  for (std::size_t c = 0; c < result.size(); ++c)
    result[c] = options.hard_weight * hard[c] + soft_factor(options) * soft[c];
  return result;
}

/// soft_weight (2 T KL + T^2 dKL/dT), or soft_weight dKL/dT without the scale; zero for a row that does not
/// count.
template <class Scalar>
Scalar hinton_kd_by_temperature(row<Scalar> const& student, distribution<Scalar> const& teacher,
                                teacher_form form, target<Scalar> const& wanted,
                                hinton_options<std::type_identity_t<Scalar>> const& options) {
  if (hinton_kd(student, teacher, wanted, options).weight == 0) return 0;
  distribution<Scalar> const q = from_logits(student, options.temperature);
  Scalar const slope = forward_kl_by_temperature(teacher, q, form, options.temperature);
  Scalar const scale = options.scale_by_temperature_squared ? 2 * options.temperature : Scalar(0);
  return soft_factor(options) * slope + options.soft_weight * scale * forward_kl(teacher, q).value;
}

}  // namespace distil::reference
