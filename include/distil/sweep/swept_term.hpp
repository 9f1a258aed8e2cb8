#pragma once

#include <cstddef>
#include <new>
#include <span>
#include <type_traits>

#include "distil/sweep/kernel_sweep.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// How a term is brought into the sweeps.
template <class T>
struct sweep_maker {
  std::size_t bytes;
  kernel_traits<T> traits;
  term_sweep<T>* (*make)(void* where, axis way, void const* term, source_matrix<T> const& student);

  template <class Term>
  static constexpr sweep_maker of() {
    using sweep = sweep_of_term<T, Term>;
    static_assert(std::is_trivially_destructible_v<sweep>);
    return {(sizeof(sweep) + cache_line - 1) / cache_line * cache_line,
            traits_of<typename Term::template kernel<T>, T>,
            [](void* where, axis way, void const* term, source_matrix<T> const& student) -> term_sweep<T>* {
              return ::new (where) sweep(way, *static_cast<Term const*>(term), student);
            }};
  }
};

/// A term as the sweeps know it.
template <class T>
struct swept_term {
  void const* term;
  sweep_maker<T> const* maker;

  template <class Term>
  static swept_term of(Term const& term) {
    static constexpr auto maker = sweep_maker<T>::template of<Term>();
    return {&term, &maker};
  }
};

/// What is kept of a row: for each block the student's maximum and the marks of the terms; then arrays as long as the row,
/// so that the processor sees one stream of each: the exponentials of the base, the registers that terms save, and of
/// several terms exponentials that are no powers of the base.
struct kept_layout {
  index marks_step;  ///< from the marks of a block to those of the next
  index base_at, saved_at, own_at;
  index array;  ///< of one register a step, and so far apart
  index size;

  template <class T>
  static kept_layout of(std::span<swept_term<T> const> terms, index blocks) {
    constexpr index lane_count = lanes<T>::size;
    // Arrays of which the same places lie in the same set of the first cache would push each other out.
    constexpr index apart = 3 * static_cast<index>(cache_line / sizeof(T));
    index marks = lane_count, saved = 0, taking = 0;
    for (auto const& term : terms) {
      kernel_traits<T> const& traits = term.maker->traits;
      marks += traits.block_marks * lane_count;
      saved += traits.saved_registers;
      taking += traits.exponentials ? 1 : 0;
    }
    index const array = blocks * block_steps<T> * lane_count + apart;
    index const base_at = (blocks * marks + apart) / apart * apart;
    index const saved_at = base_at + array, own_at = saved_at + saved * array;
    return {marks, base_at, saved_at, own_at, array, own_at + (taking > 1 ? taking : 0) * array};
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
