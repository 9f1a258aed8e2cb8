#pragma once

#include <type_traits>

#include "distil/simd/convert.hpp"

/// Rows to lanes and back: as many short rows as a register has lanes, their elements neighbours in memory, become
/// one register a class. Nothing past the last class of a row is touched.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

#if defined(__SSE2__) && !defined(DISTIL_NO_SIMD)
namespace x86 {

/// One overload for each width and type: registers from parts, and the shuffles that stay within parts.
DISTIL_INLINE __m128 low_pairs(__m128 a, __m128 b) { return _mm_shuffle_ps(a, b, 0x44); }
DISTIL_INLINE __m128 high_pairs(__m128 a, __m128 b) { return _mm_shuffle_ps(a, b, 0xEE); }
DISTIL_INLINE __m128 low_zip(__m128 a, __m128 b) { return _mm_unpacklo_ps(a, b); }
DISTIL_INLINE __m128 high_zip(__m128 a, __m128 b) { return _mm_unpackhi_ps(a, b); }
DISTIL_INLINE __m128d low_zip(__m128d a, __m128d b) { return _mm_unpacklo_pd(a, b); }
DISTIL_INLINE __m128d high_zip(__m128d a, __m128d b) { return _mm_unpackhi_pd(a, b); }
template <int Part>
DISTIL_INLINE __m128 part(__m128 a) {
  return a;
}
template <int Part>
DISTIL_INLINE __m128d part(__m128d a) {
  return a;
}

#if defined(__AVX__)
DISTIL_INLINE __m256d join(__m128d low, __m128d high) {
  return _mm256_insertf128_pd(_mm256_castpd128_pd256(low), high, 1);
}
DISTIL_INLINE __m256 low_pairs(__m256 a, __m256 b) { return _mm256_shuffle_ps(a, b, 0x44); }
DISTIL_INLINE __m256 high_pairs(__m256 a, __m256 b) { return _mm256_shuffle_ps(a, b, 0xEE); }
DISTIL_INLINE __m256 low_zip(__m256 a, __m256 b) { return _mm256_unpacklo_ps(a, b); }
DISTIL_INLINE __m256 high_zip(__m256 a, __m256 b) { return _mm256_unpackhi_ps(a, b); }
DISTIL_INLINE __m256d low_zip(__m256d a, __m256d b) { return _mm256_unpacklo_pd(a, b); }
DISTIL_INLINE __m256d high_zip(__m256d a, __m256d b) { return _mm256_unpackhi_pd(a, b); }
template <int Part>
DISTIL_INLINE __m128 part(__m256 a) {
  return _mm256_extractf128_ps(a, Part);
}
template <int Part>
DISTIL_INLINE __m128d part(__m256d a) {
  return _mm256_extractf128_pd(a, Part);
}
#endif

#if defined(__AVX512F__)
DISTIL_INLINE __m512 join(__m128 a, __m128 b, __m128 c, __m128 d) {
  __m512d const low = _mm512_castps_pd(_mm512_castps256_ps512(join(a, b)));
  return _mm512_castpd_ps(_mm512_insertf64x4(low, _mm256_castps_pd(join(c, d)), 1));
}
DISTIL_INLINE __m512d join(__m128d a, __m128d b, __m128d c, __m128d d) {
  return _mm512_castps_pd(join(_mm_castpd_ps(a), _mm_castpd_ps(b), _mm_castpd_ps(c), _mm_castpd_ps(d)));
}
DISTIL_INLINE __m512 low_pairs(__m512 a, __m512 b) { return _mm512_shuffle_ps(a, b, 0x44); }
DISTIL_INLINE __m512 high_pairs(__m512 a, __m512 b) { return _mm512_shuffle_ps(a, b, 0xEE); }
DISTIL_INLINE __m512 low_zip(__m512 a, __m512 b) { return _mm512_unpacklo_ps(a, b); }
DISTIL_INLINE __m512 high_zip(__m512 a, __m512 b) { return _mm512_unpackhi_ps(a, b); }
DISTIL_INLINE __m512d low_zip(__m512d a, __m512d b) { return _mm512_unpacklo_pd(a, b); }
DISTIL_INLINE __m512d high_zip(__m512d a, __m512d b) { return _mm512_unpackhi_pd(a, b); }
template <int Part>
DISTIL_INLINE __m128 part(__m512 a) {
  return _mm512_extractf32x4_ps(a, Part);
}
template <int Part>
DISTIL_INLINE __m128d part(__m512d a) {
  return _mm_castps_pd(_mm512_extractf32x4_ps(_mm512_castpd_ps(a), Part));
}
#endif

/// `Count` classes of the rows 0, apart, 2 apart, ...: a row in each part.
template <class T, index Count, class Storage>
DISTIL_INLINE auto gather_parts(Storage const* from, index apart) {
  using own = detail::same_bits_as_t<Storage>;
  using piece = parts<T>;
  constexpr index count = lanes<T>::size / piece::size;
  if constexpr (count == 1) {
    return piece::template load<own, Count>(from);
  } else if constexpr (count == 2) {
    return join(piece::template load<own, Count>(from), piece::template load<own, Count>(from + apart));
  } else {
    return join(piece::template load<own, Count>(from), piece::template load<own, Count>(from + apart),
                piece::template load<own, Count>(from + 2 * apart),
                piece::template load<own, Count>(from + 3 * apart));
  }
}

/// Words narrowed from parts of one, two or four rows: 64 bits a row.
template <index Rows, index Count, class Storage>
DISTIL_INLINE void scatter_words(__m128i words, Storage* to, index apart) {
  store_words<Count>(words, to);
  if constexpr (Rows > 1) store_words<Count>(upper_words(words), to + apart);
}
#if defined(__AVX512F__)
template <index Rows, index Count, class Storage>
DISTIL_INLINE void scatter_words(__m256i words, Storage* to, index apart) {
  scatter_words<2, Count>(_mm256_castsi256_si128(words), to, apart);
  scatter_words<2, Count>(_mm256_extracti128_si256(words, 1), to + 2 * apart, apart);
}
#endif

template <class T, bool Adds, index Count, class Register, class Storage>
DISTIL_INLINE void scatter_parts(Register value, Storage* to, index apart) {
  using own = detail::same_bits_as_t<Storage>;
  using piece = parts<T>;
  constexpr index count = lanes<T>::size / piece::size;
  if constexpr (Adds) {
    Register const there = gather_parts<T, Count>(to, apart);
    value = (lanes<T>::of(there) + lanes<T>::of(value)).raw;
  }
  if constexpr (std::is_same_v<T, float> && sizeof(own) == 2) {
    scatter_words<count, Count>(words<own>::narrow(value), to, apart);
  } else {
    piece::template store<own, Count>(part<0>(value), to);
    if constexpr (count > 1) piece::template store<own, Count>(part<1>(value), to + apart);
    if constexpr (count > 2) {
      piece::template store<own, Count>(part<2>(value), to + 2 * apart);
      piece::template store<own, Count>(part<3>(value), to + 3 * apart);
    }
  }
}

template <class T, class Register>
DISTIL_INLINE void store_class(Register value, T* to) {
  lanes<T>::of(value).store(to);
}

/// At most a part's worth of classes of all rows.
template <class T, index Count, class Storage>
DISTIL_INLINE void pack_tile(Storage const* from, index row_stride, T* to) {
  constexpr index size = lanes<T>::size;
  index const apart = parts<T>::size * row_stride;
  auto const a = gather_parts<T, Count>(from, apart);
  auto const b = gather_parts<T, Count>(from + row_stride, apart);
  if constexpr (parts<T>::size == 2) {
    store_class(low_zip(a, b), to);
    if constexpr (Count > 1) store_class(high_zip(a, b), to + size);
  } else {
    auto const c = gather_parts<T, Count>(from + 2 * row_stride, apart);
    auto const d = gather_parts<T, Count>(from + 3 * row_stride, apart);
    auto const low = low_zip(a, b), low_next = low_zip(c, d);
    store_class(low_pairs(low, low_next), to);
    if constexpr (Count > 1) store_class(high_pairs(low, low_next), to + size);
    if constexpr (Count > 2) {
      auto const high = high_zip(a, b), high_next = high_zip(c, d);
      store_class(low_pairs(high, high_next), to + 2 * size);
      if constexpr (Count > 3) store_class(high_pairs(high, high_next), to + 3 * size);
    }
  }
}

template <class T>
DISTIL_INLINE auto load_class(T const* from, index column) {
  return lanes<T>::load(from + column * lanes<T>::size).raw;
}

template <class T, bool Adds, index Count, class Storage>
DISTIL_INLINE void unpack_tile(T const* from, Storage* to, index row_stride) {
  index const apart = parts<T>::size * row_stride;
  // Where classes are fewer than a part has room for, the first stands in: what comes of it is not stored.
  auto const a = load_class(from, 0);
  auto const b = load_class(from, Count > 1 ? 1 : 0);
  if constexpr (parts<T>::size == 2) {
    scatter_parts<T, Adds, Count>(low_zip(a, b), to, apart);
    scatter_parts<T, Adds, Count>(high_zip(a, b), to + row_stride, apart);
  } else {
    auto const c = load_class(from, Count > 2 ? 2 : 0);
    auto const d = load_class(from, Count > 3 ? 3 : 0);
    auto const low = low_zip(a, b), low_next = low_zip(c, d);
    auto const high = high_zip(a, b), high_next = high_zip(c, d);
    scatter_parts<T, Adds, Count>(low_pairs(low, low_next), to, apart);
    scatter_parts<T, Adds, Count>(high_pairs(low, low_next), to + row_stride, apart);
    scatter_parts<T, Adds, Count>(low_pairs(high, high_next), to + 2 * row_stride, apart);
    scatter_parts<T, Adds, Count>(high_pairs(high, high_next), to + 3 * row_stride, apart);
  }
}

template <class T, class Storage>
inline constexpr bool transposes = lanes<T>::size > 1 &&
                                   (std::is_same_v<detail::same_bits_as_t<Storage>, T> ||
                                    converts<T, detail::same_bits_as_t<Storage>>);

}  // namespace x86
#endif

