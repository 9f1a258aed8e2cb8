#pragma once

#include "distil/simd/architecture.hpp"

/// Sums, differences and products that are rounded one by one, in the order in which they are written. Roundings by a
/// large constant, compensated sums and differences from a row's maximum are worthless where -ffast-math,
/// -funsafe-math-optimizations or -fassociative-math reorder them, and clang says by no macro that it does.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd::backend {

/// What the compiler computes with: the register of a batch, and a number itself.
template <class Batch>
struct operand_of {
  using type = Batch;
};
#if defined(__GNUC__) && (defined(__SSE2__) || defined(__ARM_NEON))
template <class Batch>
requires requires { typename Batch::register_type; }
struct operand_of<Batch> {
  using type = typename Batch::register_type;
};
#endif

/// The same value, of which the compiler no longer knows how it came about. Free where nothing is reordered.
template <class Batch>
DISTIL_INLINE Batch rounded(Batch batch) {
#if defined(__clang__) || defined(__ASSOCIATIVE_MATH__)
  typename operand_of<Batch>::type value = batch;
#if defined(__AVX512F__)
  asm("" : "+v"(value));
#elif defined(__SSE2__)
  asm("" : "+x"(value));
#elif defined(__aarch64__)
  asm("" : "+w"(value));
#else
  asm("" : "+m"(value));
#endif
  return Batch(value);
#else
  return batch;
#endif
}

#if defined(__clang__)
// In clang, permission to reorder is a property of each operation: none here, and nothing that stands in its way either.
#pragma float_control(push)
#pragma clang fp reassociate(off)
template <class Batch>
DISTIL_INLINE Batch add(Batch a, Batch b) {
  using operand = typename operand_of<Batch>::type;
  return Batch(operand(a) + operand(b));
}
template <class Batch>
DISTIL_INLINE Batch subtract(Batch a, Batch b) {
  using operand = typename operand_of<Batch>::type;
  return Batch(operand(a) - operand(b));
}
template <class Batch>
DISTIL_INLINE Batch multiply(Batch a, Batch b) {
  using operand = typename operand_of<Batch>::type;
  return Batch(operand(a) * operand(b));
}
#pragma float_control(pop)
#else
template <class Batch>
DISTIL_INLINE Batch add(Batch a, Batch b) {
  return rounded(Batch(a + b));
}
template <class Batch>
DISTIL_INLINE Batch subtract(Batch a, Batch b) {
  return rounded(Batch(a - b));
}
template <class Batch>
DISTIL_INLINE Batch multiply(Batch a, Batch b) {
  return rounded(Batch(a * b));
}
#endif

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd::backend
