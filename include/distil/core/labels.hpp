#pragma once

#include <cstdint>

#include "distil/core/row_parameter.hpp"

namespace distil {

/// Class labels of 32 or 64 bits, one per row, owned by somebody else: from a span, vector, array or Eigen
/// vector (with any stride).
class label_view {
 public:
  constexpr label_view() = default;

  template <class Range>
  requires detail::vector_of<Range, std::int32_t>
  constexpr label_view(Range const& labels) noexcept
      : narrow_(labels.data()), size_(static_cast<index>(labels.size())), step_(detail::step_of(labels)) {}

  template <class Range>
  requires detail::vector_of<Range, std::int64_t>
  constexpr label_view(Range const& labels) noexcept
      : wide_(labels.data()), size_(static_cast<index>(labels.size())), step_(detail::step_of(labels)) {}

  [[nodiscard]] constexpr index size() const noexcept { return size_; }
  [[nodiscard]] constexpr std::int64_t operator[](index row) const noexcept {
    return narrow_ != nullptr ? narrow_[row * step_] : wide_[row * step_];
  }

  [[nodiscard]] constexpr bool contains(std::int64_t label) const noexcept {
    for (index row = 0; row < size_; ++row) {
      if ((*this)[row] == label) return true;
    }
    return false;
  }

 private:
  std::int32_t const* narrow_ = nullptr;
  std::int64_t const* wide_ = nullptr;
  index size_ = 0;
  index step_ = 1;
};

/// Two labels per row and the share of the first: the targets of Mixup (Zhang et al. 2018) and CutMix (Yun et
/// al. 2019). The loss is `share * loss(first) + (1 - share) * loss(second)`. The share is one number or one
/// per row, within [0, 1].
struct mixed_labels {
  label_view first;
  label_view second;
  row_parameter first_share = 0.5;
};

namespace detail {
template <class T>
concept labels_like = std::convertible_to<T, label_view> && !is_view<std::remove_cvref_t<T>>;
}

}  // namespace distil
