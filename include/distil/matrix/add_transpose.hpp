#pragma once

#include <algorithm>

#include "distil/matrix/products.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// a += a' of a square matrix: (A + A') X is then one product instead of two.
template <class T>
void add_transpose(detail::any_policy policy, matrix_view<T> a) {
  // Tiles of whole lines: rows that lie a power of two apart share their place in the caches.
  constexpr index tile = 16;
  index const rows = a.rows;
  simd::for_chunks(policy, rows, tile, rows * rows, [&](index first, index last) {
    for (index r = first; r < last; r += tile) {
      index const height = std::min(tile, last - r);
      for (index c = r; c < rows; c += tile) {
        index const width = std::min(tile, rows - c);
        T upper[tile][tile], lower[tile][tile];
        for (index i = 0; i < height; ++i) std::copy(&a(r + i, c), &a(r + i, c) + width, upper[i]);
        for (index j = 0; j < width; ++j) std::copy(&a(c + j, r), &a(c + j, r) + height, lower[j]);
        for (index i = 0; i < height; ++i) {
          for (index j = 0; j < width; ++j) upper[i][j] = lower[j][i] = upper[i][j] + lower[j][i];
        }
        for (index i = 0; i < height; ++i) std::copy(upper[i], upper[i] + width, &a(r + i, c));
        for (index j = 0; j < width; ++j) std::copy(lower[j], lower[j] + height, &a(c + j, r));
      }
    }
  });
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