/// Rows `row_stride` apart to registers: register k holds class k of `lanes<T>::size` rows.
template <class T, class Storage>
DISTIL_INLINE void rows_to_lanes(Storage const* from, index row_stride, index columns, T* to) {
  constexpr index size = lanes<T>::size;
#if defined(__SSE2__) && !defined(DISTIL_NO_SIMD)
  if constexpr (x86::transposes<T, Storage>) {
    constexpr index step = x86::parts<T>::size;
    for (; columns >= step; columns -= step, from += step, to += step * size) {
      x86::pack_tile<T, step>(from, row_stride, to);
    }
    if (columns == 1) x86::pack_tile<T, 1>(from, row_stride, to);
    if constexpr (step > 2) {
      if (columns == 2) x86::pack_tile<T, 2>(from, row_stride, to);
      if (columns == 3) x86::pack_tile<T, 3>(from, row_stride, to);
    }
    return;
  }
#endif
  for (index column = 0; column < columns; ++column) {
    for (index row = 0; row < size; ++row) {
      to[column * size + row] = detail::widen<T>(from[row * row_stride + column]);
    }
  }
}

/// And back. With `Adds`, the sum with what lies there, rounded once.
template <bool Adds, class T, class Storage>
DISTIL_INLINE void lanes_to_rows(T const* from, index columns, Storage* to, index row_stride) {
  constexpr index size = lanes<T>::size;
#if defined(__SSE2__) && !defined(DISTIL_NO_SIMD)
  if constexpr (x86::transposes<T, Storage>) {
    constexpr index step = x86::parts<T>::size;
    for (; columns >= step; columns -= step, from += step * size, to += step) {
      x86::unpack_tile<T, Adds, step>(from, to, row_stride);
    }
    if (columns == 1) x86::unpack_tile<T, Adds, 1>(from, to, row_stride);
    if constexpr (step > 2) {
      if (columns == 2) x86::unpack_tile<T, Adds, 2>(from, to, row_stride);
      if (columns == 3) x86::unpack_tile<T, Adds, 3>(from, to, row_stride);
    }
    return;
  }
#endif
  for (index row = 0; row < size; ++row) {
    for (index column = 0; column < columns; ++column) {
      Storage& element = to[row * row_stride + column];
      T value = from[column * size + row];
      if constexpr (Adds) value = detail::widen<T>(element) + value;
      element = detail::narrow<Storage>(value);
    }
  }
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
