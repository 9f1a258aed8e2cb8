#pragma once

#include <cmath>
#include <limits>

#include "distil/core/matrix_view.hpp"
#include "distil/simd/lanes.hpp"

/// Pooling of one channel to a smaller height and width, and the way back. Cell i of `to` covers the elements from
/// floor(i from / to) to behind ceil((i + 1) from / to), as PyTorch's adaptive pooling.
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

struct pooled_cell {
  index first, last;
};
[[nodiscard]] constexpr pooled_cell cell_of(index i, index from, index to) {
  return {i * from / to, ((i + 1) * from + to - 1) / to};
}

struct plane {
  index height, width;
};

/// Calls `body(cell, rows, columns)` for every cell of `to`.
template <class Body>
void for_each_cell(plane from, plane to, Body const& body) {
  for (index y = 0; y < to.height; ++y) {
    for (index x = 0; x < to.width; ++x)
      body(y * to.width + x, cell_of(y, from.height, to.height), cell_of(x, from.width, to.width));
  }
}

template <class T>
void pool_averages(T const* values, plane from, T* pooled, plane to) {
  for_each_cell(from, to, [&](index cell, pooled_cell rows, pooled_cell columns) {
    T sum = 0;
    for (index y = rows.first; y < rows.last; ++y) {
      T of_row = 0;
      for (index x = columns.first; x < columns.last; ++x) of_row += values[y * from.width + x];
      sum += of_row;
    }
    pooled[cell] = sum / static_cast<T>((rows.last - rows.first) * (columns.last - columns.first));
  });
}

/// Adds factor times each cell's slope, shared among its elements, to `gradient`.
template <class T>
void spread_averages(T const* slope, plane to, T factor, T* gradient, plane from) {
  for_each_cell(from, to, [&](index cell, pooled_cell rows, pooled_cell columns) {
    T const share =
        factor * slope[cell] / static_cast<T>((rows.last - rows.first) * (columns.last - columns.first));
    for (index y = rows.first; y < rows.last; ++y) {
      for (index x = columns.first; x < columns.last; ++x) gradient[y * from.width + x] += share;
    }
  });
}

/// Calls `body(cell, element)` with the place of each cell's largest element: the first of equals, a NaN before all.
template <class T, class Body>
void for_each_largest(T const* values, plane from, plane to, Body const& body) {
  for_each_cell(from, to, [&](index cell, pooled_cell rows, pooled_cell columns) {
    index best = rows.first * from.width + columns.first;
    for (index y = rows.first; y < rows.last; ++y) {
      for (index x = columns.first; x < columns.last; ++x) {
        index const at = y * from.width + x;
        if (values[at] > values[best] || (std::isnan(values[at]) && !std::isnan(values[best]))) best = at;
      }
    }
    body(cell, best);
  });
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
