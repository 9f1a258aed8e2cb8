#pragma once

#include "distil/simd/blocks.hpp"
#include "distil/simd/exponential.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// The maximum of a row while its blocks are read, and what a new maximum means for sums of e^((z - maximum)
/// / T) that were begun with the old one. A row that has shown only -inf so far is shifted by 0.
template <class T>
struct running_maximum {
  lanes<T> now = lanes<T>(-infinity<T>);
  lanes<T> before = lanes<T>(-infinity<T>);

  static DISTIL_INLINE lanes<T> finite(lanes<T> maximum) {
    return select(maximum == lanes<T>(-infinity<T>), lanes<T>(0), maximum);
  }

  /// What to subtract from a logit: every argument of an exponential is then <= 0.
  [[nodiscard]] DISTIL_INLINE lanes<T> shift() const { return finite(now); }

  /// Raises the maximum by a block. True when it changed and sums must follow.
  template <class Axis>
  DISTIL_INLINE bool raise(lanes<T> block_maximum) {
    before = now;
    now = max(now, Axis::max(block_maximum));
    return any(now != before);
  }

  DISTIL_INLINE void settle() { before = now; }

  /// Factor for exponentials that were taken relative to an earlier maximum.
  [[nodiscard]] DISTIL_INLINE lanes<T> decay_since(lanes<T> earlier, lanes<T> inverse_temperature) const {
    return select(earlier == lanes<T>(-infinity<T>), lanes<T>(0),
                  exp_nonpositive((earlier - now) * inverse_temperature));
  }
  [[nodiscard]] DISTIL_INLINE lanes<T> decay(lanes<T> inverse_temperature) const {
    return decay_since(before, inverse_temperature);
  }

  /// What shifted logits z / T of the blocks before have changed by.
  [[nodiscard]] DISTIL_INLINE lanes<T> drift(lanes<T> inverse_temperature) const {
    return (finite(before) - finite(now)) * inverse_temperature;
  }
};

/// The maximum of each lane over one block.
template <class T>
DISTIL_INLINE lanes<T> block_maximum(strip<T> values, index steps) {
  lanes<T> top0(-infinity<T>), top1 = top0, top2 = top0, top3 = top0;
  index k = 0;
  for (; k + 4 <= steps; k += 4) {
    top0 = max(top0, values[k]);
    top1 = max(top1, values[k + 1]);
    top2 = max(top2, values[k + 2]);
    top3 = max(top3, values[k + 3]);
  }
  for (; k < steps; ++k) top0 = max(top0, values[k]);
  return max(max(top0, top1), max(top2, top3));
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
