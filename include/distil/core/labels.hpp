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
    return first_where([label](std::int64_t other) { return other == label; }) < size_;
  }

  /// The first row for which `predicate(label)` holds; the number of rows when there is none.
  template <class Predicate>
  [[nodiscard]] constexpr index first_where(Predicate const& predicate) const noexcept {
    return narrow_ != nullptr ? first_where(narrow_, predicate) : first_where(wide_, predicate);
  }

 private:
  // A loop that cannot be left early is one that compilers vectorise.
  template <class Label, class Predicate>
  constexpr index first_where(Label const* labels, Predicate const& predicate) const noexcept {
    constexpr index block = 64;
    for (index first = 0; first < size_; first += block) {
      index const last = first + block < size_ ? first + block : size_;
      std::int64_t found = 0;  // as wide as what is compared
      if (step_ == 1) {
        for (index row = first; row < last; ++row) found |= predicate(labels[row]) ? 1 : 0;
      } else {
        for (index row = first; row < last; ++row) found |= predicate(labels[row * step_]) ? 1 : 0;
      }
      for (index row = first; found != 0 && row < last; ++row) {
        if (predicate(labels[row * step_])) return row;
      }
    }
    return size_;
  }

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
