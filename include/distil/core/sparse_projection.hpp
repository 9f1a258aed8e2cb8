#pragma once

#include <concepts>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "distil/core/shapes.hpp"

namespace distil {

/// A sparse matrix M [sources, targets] somebody else owns, in compressed rows (CSR): row i has the entries from
/// `offsets[i]` to before `offsets[i + 1]` of `columns` and `weights`. It spreads the probability of each class of
/// one vocabulary over classes of another, so that weights are >= 0 and those of a row are meant to sum to one; what
/// is missing to one is mass that gets lost.
///
/// `sparse_projection(offsets, columns, weights, targets)` takes spans, vectors and the like: 32 or 64-bit offsets
/// and columns, which may differ, and float or double weights. Eigen: outerIndexPtr(), innerIndexPtr() and valuePtr()
/// of a compressed row-major matrix, in spans.
template <class Offset, class Column, class Weight>
struct sparse_projection {
  static_assert(std::signed_integral<Offset> && std::signed_integral<Column> && std::floating_point<Weight>);

  std::span<Offset const> offsets;
  std::span<Column const> columns;
  std::span<Weight const> weights;
  index targets = 0;

  template <class Offsets, class Columns, class Weights>
  constexpr sparse_projection(Offsets const& row_offsets, Columns const& entry_columns,
                              Weights const& entry_weights, index target_count) noexcept
      : offsets(row_offsets), columns(entry_columns), weights(entry_weights), targets(target_count) {}

  [[nodiscard]] constexpr index sources() const noexcept { return static_cast<index>(offsets.size()) - 1; }
};

template <class Offsets, class Columns, class Weights>
sparse_projection(Offsets const&, Columns const&, Weights const&, index)
    -> sparse_projection<std::remove_cvref_t<decltype(*std::declval<Offsets const&>().data())>,
                         std::remove_cvref_t<decltype(*std::declval<Columns const&>().data())>,
                         std::remove_cvref_t<decltype(*std::declval<Weights const&>().data())>>;

namespace detail {

/// Sizes: O(1).
template <class Offset, class Column, class Weight>
void require_projection(char const* where, sparse_projection<Offset, Column, Weight> const& projection,
                        index sources, index targets) {
  require(
      projection.sources() == sources, where, "projection.offsets",
      [&] { return detail::said("of size ", projection.offsets.size()); },
      [&] { return detail::said("of size ", sources + 1, ", one more than the classes of the student"); });
  require(projection.targets == targets, where, "projection.targets", projection.targets,
          [&] { return detail::said(targets, ", the classes of the teacher"); });
  require(
      projection.columns.size() == projection.weights.size(), where, "projection.columns",
      [&] { return detail::said("of size ", projection.columns.size()); },
      [&] { return detail::said("of size ", projection.weights.size(), ", one for each weight"); });
}

/// Every entry, so that nothing is read out of bounds.
template <class Offset, class Column, class Weight>
void require_entries(char const* where, sparse_projection<Offset, Column, Weight> const& projection) {
  Offset before = 0;
  for (std::size_t i = 0; i < projection.offsets.size(); ++i) {
    Offset const offset = projection.offsets[i];
    require(
        i == 0 ? offset == 0 : offset >= before, where, "projection.offsets",
        [&] { return detail::said(offset, " at ", i); }, "0 at first, and never less than the one before");
    before = offset;
  }
  require(
      static_cast<std::size_t>(before) == projection.columns.size(), where, "projection.offsets",
      [&] { return detail::said(before, " at last"); },
      [&] { return detail::said(projection.columns.size(), " at last, the number of entries"); });
  for (std::size_t k = 0; k < projection.columns.size(); ++k) {
    auto const column = static_cast<index>(projection.columns[k]);
    require(
        column >= 0 && column < projection.targets, where, "projection.columns",
        [&] { return detail::said(column, " at ", k); },
        [&] { return detail::said("within [0, ", projection.targets, ")"); });
    double const weight = static_cast<double>(projection.weights[k]);
    require(
        is_weight(weight), where, "projection.weights", [&] { return detail::said(weight, " at ", k); },
        must_be_weight);
  }
}

}  // namespace detail
}  // namespace distil
