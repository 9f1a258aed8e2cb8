#pragma once

#include <algorithm>
#include <cmath>

#include "distil/simd/vectors.hpp"

namespace distil {

/// What is summed over the classes of teacher p and student q.
enum class soft_divergence {
  kl,             ///< p (log p - log q), not negative
  cross_entropy,  ///< -p log q
};

}  // namespace distil

/// Softmax and divergences of rows in scratch: attention scores, similarities, the positions of a channel. The losses on
/// logits have the sweeps.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// A row's distribution.
template <class T>
struct soft_row {
  T top;      ///< the largest entry; -inf of a row that is fully masked
  T log_sum;  ///< log sum exp(scale (x - top))

  [[nodiscard]] bool masked() const { return top == -infinity<T>; }
  /// log p of an entry x, for the scale it was made with.
  [[nodiscard]] DISTIL_INLINE lanes<T> log_of(lanes<T> x, lanes<T> scale) const {
    return (x - lanes<T>(top)) * scale - lanes<T>(log_sum);
  }
};

/// probability = softmax(scale x), scale > 0; -inf is a masked entry with probability 0. A row that is fully masked gets
/// zeros, one with NaN or +inf gets NaN. May be written over x.
template <class T>
soft_row<T> softmax_of(T const* x, index size, T scale, T* probability) {
  T const top = maximum_of(x, size);
  bool bad = top == infinity<T>;
  if (!bad) {
    T const probe = sum_of<T>(size, [&](auto place) {
      lanes<T> const value = place.load(x);
      return select(value != value, lanes<T>(1), lanes<T>(0));
    });
    bad = probe != T(0);
  }
  if (bad) {
    std::fill(probability, probability + size, std::numeric_limits<T>::quiet_NaN());
    return {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::quiet_NaN()};
  }
  if (top == -infinity<T>) {
    std::fill(probability, probability + size, T(0));
    return {top, T(0)};
  }
  T const sum = sum_of<T>(size, [&](auto place) {
    lanes<T> const e = exp_nonpositive((place.load(x) - lanes<T>(top)) * lanes<T>(scale));
    place.store(e, probability);
    return e;
  });
  lanes<T> const share(T(1) / sum);
  for_each_register<T>(size, [&](auto place) { place.store(place.load(probability) * share, probability); });
  return {top, std::log(sum)};
}

/// KL(p || q) or the cross entropy of p = softmax(teacher_scale t) and q = softmax(student_scale s), both rows of `size`
/// entries. `difference` becomes q - p, from which the gradient by s follows as student_scale (q - p); `scratch` has room
/// for a row. 0 and no difference where either row is fully masked; +inf where the student masks what the teacher has.
template <class T>
T compare_soft_rows(soft_divergence what, T const* student, T student_scale, T const* teacher,
                    T teacher_scale, index size, T* difference, T* scratch) {
  soft_row<T> const p = softmax_of(teacher, size, teacher_scale, scratch);
  soft_row<T> const q = softmax_of(student, size, student_scale, difference);
  if (p.masked() || q.masked()) {
    std::fill(difference, difference + size, T(0));
    return T(0);
  }
  lanes<T> const by_student(student_scale), by_teacher(teacher_scale);
  // p (log p - log q) - p + q is never negative, and the last two sum to zero.
  T const sum = sum_of<T>(size, [&](auto place) {
    lanes<T> const mass = place.load(scratch), other = place.load(difference);
    lanes<T> const log_q = q.log_of(place.load(student), by_student);
    lanes<T> const d = other - mass;
    place.store(d, difference);
    if (what == soft_divergence::cross_entropy) return -zero_safe_product(mass, log_q);
    return zero_safe_product(mass, p.log_of(place.load(teacher), by_teacher) - log_q) + d;
  });
  return what == soft_divergence::kl && sum < T(0) ? T(0) : sum;
}

/// d KL / d log T of two rows with the scale 1 / T, whose p and q - p `compare_soft_rows` gave: -(sum (q - p) a + Cov_p(b,
/// b - a)) with a and b the scaled entries of student and teacher. 0 where either row is fully masked.
template <class T>
T temperature_slope(T const* student, T const* teacher, T scale, index size, T const* p,
                    T const* difference) {
  lanes<T> const by(scale), top(maximum_of(student, size)), teacher_top(maximum_of(teacher, size));
  if (first_of(top) == -infinity<T> || first_of(teacher_top) == -infinity<T>) return T(0);
  auto const a = [&](auto place) { return (place.load(student) - top) * by; };
  auto const b = [&](auto place) { return (place.load(teacher) - teacher_top) * by; };
  // Over the sum of the same p: what its rounding has in common cancels.
  T const mass = sum_of<T>(size, [&](auto place) { return place.load(p); });
  auto const mean_of = [&](auto const& entry) {
    return lanes<T>(
        sum_of<T>(size, [&](auto place) { return zero_safe_product(place.load(p), entry(place)); }) / mass);
  };
  lanes<T> const mean_a = mean_of(a), mean_b = mean_of(b);
  return -sum_of<T>(size, [&](auto place) {
    lanes<T> const of_a = a(place) - mean_a, of_b = b(place) - mean_b;
    return zero_safe_product(place.load(difference), of_a) +
           zero_safe_product(place.load(p), of_b * (of_b - of_a));
  });
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
