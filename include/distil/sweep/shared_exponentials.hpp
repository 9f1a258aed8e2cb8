#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <tuple>

#include "distil/sweep/kernel.hpp"
#include "distil/sweep/kernel_set.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// The exponentials that several kernels take of the same logits. Those of one, the base, are computed; a kernel whose
/// temperature is the same, or a small integer times smaller, takes their powers, e^z = (e^(z/T))^T, and any other
/// computes its own. A power multiplies the relative error.
///
/// Of two kernels the base is the softened term of `hinton_kd`: the last that keeps its exponentials, else the last that
/// takes any. Of more it is the one at the highest temperature. What the kernels of a row take of it depends on nothing
/// but their temperatures there: with `RowsInLanes`, the rows beside it in a tile change no bit.
template <class T, bool RowsInLanes, class... Kernels>
class shared_exponentials {
  using kernels = std::tuple<Kernels...>;
  template <std::size_t I>
  using kernel = std::tuple_element_t<I, kernels>;

  static constexpr index keeping = (index{0} + ... + index{Kernels::keeps_exponentials});
  static constexpr index taking = (index{0} + ... + index{Kernels::exponentials});

  static constexpr std::size_t last = [] {
    std::size_t last_taking = 0, last_keeping = sizeof...(Kernels), i = 0;
    ((last_taking = Kernels::exponentials ? i : last_taking,
      last_keeping = Kernels::keeps_exponentials ? i : last_keeping, ++i),
     ...);
    return last_keeping < sizeof...(Kernels) ? last_keeping : last_taking;
  }();

  static constexpr bool chooses_base = taking > 2;
  /// Whether the I-th kernel is another than the base.
  template <std::size_t I>
  static constexpr bool relates = kernel<I>::exponentials && (chooses_base || I != last);

 public:
  static constexpr int highest_power = 4;

  /// The base, and those that are no powers of it.
  static constexpr index slots = keeping == 0 ? 0 : keeping + index{chooses_base};

  template <std::size_t... I>
  DISTIL_INLINE shared_exponentials(kernel_set<Kernels...> const& state, std::index_sequence<I...>)
      : sharpness_{get<I>(state).sharpness()...}, base_(sharpness_[last]) {
    if constexpr (chooses_base) {
      ((base_ = Kernels::exponentials ? min(base_, sharpness_[I]) : base_), ...);
      last_is_base_ = all(base_ == sharpness_[last]);
    }
    (relate<I>(), ...);
  }

  /// Once for the exponential and for sums, so that both see the same rounding.
  template <std::size_t I>
  [[nodiscard]] DISTIL_INLINE lanes<T> exponent(lanes<T> centred) const {
    if constexpr (kernel<I>::exponentials && (I == last || kernel<I>::sums_exponents)) {
      return centred * sharpness_[I];
    }
    return lanes<T>(0);
  }

  /// The exponentials of the base; `exponent_of_last` is that of the kernel `last`.
  [[nodiscard]] DISTIL_INLINE lanes<T> of_base(lanes<T> centred, lanes<T> exponent_of_last) const {
    if constexpr (chooses_base) {
      if (!last_is_base_) return exp2_nonpositive(centred * base_);
    }
    if constexpr (taking > 0) return exp2_nonpositive(exponent_of_last);
    return lanes<T>(0);
  }
  template <class Exponents>
  [[nodiscard]] static DISTIL_INLINE lanes<T> last_of(Exponents const& of_kernels) {
    return of_kernels[last];
  }

  /// Those of the I-th kernel.
  template <std::size_t I>
  DISTIL_INLINE lanes<T> of(lanes<T> centred, lanes<T> exponential_of_base) const {
    if constexpr (relates<I>) {
      if (powers_[I] == 0) return of_own<I>(centred, exponential_of_base);
    }
    return power<I>(exponential_of_base);
  }

