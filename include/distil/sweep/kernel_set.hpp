#pragma once

#include <cstddef>
#include <utility>

#include "distil/simd/architecture.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

template <std::size_t I, class Kernel>
struct kernel_slot {
  Kernel kernel;
};

template <class Sequence, class... Kernels>
struct kernel_slots;
template <std::size_t... I, class... Kernels>
struct kernel_slots<std::index_sequence<I...>, Kernels...> : kernel_slot<I, Kernels>... {};

/// The kernels of a tile, or their operands. Unlike a tuple it is an aggregate, `kernel_set<A, B>{{A(...)}, {B(...)}}`, so
/// that these large things are made where they lie.
template <class... Kernels>
using kernel_set = kernel_slots<std::index_sequence_for<Kernels...>, Kernels...>;

template <std::size_t I, class Kernel>
DISTIL_INLINE Kernel& get(kernel_slot<I, Kernel>& slot) {
  return slot.kernel;
}
template <std::size_t I, class Kernel>
DISTIL_INLINE Kernel const& get(kernel_slot<I, Kernel> const& slot) {
  return slot.kernel;
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
