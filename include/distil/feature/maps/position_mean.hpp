#pragma once

#include "distil/core/row_parameter.hpp"
#include "distil/core/shapes.hpp"
#include "distil/simd/vectors.hpp"

/// Means over positions that do not count alike, such as tokens and padding.
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// The mean over the positions of one network's maps, by their weights.
class position_mean {
 public:
  /// Refuses weights of another size, and any that is negative or not finite.
  position_mean(char const* where, char const* argument, row_parameter const& weights, index samples,
                index positions)
      : weights_(weights), positions_(positions) {
    index const size = samples * positions;
    detail::require(
        !weights.per_row() || weights.size() == size, where, argument,
        [&] { return detail::said("of size ", weights.size()); },
        [&] { return detail::said("one per position, ", size); });
    for (index i = 0; i < (weights.per_row() ? size : 1); ++i) {
      detail::require(
          detail::is_weight(weights[i]), where, argument, [&] { return detail::said(weights[i], " at ", i); },
          detail::must_be_weight);
    }
  }

  /// What a sample's sum over positions is divided by; 0: none of them counts.
  [[nodiscard]] double total(index sample) const {
    if (!weights_.per_row()) return weights_[0] > 0.0 ? static_cast<double>(positions_) : 0.0;
    double total = 0.0;
    for (index p = 0; p < positions_; ++p) total += weights_[sample * positions_ + p];
    return total;
  }

  /// A sample's weights, in `memory`; null where all positions count alike.
  template <class T>
  [[nodiscard]] T const* of(index sample, T* memory) const {
    if (!weights_.per_row()) return nullptr;
    for (index p = 0; p < positions_; ++p) memory[p] = static_cast<T>(weights_[sample * positions_ + p]);
    return memory;
  }

 private:
  row_parameter weights_;
  index positions_;
};

enum class weighed_by { weight, whether_it_counts };

/// Channels times the weights of their positions, or with 0 where that is the weight alone, in `to`, which may be `from`;
/// without weights, `from` as it is.
template <class T>
[[nodiscard]] matrix_view<T const> weigh_positions(matrix_view<T const> from, T const* weights, weighed_by by,
                                                   matrix_view<T> to) {
  if (weights == nullptr) return from;
  using simd::lanes;
  for (index row = 0; row < from.rows; ++row) {
    T const* const x = &from(row, 0);
    T* const y = &to(row, 0);
    simd::for_each_register<T>(from.columns, [&](auto place) {
      lanes<T> const w = place.load(weights), all = place.load(x);
      place.store(select(w == lanes<T>(0), lanes<T>(0), by == weighed_by::weight ? all * w : all), y);
    });
  }
  return to;
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
