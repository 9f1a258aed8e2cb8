#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <type_traits>

#include "distil/core/number_kind.hpp"
#include "distil/core/row_parameter.hpp"

namespace distil {

namespace detail {

template <class Range>
concept integers = elements<Range> && std::integral<element_of<Range>>;

}  // namespace detail

/// Class labels of any integral type, one per row, owned by somebody else: from a span, vector, array, C array, Eigen
/// vector (with any stride), `{1, 0, 2}`, or a feature_map of one channel, an image of labels for each sample, whose
/// pixels lie one behind the other. An unsigned label beyond the signed ones of 64 bits counts as it wraps: a `size_t` of
/// -1 is -1.
class label_view {
 public:
  constexpr label_view() = default;

  template <detail::integers Range>
  constexpr label_view(Range const& labels) noexcept
      : label_view(detail::first_element(labels), static_cast<index>(std::size(labels)),
                   detail::step_of(labels)) {}

  /// They live as long as the call.
  constexpr label_view(std::initializer_list<int> labels) noexcept
      : label_view(labels.begin(), static_cast<index>(labels.size()), 1) {}

  template <class Label>
  requires std::integral<std::remove_const_t<Label>> label_view(feature_map<Label> const& images)
      : label_view(images.data, images.samples * images.positions(),
                   detail::step_of_pixels("label_view", "labels", images)) {}

  [[nodiscard]] constexpr index size() const noexcept { return size_; }

  [[nodiscard]] std::int64_t operator[](index row) const noexcept {
    if (kind_ == number_kind::int32) return static_cast<std::int32_t const*>(data_)[row * step_];
    std::int64_t label = 0;
    read(row, 1, &label);
    return label;
  }

  [[nodiscard]] bool contains(std::int64_t label) const noexcept {
    return first_where([label](std::int64_t other) { return other == label; }) < size_;
  }

  /// The first row for which `predicate(label)` holds; the number of rows when there is none.
  template <class Predicate>
  [[nodiscard]] index first_where(Predicate const& predicate) const noexcept {
    // A loop that cannot be left early is one that compilers vectorise.
    constexpr index block = 64;
    std::int64_t labels[block];
    for (index first = 0; first < size_; first += block) {
      index const count = first + block < size_ ? block : size_ - first;
      read(first, count, labels);
      std::int64_t found = 0;  // as wide as what is compared
      for (index row = 0; row < count; ++row) found |= predicate(labels[row]) ? 1 : 0;
      for (index row = 0; found != 0 && row < count; ++row) {
        if (predicate(labels[row])) return first + row;
      }
    }
    return size_;
  }

 private:
  template <class Label>
  constexpr label_view(Label const* labels, index size, index step) noexcept
      : data_(labels), size_(size), step_(step), kind_(detail::kind_of_number<Label>()) {
    static_assert(sizeof(Label) <= 8, "distil: labels have at most 64 bits");
  }

  template <class Label>
  void widen(index first, index count, std::int64_t* to) const noexcept {
    Label const* const labels = static_cast<Label const*>(data_) + first * step_;
    if (step_ == 1) {
      for (index row = 0; row < count; ++row) to[row] = static_cast<std::int64_t>(labels[row]);
    } else {
      for (index row = 0; row < count; ++row) to[row] = static_cast<std::int64_t>(labels[row * step_]);
    }
  }
#if defined(__GNUC__)
  [[gnu::noinline]]
#endif
  void
  read(index first, index count, std::int64_t* to) const noexcept {
    switch (kind_) {
      case number_kind::int8:
        return widen<std::int8_t>(first, count, to);
      case number_kind::int16:
        return widen<std::int16_t>(first, count, to);
      case number_kind::int32:
        return widen<std::int32_t>(first, count, to);
      case number_kind::int64:
        return widen<std::int64_t>(first, count, to);
      case number_kind::uint8:
        return widen<std::uint8_t>(first, count, to);
      case number_kind::uint16:
        return widen<std::uint16_t>(first, count, to);
      case number_kind::uint32:
        return widen<std::uint32_t>(first, count, to);
      case number_kind::uint64:
        return widen<std::uint64_t>(first, count, to);
      default:  // numbers that are no labels
        return;
    }
  }

  void const* data_ = nullptr;
  index size_ = 0;
  index step_ = 1;
  number_kind kind_ = number_kind::int32;
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
