#pragma once

#include "distil/core/row_view.hpp"
#include "distil/simd/chunk_sums.hpp"
#include "distil/simd/convert.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// Writes a contiguous matrix to any rows, or adds it.
template <class Policy, class T, class Storage>
void write_matrix(Policy policy, matrix_view<T> const& from, detail::row_view<Storage> const& to, bool adds) {
  for_chunks(policy, from.rows, worth_a_chunk(to.columns), from.rows * from.columns,
             [&](index first, index last) {
               for (index row = first; row < last; ++row) {
                 T const* const values = &from(row, 0);
                 if (to.column_stride != 1) {
                   for (index column = 0; column < to.columns; ++column) {
                     T const before = adds ? detail::widen<T>(to(row, column)) : T(0);
                     to(row, column) = detail::narrow<Storage>(before + values[column]);
                   }
                 } else if (adds) {
                   narrow_row<true>(values, to.columns, &to(row, 0));
                 } else {
                   narrow_row<false>(values, to.columns, &to(row, 0));
                 }
               }
             });
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
