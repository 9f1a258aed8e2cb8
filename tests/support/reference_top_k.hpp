#pragma once

#include <cstddef>
#include <limits>
#include <vector>

#include "distil/response/top_k.hpp"

#include "reference_distribution.hpp"

/// The truth top-k teachers are held against: every policy from its definition, class by class, in long double.
namespace distil::reference {

using number = long double;

/// f(p, q) and df / d log q from the logarithms.
struct summand {
  number (*value)(number log_p, number log_q);
  number (*psi)(number log_p, number log_q);
};

inline constexpr summand forward_kl_summand{
    [](number log_p, number log_q) { return std::exp(log_p) == 0 ? 0 : std::exp(log_p) * (log_p - log_q); },
    [](number log_p, number) { return -std::exp(log_p); }};
inline constexpr summand reverse_kl_summand{
    [](number log_p, number log_q) { return std::exp(log_q) == 0 ? 0 : std::exp(log_q) * (log_q - log_p); },
    [](number log_p, number log_q) {
      return std::exp(log_q) == 0 ? 0 : std::exp(log_q) * (log_q - log_p + 1);
    }};
inline constexpr summand squared_hellinger_summand{
    [](number log_p, number log_q) {
      number const difference = std::exp(log_p / 2) - std::exp(log_q / 2);
      return difference * difference / 2;
    },
    [](number log_p, number log_q) {
      return -std::exp(log_q / 2) * (std::exp(log_p / 2) - std::exp(log_q / 2)) / 2;
    }};
inline constexpr summand squared_difference_summand{
    [](number log_p, number log_q) {
      number const difference = std::exp(log_p) - std::exp(log_q);
      return difference * difference;
    },
    [](number log_p, number log_q) { return 2 * (std::exp(log_q) - std::exp(log_p)) * std::exp(log_q); }};

/// One row of a top-k teacher; entries that count.
struct top_k_entries {
  std::vector<std::size_t> classes;
  row<number> stored;
};

struct top_k_loss {
  number value = 0;
  number weight = 0;
  row<number> gradient = {};
};

/// log p at temperature T of each listed class, and of what the tail is to the policy: one class for a bucket, each
/// class for uniform and floor, -inf else.
struct top_k_distribution {
  row<number> log_p;
  number log_tail;
};

inline top_k_distribution distribute(top_k_entries const& entries, std::size_t all,
                                     top_k_options const& options, std::size_t at, number temperature) {
  number const nothing = -std::numeric_limits<number>::infinity();
  number const others = static_cast<number>(all - entries.classes.size());
  bool const stored_tail = options.log_tail_mass.has_value();
  number const captured = options.captured_at ? (*options.captured_at)[static_cast<index>(at)] : 1.0L;
  number exponent = options.captured_at ? captured / temperature : 1.0L;
  row<number> log = entries.stored;
  if (options.form == distil::teacher_form::probabilities) {
    for (number& entry : log) entry = std::log(entry);
  } else if (options.form == distil::teacher_form::logits) {
    exponent = (stored_tail ? captured : 1) / temperature;
    if (stored_tail) {
      log = log_softmax(log, captured);
      number const mass = -std::expm1(static_cast<number>((*options.log_tail_mass)[static_cast<index>(at)]));
      for (number& entry : log) entry += std::log(mass);
    }
  }
  number tail = nothing;
  tail_policy const policy = *options.tail;
  if (others > 0 &&
      (policy == tail_policy::truncate || policy == tail_policy::bucket || policy == tail_policy::uniform)) {
    number rest = 1;
    for (number const entry : log) rest -= std::exp(entry);
    tail = stored_tail ? static_cast<number>((*options.log_tail_mass)[static_cast<index>(at)])
                       : (rest > 0 ? std::log(rest) : nothing);
    bool const as_one = policy == tail_policy::bucket && options.bucket_shape == tail_shape::one_class;
    tail = exponent * tail + (as_one ? 0 : (1 - exponent) * std::log(others));
  }
  row<number> softened;
  for (number const entry : log) softened.push_back(exponent * entry);
  if (policy == tail_policy::floor) {
    softened = log_softmax(softened);
    if (others > 0) tail = static_cast<number>(options.log_floor) + std::log(others);
  }
  row<number> whole = softened;
  whole.push_back(tail);
  number const normaliser = log_sum_exp(whole);
  for (number& entry : softened) entry -= normaliser;
  tail -= normaliser;
  if (policy == tail_policy::truncate) tail = nothing;
  if (policy == tail_policy::uniform || policy == tail_policy::floor) tail -= std::log(others);
  return {softened, tail};
}

/// The divergence of one row at temperature T, without its factor, and its gradient.
inline top_k_loss top_k(summand const& f, row<number> const& student, top_k_entries const& entries,
                        top_k_options const& options, std::size_t at, number temperature) {
  if (entries.classes.empty() || fully_masked(student)) return {0, 0, row<number>(student.size(), 0)};
  number const nothing = -std::numeric_limits<number>::infinity();
  tail_policy const policy = *options.tail;
  std::size_t const all = student.size();
  auto const teacher = distribute(entries, all, options, at, temperature);
  std::vector<bool> listed(all, false);
  row<number> log_p(all, policy == tail_policy::truncate ? nothing : teacher.log_tail);
  for (std::size_t i = 0; i < entries.classes.size(); ++i) {
    listed[entries.classes[i]] = true;
    log_p[entries.classes[i]] = teacher.log_p[i];
  }
  row<number> log_q = log_softmax(student, temperature);
  if (policy == tail_policy::renormalise_both) {
    row<number> of_listed = student;
    for (std::size_t c = 0; c < all; ++c) of_listed[c] = listed[c] ? student[c] : nothing;
    log_q = log_softmax(of_listed, temperature);
  }
  bool const by_class = policy != tail_policy::bucket;
  bool const outside_counts = policy != tail_policy::truncate && policy != tail_policy::renormalise_both;

  top_k_loss result{0, 1, row<number>(all, 0)};
  row<number> psi(all, 0);
  number psi_sum = 0;
  row<number> log_q_outside;
  for (std::size_t c = 0; c < all; ++c) {
    if (!listed[c]) log_q_outside.push_back(log_q[c]);
    if (!listed[c] && (!by_class || !outside_counts)) continue;
    if (log_p[c] == nothing && log_q[c] == nothing) continue;
    result.value += f.value(log_p[c], log_q[c]);
    psi[c] = f.psi(log_p[c], log_q[c]);
    psi_sum += psi[c];
  }
  number psi_tail = 0, log_q_tail = nothing;
  if (!by_class && all > entries.classes.size()) {
    log_q_tail = log_sum_exp(log_q_outside);
    if (teacher.log_tail != nothing || log_q_tail != nothing) {
      result.value += f.value(teacher.log_tail, log_q_tail);
      psi_tail = f.psi(teacher.log_tail, log_q_tail);
      psi_sum += psi_tail;
    }
  }
  for (std::size_t c = 0; c < all; ++c) {
    if (student[c] == nothing || log_q[c] == nothing) continue;
    number const mine = listed[c] || by_class ? psi[c] : std::exp(log_q[c] - log_q_tail) * psi_tail;
    result.gradient[c] = (mine - std::exp(log_q[c]) * psi_sum) / temperature;
  }
  return result;
}

}  // namespace distil::reference
