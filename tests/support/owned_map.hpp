#pragma once

#include <array>

#include "batches.hpp"
#include "distil/core/feature_map.hpp"

/// Feature maps for the suites: any layout, any element type, NaN in every cell that must not be read.
namespace distil::testing {

enum class map_layout { channels_first, channels_last, padded, every_other };

inline char const* name_of(map_layout order) {
  switch (order) {
    case map_layout::channels_first:
      return "channels first";
    case map_layout::channels_last:
      return "channels last";
    case map_layout::padded:
      return "padded";
    case map_layout::every_other:
      return "every other element";
  }
  return "?";
}

inline constexpr map_layout every_layout[] = {map_layout::channels_first, map_layout::channels_last,
                                              map_layout::padded, map_layout::every_other};

using map_shape = std::array<index, 4>;

/// A map's numbers, exact.
struct exact_map {
  map_shape shape = {};
  std::vector<long double> values = {};

  explicit exact_map(map_shape const& sizes)
      : shape(sizes), values(static_cast<std::size_t>(sizes[0] * sizes[1] * sizes[2] * sizes[3])) {}

  [[nodiscard]] long double& operator()(index n, index c, index y = 0, index x = 0) {
    return values[static_cast<std::size_t>(((n * shape[1] + c) * shape[2] + y) * shape[3] + x)];
  }
  [[nodiscard]] long double operator()(index n, index c, index y = 0, index x = 0) const {
    return values[static_cast<std::size_t>(((n * shape[1] + c) * shape[2] + y) * shape[3] + x)];
  }
  [[nodiscard]] index samples() const { return shape[0]; }
  [[nodiscard]] index channels() const { return shape[1]; }
  [[nodiscard]] index height() const { return shape[2]; }
  [[nodiscard]] index width() const { return shape[3]; }
  [[nodiscard]] index positions() const { return shape[2] * shape[3]; }
  /// Channel c of sample n at its p-th position.
  [[nodiscard]] long double at(index n, index c, index p) const {
    return (*this)(n, c, p / width(), p % width());
  }
};

/// Calls `body(n, c, y, x)` for every element.
template <class Body>
void for_each_element(map_shape const& shape, Body const& body) {
  for (index n = 0; n < shape[0]; ++n) {
    for (index c = 0; c < shape[1]; ++c) {
      for (index y = 0; y < shape[2]; ++y) {
        for (index x = 0; x < shape[3]; ++x) body(n, c, y, x);
      }
    }
  }
}

/// A map of a suite, whatever its element type: numbers go in and out as `double`.
class some_map {
 public:
  virtual ~some_map() = default;

  [[nodiscard]] element type() const { return type_; }
  [[nodiscard]] map_shape const& shape() const { return shape_; }
  [[nodiscard]] virtual double at(index n, index c, index y = 0, index x = 0) const = 0;
  virtual void set(index n, index c, index y, index x, double value) = 0;
  void set(index n, index c, double value) { set(n, c, 0, 0, value); }
  /// Every element is `value`.
  void fill(double value) {
    for_each_element(shape_, [&](index n, index c, index y, index x) { set(n, c, y, x, value); });
  }
  /// Every element is `function(n, c, y, x)`.
  template <class Function>
  requires std::is_invocable_v<Function, index, index, index, index>
  void fill(Function const& function) {
    for_each_element(shape_,
                     [&](index n, index c, index y, index x) { set(n, c, y, x, function(n, c, y, x)); });
  }

  [[nodiscard]] exact_map exact() const {
    exact_map result(shape_);
    for_each_element(shape_,
                     [&](index n, index c, index y, index x) { result(n, c, y, x) = at(n, c, y, x); });
    return result;
  }

  /// Number of cells outside the map that are no longer NaN.
  [[nodiscard]] int damaged_guards() const {
    std::vector<bool> inside(cells_count(), false);
    for_each_element(shape_, [&](index n, index c, index y, index x) {
      inside[static_cast<std::size_t>(1 + n * strides_.sample + c * strides_.channel + y * strides_.row +
                                      x * strides_.column)] = true;
    });
    int damaged = 0;
    for (std::size_t i = 0; i < inside.size(); ++i) damaged += !inside[i] && !is_nan(i) ? 1 : 0;
    return damaged;
  }

 protected:
  some_map(element type, map_shape const& shape, map_layout order) : type_(type), shape_(shape) {
    auto const [samples, channels, height, width] = shape;
    switch (order) {
      case map_layout::channels_first:
        strides_ = {channels * height * width, height * width, width, 1};
        break;
      case map_layout::channels_last:
        strides_ = {height * width * channels, 1, width * channels, channels};
        break;
      case map_layout::padded:
        strides_ = {channels * (height * (width + 2) + 3) + 5, height * (width + 2) + 3, width + 2, 1};
        break;
      case map_layout::every_other:
        strides_ = {2 * channels * height * width + 1, 2 * height * width, 2 * width, 2};
        break;
    }
  }
  some_map(some_map const&) = default;
  some_map& operator=(some_map const&) = default;

  [[nodiscard]] std::size_t cells_count() const {
    return static_cast<std::size_t>(2 + shape_[0] * strides_.sample + shape_[1] * strides_.channel +
                                    shape_[2] * strides_.row + shape_[3] * strides_.column);
  }
  [[nodiscard]] virtual bool is_nan(std::size_t cell) const = 0;

  element type_;
  map_shape shape_;
  feature_strides strides_ = {};
};

/// A map that owns its cells: one misaligned cell before, guards of NaN between and after.
template <class T>
class owned_map final : public some_map {
 public:
  owned_map(map_shape const& shape, map_layout order)
      : some_map(element_of<T>, shape, order),
        cells_(cells_count(), T(std::numeric_limits<float>::quiet_NaN())) {}

  [[nodiscard]] feature_map<T> map() {
    return {cells_.data() + 1, shape_[0], shape_[1], shape_[2], shape_[3], strides_};
  }
  [[nodiscard]] feature_map<T const> map() const {
    return {cells_.data() + 1, shape_[0], shape_[1], shape_[2], shape_[3], strides_};
  }
  /// Samples x channels, of maps with one position.
  [[nodiscard]] matrix_view<T> matrix() {
    return {cells_.data() + 1, shape_[0], shape_[1], strides_.sample, strides_.channel};
  }
  [[nodiscard]] matrix_view<T const> matrix() const {
    return {cells_.data() + 1, shape_[0], shape_[1], strides_.sample, strides_.channel};
  }

  [[nodiscard]] double at(index n, index c, index y = 0, index x = 0) const override {
    return static_cast<double>(static_cast<arithmetic_t<T>>(map()(n, c, y, x)));
  }
  using some_map::set;
  void set(index n, index c, index y, index x, double value) override {
    map()(n, c, y, x) = T(static_cast<arithmetic_t<T>>(value));
  }

 private:
  [[nodiscard]] bool is_nan(std::size_t cell) const override {
    return std::isnan(static_cast<arithmetic_t<T>>(cells_[cell]));
  }

  std::vector<T> cells_;
};

}  // namespace distil::testing
