#pragma once

#include <cstddef>

#include "distil/sweep/axes.hpp"
#include "distil/sweep/weighed_batch.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// How much the rows of a tile count: multipliers and scales, for each row a number of each term.
template <class T, class Axis>
class tile_weights {
 public:
  tile rows;
  bool any = false;       ///< some row counts for some term
  bool every_row = true;  ///< every row has the gradient of every term

  tile_weights(weighed_batch<T> const& batch, double* memory) : rows{}, batch_(batch), numbers_(memory) {}
  static index numbers(std::size_t terms) { return (Axis::tile_rows + 1) * static_cast<index>(terms); }

  void look_at(tile here) {
    rows = here;
    if (batch_.alike()) {
      if (any) return;
      for (std::size_t i = 0; i < batch_.count(); ++i) numbers_[i] = batch_.term(i).common;
      look_at_row(numbers_);
      return;
    }
    any = false;
    every_row = true;
    for (index r = 0; r < here.rows; ++r) {
      double* const of_row = numbers_ + static_cast<std::size_t>(r) * batch_.count();
      batch_.multipliers_of(here.first_row + r, of_row);
      look_at_row(of_row);
    }
  }

  [[nodiscard]] double const* at(index r) const {
    return batch_.alike() ? numbers_ : numbers_ + static_cast<std::size_t>(r) * batch_.count();
  }

  /// What multiplies the gradients of the rows for a term.
  [[nodiscard]] lanes<T> scale(std::size_t term) const {
    weighed_term const& of = batch_.term(term);
    if (batch_.alike()) return lanes<T>(of.scale_of(numbers_[term]));
    return Axis::per_row(rows, [&](index row) { return of.scale_of(at(row - rows.first_row)[term]); });
  }
  [[nodiscard]] mask<T> counts(std::size_t term) const {
    return Axis::per_row(rows, [&](index row) {
             return batch_.term(term).has_gradient(at(row - rows.first_row)[term]) ? 1.0 : 0.0;
           }) > lanes<T>(0);
  }

 private:
  void look_at_row(double const* row) {
    for (std::size_t i = 0; i < batch_.count(); ++i) {
      any = any || row[i] > 0.0;
      every_row = every_row && batch_.term(i).has_gradient(row[i]);
    }
  }

  weighed_batch<T> const& batch_;
  double* numbers_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
