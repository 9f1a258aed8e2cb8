#pragma once

#include "distil/simd/architecture.hpp"

/// Arithmetic that is rounded one by one, in the order in which it is written, on batches and on numbers. Roundings by a
/// large constant, compensated sums and differences from a row's maximum are worthless where -ffast-math,
/// -funsafe-math-optimizations or -fassociative-math reorder them; -freciprocal-math makes infinity of 1 / x before it
/// divides. Without such flags this is what the operators are, but for `product`.
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
template <class Batch>
using operand = typename operand_of<Batch>::type;

#if defined(__clang__)
// No macro of clang says what it may do, but each operation carries its own permissions: these have none.
#pragma float_control(precise, on, push)
template <class Batch>
DISTIL_INLINE Batch add(Batch a, Batch b) {
  return Batch(operand<Batch>(a) + operand<Batch>(b));
}
template <class Batch>
DISTIL_INLINE Batch subtract(Batch a, Batch b) {
  return Batch(operand<Batch>(a) - operand<Batch>(b));
}
template <class Batch>
DISTIL_INLINE Batch multiply(Batch a, Batch b) {
  return Batch(operand<Batch>(a) * operand<Batch>(b));
}
template <class Batch>
DISTIL_INLINE Batch divide(Batch a, Batch b) {
  return Batch(operand<Batch>(a) / operand<Batch>(b));
}
#pragma float_control(pop)
/// a * b, which is rounded before anything is added to it.
template <class Batch>
DISTIL_INLINE Batch product(Batch a, Batch b) {
  return multiply(a, b);
}
#else
/// The same value, of which the compiler no longer knows how it came about, but that it takes `beside`.
template <class Batch>
DISTIL_INLINE Batch opaque(Batch batch, [[maybe_unused]] Batch beside) {
  operand<Batch> value = batch;
  operand<Batch> const other = beside;
#if defined(__AVX512F__)
  asm("" : "+v"(value) : "v"(other));
#elif defined(__SSE2__)
  asm("" : "+x"(value) : "x"(other));
#elif defined(__aarch64__)
  asm("" : "+w"(value) : "w"(other));
#else
  asm("" : "+m"(value) : "m"(other));
#endif
  return Batch(value);
}

template <class Batch>
DISTIL_INLINE Batch rounded(Batch batch, [[maybe_unused]] Batch beside) {
#if defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__)
  return opaque(batch, beside);
#else
  return batch;
#endif
}

template <class Batch>
DISTIL_INLINE Batch add(Batch a, Batch b) {
  Batch const sum = a + b;
  return rounded(sum, sum);
}
template <class Batch>
DISTIL_INLINE Batch subtract(Batch a, Batch b) {
  Batch const difference = a - b;
  return rounded(difference, difference);
}
template <class Batch>
DISTIL_INLINE Batch multiply(Batch a, Batch b) {
  Batch const product = a * b;
  return rounded(product, product);
}
/// a * b, which is rounded before anything is added to it: gcc makes one operation of both where the processor has it
/// (-ffp-contract=fast), in one loop and not in another.
template <class Batch>
DISTIL_INLINE Batch product(Batch a, Batch b) {
  Batch const value = a * b;
#if defined(__FMA__) || defined(__AVX512F__) || defined(__aarch64__)
  return opaque(value, value);
#else
  return rounded(value, value);
#endif
}
/// A divisor of its own for each dividend leaves nothing to gain from an inverse.
template <class Batch>
DISTIL_INLINE Batch divide(Batch a, Batch b) {
  return a / rounded(b, a);
}
#endif

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd::backend
