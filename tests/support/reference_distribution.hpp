#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <vector>

/// Part of reference.hpp: softmax and its logarithm, distributions, and the divergences between two of them.
namespace distil::reference {

template <class Scalar>
using row = std::vector<Scalar>;

/// The loss of one row, and what the row adds to the divisor of a mean. A row that does not count is {0, 0}.
template <class Scalar>
struct row_loss {
  Scalar value = 0;
  Scalar weight = 0;
};

template <class Scalar>
bool fully_masked(row<Scalar> const& logits) {
  return std::all_of(logits.begin(), logits.end(),
                     [](Scalar logit) { return logit == -std::numeric_limits<Scalar>::infinity(); });
}

/// log sum_c exp((z_c - max z) / T). The largest term is exactly one, so log1p takes the sum of the others.
template <class Scalar>
Scalar log_sum_exp_above_maximum(row<Scalar> const& logits, std::type_identity_t<Scalar> temperature) {
  auto const largest = std::max_element(logits.begin(), logits.end());
  Scalar others = 0;
  for (auto logit = logits.begin(); logit != logits.end(); ++logit)
    if (logit != largest) others += std::exp((*logit - *largest) / temperature);
  return std::log1p(others);
}

/// log sum_c exp(z_c / T); -inf for a fully masked row.
template <class Scalar>
Scalar log_sum_exp(row<Scalar> const& logits, std::type_identity_t<Scalar> temperature = 1) {
  if (fully_masked(logits)) return -std::numeric_limits<Scalar>::infinity();
  Scalar const largest = *std::max_element(logits.begin(), logits.end());
  return largest / temperature + log_sum_exp_above_maximum(logits, temperature);
}

/// z / T - log_sum_exp(z, T), without rounding z / T first; all -inf for a fully masked row.
template <class Scalar>
row<Scalar> log_softmax(row<Scalar> const& logits, std::type_identity_t<Scalar> temperature = 1) {
  if (fully_masked(logits)) return logits;
  Scalar const largest = *std::max_element(logits.begin(), logits.end());
  Scalar const log_sum = log_sum_exp_above_maximum(logits, temperature);
  row<Scalar> result;
  for (Scalar const logit : logits) result.push_back((logit - largest) / temperature - log_sum);
  return result;
}

template <class Scalar>
row<Scalar> exponential(row<Scalar> values) {
  for (Scalar& value : values) value = std::exp(value);
  return values;
}

/// exp(z / T) / sum exp(z / T); all zero for a fully masked row.
template <class Scalar>
row<Scalar> softmax(row<Scalar> const& logits, std::type_identity_t<Scalar> temperature = 1) {
  return exponential(log_softmax(logits, temperature));
}

/// A row of probabilities with their logarithms. The temperature has already acted; none acts later.
template <class Scalar>
struct distribution {
  row<Scalar> probability;
  row<Scalar> log_probability;
};

template <class Scalar>
distribution<Scalar> from_logits(row<Scalar> const& logits, std::type_identity_t<Scalar> temperature = 1) {
  return {softmax(logits, temperature), log_softmax(logits, temperature)};
}

template <class Scalar>
distribution<Scalar> from_log_probabilities(row<Scalar> const& log_probability) {
  return {exponential(log_probability), log_probability};
}

template <class Scalar>
distribution<Scalar> from_probabilities(row<Scalar> const& probability) {
  row<Scalar> log_probability;
  for (Scalar const p : probability) log_probability.push_back(std::log(p));
  return {probability, log_probability};
}

/// sum_c term(p_c, log p_c, q_c, log q_c), p the teacher, q the student. Does not count when either is all
/// zero.
template <class Scalar, class Term>
row_loss<Scalar> sum_over_classes(distribution<Scalar> const& teacher, distribution<Scalar> const& student,
                                  Term term) {
  auto const is_zero = [](Scalar probability) { return probability == 0; };
  if (std::all_of(teacher.probability.begin(), teacher.probability.end(), is_zero)) return {};
  if (std::all_of(student.probability.begin(), student.probability.end(), is_zero)) return {};
  Scalar sum = 0;
  for (std::size_t c = 0; c < teacher.probability.size(); ++c)
    sum += term(teacher.probability[c], teacher.log_probability[c], student.probability[c],
                student.log_probability[c]);
  return {sum, 1};
}

/// KL(teacher || student) = sum p (log p - log q): +inf where the teacher has mass on a masked student class.
template <class Scalar>
row_loss<Scalar> forward_kl(distribution<Scalar> const& teacher, distribution<Scalar> const& student) {
  return sum_over_classes(teacher, student, [](Scalar p, Scalar log_p, Scalar, Scalar log_q) {
    return p == 0 ? Scalar(0) : p * (log_p - log_q);
  });
}

/// KL(student || teacher) = sum q (log q - log p): +inf where the student has mass on a masked teacher class.
template <class Scalar>
row_loss<Scalar> reverse_kl(distribution<Scalar> const& teacher, distribution<Scalar> const& student) {
  return sum_over_classes(teacher, student, [](Scalar, Scalar log_p, Scalar q, Scalar log_q) {
    return q == 0 ? Scalar(0) : q * (log_q - log_p);
  });
}

/// -sum p log q: forward KL without the entropy of the teacher.
template <class Scalar>
row_loss<Scalar> soft_cross_entropy(distribution<Scalar> const& teacher,
                                    distribution<Scalar> const& student) {
  return sum_over_classes(teacher, student, [](Scalar p, Scalar, Scalar, Scalar log_q) {
    return p == 0 ? Scalar(0) : -p * log_q;
  });
}

/// 1/2 sum (sqrt p - sqrt q)^2, between 0 and 1.
template <class Scalar>
row_loss<Scalar> squared_hellinger(distribution<Scalar> const& teacher, distribution<Scalar> const& student) {
  return sum_over_classes(teacher, student, [](Scalar p, Scalar, Scalar q, Scalar) {
    Scalar const difference = std::sqrt(p) - std::sqrt(q);
    return difference * difference / 2;
  });
}

/// -sum q log q of q = softmax(z / T).
template <class Scalar>
row_loss<Scalar> entropy(row<Scalar> const& logits, std::type_identity_t<Scalar> temperature = 1) {
  distribution<Scalar> const q = from_logits(logits, temperature);
  return soft_cross_entropy(q, q);
}

}  // namespace distil::reference
