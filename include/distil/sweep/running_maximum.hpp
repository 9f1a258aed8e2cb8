#pragma once

#include "distil/simd/logarithm.hpp"
#include "distil/sweep/blocks.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// The maximum of a row while its blocks are read, and what a new maximum means for sums of
/// 2^(sharpness * (z - maximum)) that were begun with the old one. A row that has shown only -inf so far is shifted by 0.
template <class T>
struct running_maximum {
  lanes<T> now = lanes<T>(-infinity<T>);
  lanes<T> before = lanes<T>(-infinity<T>);

  static DISTIL_INLINE lanes<T> finite(lanes<T> maximum) {
    return select(maximum == lanes<T>(-infinity<T>), lanes<T>(0), maximum);
  }

  /// What to subtract from a logit: every argument of an exponential is then <= 0.
  [[nodiscard]] DISTIL_INLINE lanes<T> shift() const { return finite(now); }

  /// Raises the maximum to that of each row's new classes. True when it changed and sums must follow.
  DISTIL_INLINE bool raise(lanes<T> of_rows) {
    before = now;
    now = max(now, of_rows);
    return !all(now == before);
  }

  DISTIL_INLINE void settle() { before = now; }

  /// The same for sums to which masked classes add nothing: before the first class that is not, nothing must follow.
  DISTIL_INLINE bool raise_sums(lanes<T> of_rows) {
    if (!raise(of_rows)) return false;
    bool const follow = !all(before == lanes<T>(-infinity<T>));
    if (!follow) settle();
    return follow;
  }

  /// Factor for exponentials 2^(sharpness * (z - maximum)) that were taken relative to an earlier maximum.
  [[nodiscard]] DISTIL_INLINE lanes<T> decay_since(lanes<T> earlier, lanes<T> sharpness) const {
    if (all(earlier == now)) return zero_where(earlier == lanes<T>(-infinity<T>), lanes<T>(1));
    return power_of_fall(earlier, now, sharpness);
  }
  [[nodiscard]] DISTIL_INLINE lanes<T> decay(lanes<T> sharpness) const {
    return decay_since(before, sharpness);
  }

  /// What the exponents sharpness * (z - maximum) of the blocks before have changed by.
  [[nodiscard]] DISTIL_INLINE lanes<T> drift(lanes<T> sharpness) const {
    return (finite(before) - finite(now)) * sharpness;
  }

 private:
  [[gnu::noinline]] static lanes<T> power_of_fall(lanes<T> from, lanes<T> to, lanes<T> sharpness) {
    return zero_where(from == lanes<T>(-infinity<T>), exp2_nonpositive((from - to) * sharpness));
  }
};

/// The logarithm of what rows have once a sweep is through: not worth being compiled where it is asked for.
template <class T>
[[gnu::noinline]] lanes<T> log_of_rows(lanes<T> of_rows) {
  return log(of_rows);
}

/// The maximum of each lane over one block.
template <class T>
DISTIL_INLINE lanes<T> block_maximum(strip<T> values, block const& here) {
  lanes<T> top0(-infinity<T>), top1 = top0, top2 = top0, top3 = top0;
  index k = 0;
  for (; k + 4 <= here.whole; k += 4) {
    top0 = max(top0, values[k]);
    top1 = max(top1, values[k + 1]);
    top2 = max(top2, values[k + 2]);
    top3 = max(top3, values[k + 3]);
  }
  for (; k < here.whole; ++k) top0 = max(top0, values[k]);
  if (here.whole < here.steps) top0 = max(top0, values.from(here.whole, true)[0]);
  return max(max(top0, top1), max(top2, top3));
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