  /// Keeps those of the base in the first register.
  template <class Keep>
  DISTIL_INLINE void keep_base(lanes<T> exponential, Keep const& keep) const {
    if constexpr (keeping > 0) keep.put(0, exponential);
  }
  /// Keeps those of the I-th kernel from the register `Others` on, if they are no powers.
  template <std::size_t I, index Others, class Keep>
  DISTIL_INLINE void keep(lanes<T> exponential, Keep const& keep) const {
    if constexpr (relates<I> && kernel<I>::keeps_exponentials) {
      if (powers_[I] == 0) keep.put(Others + slot_[I], exponential);
    }
  }

  /// Those of the I-th kernel, from what was kept.
  template <std::size_t I, index Others>
  DISTIL_INLINE lanes<T> recall(kept<T> saved) const {
    if constexpr (!kernel<I>::keeps_exponentials) {
      return lanes<T>(0);
    } else {
      if constexpr (relates<I>) {
        if (powers_[I] == 0) return saved[Others + slot_[I]];
      }
      return power<I>(saved[0]);
    }
  }

  /// How many kernels keep some that are no powers.
  [[nodiscard]] DISTIL_INLINE index others() const { return others_; }

  /// What kept exponentials must be multiplied by to be relative to `maximum` instead of an `earlier` one.
  template <std::size_t I>
  DISTIL_INLINE lanes<T> decay(running_maximum<T> const& maximum, lanes<T> earlier) const {
    if constexpr (kernel<I>::keeps_exponentials) {
      return maximum.decay_since(earlier, sharpness_[I]);
    } else {
      return lanes<T>(0);
    }
  }

 private:
  /// Whether the I-th kernel's are such powers of the base within rounding of the temperatures, row by row.
  template <std::size_t I>
  [[nodiscard]] DISTIL_INLINE mask<T> is_power(int power) const {
    lanes<T> const own = sharpness_[I];
    return abs(own - base_ * lanes<T>(power)) <= own * lanes<T>(2 * std::numeric_limits<T>::epsilon());
  }

  template <std::size_t I>
  DISTIL_INLINE void relate() {
    if constexpr (relates<I>) {
      for (int power = 1; power <= highest_power; ++power) {
        if (all(is_power<I>(power))) {
          powers_[I] = power;
          return;
        }
      }
      powers_[I] = 0;
      if (kernel<I>::keeps_exponentials) slot_[I] = others_++;
      if constexpr (RowsInLanes) {
        lanes<T> of_row(0);
        for (int power = 1; power <= highest_power; ++power) {
          of_row = select(is_power<I>(power), lanes<T>(power), of_row);
        }
        row_powers_[I] = of_row;
        mixed_[I] = any(of_row > lanes<T>(0));
      }
    }
  }

  /// Where the rows differ in the power, or have none.
  template <std::size_t I>
  DISTIL_INLINE lanes<T> of_own(lanes<T> centred, lanes<T> of_base) const {
    lanes<T> own = exp2_nonpositive(centred * sharpness_[I]);
    if (RowsInLanes && mixed_[I]) {
      lanes<T> const squared = of_base * of_base, power = row_powers_[I];
      own = select(power == lanes<T>(1), of_base, own);
      own = select(power == lanes<T>(2), squared, own);
      own = select(power == lanes<T>(3), squared * of_base, own);
      own = select(power == lanes<T>(4), squared * squared, own);
    }
    return own;
  }

  template <std::size_t I>
  DISTIL_INLINE lanes<T> power(lanes<T> x) const {
    if constexpr (relates<I>) {
      if (powers_[I] > 1) {
        lanes<T> const squared = x * x;
        if (powers_[I] == 2) return squared;
        if (powers_[I] == 3) return squared * x;
        return squared * squared;
      }
    }
    return x;
  }

  std::array<lanes<T>, sizeof...(Kernels)> sharpness_;
  lanes<T> base_;
  bool last_is_base_ = true;
  index others_ = 0;
  std::array<int, sizeof...(Kernels)> powers_{};
  std::array<index, sizeof...(Kernels)> slot_{};
  std::array<bool, sizeof...(Kernels)> mixed_{};
  std::array<lanes<T>, sizeof...(Kernels)> row_powers_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
