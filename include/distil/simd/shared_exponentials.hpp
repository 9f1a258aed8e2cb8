#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <tuple>

#include "distil/simd/kernel.hpp"
#include "distil/simd/kernel_set.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// The exponentials that several kernels take of the same logits. Those of one, the base, are computed; a kernel whose
/// temperature is the same, or a small integer times smaller, takes their powers, e^z = (e^(z/T))^T, and any other
/// computes its own. A power multiplies the relative error.
///
/// The base is the last kernel that keeps its exponentials, else the last that takes any: the softened term of
/// `hinton_kd`, at whose temperature nothing underflows early.
template <class T, class... Kernels>
class shared_exponentials {
  using kernels = std::tuple<Kernels...>;
  template <std::size_t I>
  using kernel = std::tuple_element_t<I, kernels>;

 public:
  static constexpr int highest_power = 4;
  static constexpr index slots = (index{0} + ... + index{Kernels::keeps_exponentials});

  static constexpr std::size_t base = [] {
    std::size_t last_taking = 0, last_keeping = sizeof...(Kernels), i = 0;
    ((last_taking = Kernels::exponentials ? i : last_taking,
      last_keeping = Kernels::keeps_exponentials ? i : last_keeping, ++i),
     ...);
    return last_keeping < sizeof...(Kernels) ? last_keeping : last_taking;
  }();

  /// Whether any kernel takes exponentials at all.
  static constexpr bool any_taken = (Kernels::exponentials || ...);

  template <std::size_t... I>
  DISTIL_INLINE shared_exponentials(kernel_set<Kernels...> const& state, std::index_sequence<I...>)
      : sharpness_{get<I>(state).sharpness()...}, powers_{power_of<I>()...} {}

  /// Once for the exponential and for sums, so that both see the same rounding.
  template <std::size_t I>
  [[nodiscard]] DISTIL_INLINE lanes<T> exponent(lanes<T> centred) const {
    if constexpr (kernel<I>::exponentials && (I == base || kernel<I>::sums_exponents)) {
      return centred * sharpness_[I];
    }
    return lanes<T>(0);
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> of_base(lanes<T> exponent_of_base) const {
    if constexpr (any_taken) return exp2_nonpositive(exponent_of_base);
    return lanes<T>(0);
  }

  /// Those of the I-th kernel.
  template <std::size_t I>
  DISTIL_INLINE lanes<T> of(lanes<T> centred, lanes<T> exponential_of_base) const {
    if constexpr (I != base && kernel<I>::exponentials) {
      if (powers_[I] == 0) return exp2_nonpositive(centred * sharpness_[I]);
    }
    return power<I>(exponential_of_base);
  }

  /// Keeps those of the base in the first register, and those that are not its powers from the register `Others` on.
  template <std::size_t I, index Others, class Keep>
  DISTIL_INLINE void keep(lanes<T> exponential, Keep const& keep) const {
    if constexpr (kernel<I>::keeps_exponentials) {
      if (I == base || powers_[I] == 0) keep.put(slot<I, Others>, exponential);
    }
  }

  /// Those of the I-th kernel, from what was kept.
  template <std::size_t I, index Others>
  DISTIL_INLINE lanes<T> recall(kept<T> saved) const {
    if constexpr (!kernel<I>::keeps_exponentials) {
      return lanes<T>(0);
    } else {
      if constexpr (I != base) {
        if (powers_[I] == 0) return saved[slot<I, Others>];
      }
      return power<I>(saved[0]);
    }
  }

  /// Whether any kernel keeps some that are no powers.
  [[nodiscard]] DISTIL_INLINE bool keeps_others() const {
    bool result = false;
    std::size_t i = 0;
    ((result = result || (Kernels::keeps_exponentials && i != base && powers_[i] == 0), ++i), ...);
    return result;
  }

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
  template <std::size_t I, index Others>
  static constexpr index slot = [] {
    if (I == base) return index{0};
    index before = Others;
    std::size_t i = 0;
    ((before += i < I && i != base && Kernels::keeps_exponentials ? 1 : 0, ++i), ...);
    return before;
  }();

  /// 0: none within rounding of the temperatures.
  template <std::size_t I>
  [[nodiscard]] DISTIL_INLINE int power_of() const {
    if constexpr (I == base) {
      return 1;
    } else if constexpr (kernel<I>::exponentials) {
      lanes<T> const own = sharpness_[I], of_base = sharpness_[base];
      lanes<T> const rounding = own * lanes<T>(2 * std::numeric_limits<T>::epsilon());
      for (int power = 1; power <= highest_power; ++power) {
        if (all(abs(own - of_base * lanes<T>(power)) <= rounding)) return power;
      }
    }
    return 0;
  }

  template <std::size_t I>
  DISTIL_INLINE lanes<T> power(lanes<T> x) const {
    if constexpr (I != base && kernel<I>::exponentials) {
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
  std::array<int, sizeof...(Kernels)> powers_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
