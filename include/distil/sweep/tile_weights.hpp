#pragma once

#include <cstddef>

#include "distil/sweep/axes.hpp"
#include "distil/sweep/weighed_batch.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// How much the rows of a tile count: multipliers and scales, for each row a number of each term.
template <class T>
class tile_weights {
 public:
  tile rows;
  bool any = false;       ///< some row adds to some term
  bool every_row = true;  ///< every row has the gradient of every term

  tile_weights(weighed_batch<T> const& batch, double* memory)
      : rows{along, 0, 0}, batch_(batch), numbers_(memory) {}
  static index numbers(std::size_t terms) { return (lanes<T>::size + 1) * static_cast<index>(terms); }

  /// Each member by itself: what is stored in pieces and read at once waits for the stores.
  void look_at(axis way, index first_row, index row_count, index last) {
    rows.axis = way;
    rows.first_row = first_row;
    rows.rows = row_count;
    rows.last = last;
    if (batch_.alike()) {
      if (any) return;
      for (std::size_t i = 0; i < batch_.count(); ++i) {
        weighed_term const& of = batch_.term(i);
        numbers_[i] = of.common;
        numbers_[batch_.count() + i] = of.scale_of(of.common);
      }
      look_at_row(numbers_);
      return;
    }
    any = false;
    every_row = true;
    for (index r = 0; r < row_count; ++r) {
      double* const of_row = numbers_ + static_cast<std::size_t>(r) * batch_.count();
      batch_.multipliers_of(first_row + r, of_row);
      look_at_row(of_row);
    }
  }

  [[nodiscard]] double const* at(index r) const {
    return batch_.alike() ? numbers_ : numbers_ + static_cast<std::size_t>(r) * batch_.count();
  }

  /// What multiplies the gradients of the rows for a term.
  [[nodiscard]] lanes<T> scale(std::size_t term) const {
    weighed_term const& of = batch_.term(term);
    if (batch_.alike()) return lanes<T>(numbers_[batch_.count() + term]);
    return rows.per_row<T>([&](index row) { return of.scale_of(at(row - rows.first_row)[term]); });
  }
  [[nodiscard]] mask<T> counts(std::size_t term) const {
    return rows.per_row<T>([&](index row) {
      return batch_.term(term).has_gradient(at(row - rows.first_row)[term]) ? 1.0 : 0.0;
    }) > lanes<T>(0);
  }

 private:
  void look_at_row(double const* row) {
    for (std::size_t i = 0; i < batch_.count(); ++i) {
      any = any || row[i] != 0.0;
      every_row = every_row && batch_.term(i).has_gradient(row[i]);
    }
  }

  weighed_batch<T> const& batch_;
  double* numbers_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
