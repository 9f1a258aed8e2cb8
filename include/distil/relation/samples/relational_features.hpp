#pragma once

#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/pairwise_distances.hpp"
#include "distil/matrix/unit_rows.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// What the losses of distances between samples share: one side's rows, divided by their lengths if wanted, then centred;
/// their squared distances; and the way back.
template <class T>
struct relational_features {
  matrix_view<T const> unit;  ///< the rows that were centred; unit rows where those are wanted
  matrix_view<T> centred;
  matrix_view<T> squared;  ///< distances
  T* squares;              ///< of the lengths of the centred rows
  T* lengths;              ///< of the rows, where they are divided by them

  [[nodiscard]] static index room(index rows, index columns) {
    return 2 * rows * columns + rows * rows + 2 * rows;
  }

  relational_features(detail::any_policy policy, map_source<T> const& source, bool unit_rows, T* memory) {
    index const rows = source.rows(), columns = source.columns();
    centred = {memory, rows, columns};
    matrix_view<T> const own(memory + rows * columns, rows, columns);
    squared = {memory + 2 * rows * columns, rows, rows};
    squares = memory + 2 * rows * columns + rows * rows;
    lengths = squares + rows;
    unit = source.matrix(own.data);
    if (unit_rows) {
      to_unit_rows<T>(policy, unit, own, lengths);
      unit = own;
    }
    centre_rows<T>(policy, unit, centred);
    squared_distances<T>(policy, centred, squared, squares);
  }

  /// From weights of pairs (see `pull_back_distances`) to the gradient by the rows.
  void pull_back(detail::any_policy policy, matrix_view<T> weights, bool unit_rows,
                 matrix_view<T> gradient) const {
    pull_back_distances<T>(policy, centred, squared, squares, weights, gradient);
    if (unit_rows) pull_back_unit_rows<T>(policy, unit, lengths, gradient);
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
