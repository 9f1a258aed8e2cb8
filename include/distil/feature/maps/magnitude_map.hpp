#pragma once

#include <algorithm>
#include <cmath>

#include "distil/matrix/operands.hpp"
#include "distil/matrix/unit_rows.hpp"

/// Where a network looks: the channels' magnitudes at each position. Of several losses.
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// |x|^power for a power of at least 1, and its derivative, 0 at 0.
template <class T>
class absolute_power {
 public:
  explicit absolute_power(double power)
      : power_(static_cast<T>(power)), whole_(power <= 8 && power == std::floor(power) ? int(power) : 0) {}

  [[nodiscard]] DISTIL_INLINE lanes<T> operator()(lanes<T> x) const {
    if (whole_ == 2) return x * x;
    return raised(abs(x), whole_, power_);
  }
  [[nodiscard]] DISTIL_INLINE lanes<T> slope(lanes<T> x) const {
    if (whole_ == 2) return x + x;
    lanes<T> const size = abs(x);
    lanes<T> const sign = select(size == lanes<T>(0), lanes<T>(0), x / size);
    if (whole_ == 1) return sign;
    return lanes<T>(power_) * sign * raised(size, whole_ == 0 ? 0 : whole_ - 1, power_ - T(1));
  }

 private:
  static DISTIL_INLINE lanes<T> raised(lanes<T> size, int whole, T power) {
    if (whole > 0) {
      lanes<T> product = size;
      for (int i = 1; i < whole; ++i) product *= size;
      return product;
    }
    T values[static_cast<std::size_t>(lanes<T>::size)];
    size.store(values);
    for (T& value : values) value = std::pow(value, power);
    return lanes<T>::load(values);
  }

  T power_;
  int whole_;  ///< the power where it is whole and small, else 0
};

/// How to come back from a sample's unit map.
template <class T>
struct magnitude_way {
  T length;  ///< of the map that was divided; 0: a map of zeros
  T scale;   ///< what the features were multiplied by first, so that their powers stay in range
};

/// a = v / |v|, v_p = sum_c |x_cp|^power, of one sample at a time, with channels or positions as its rows.
template <class T>
class magnitude_map {
 public:
  explicit magnitude_map(double power) : power_(power) {}

  /// Writes as many numbers as there are positions.
  magnitude_way<T> make(matrix_view<T const> sample, rows_of order, T* map) const {
    T const scale = scale_of(sample);
    sum_powers(sample, order, scale, map);
    index const positions = order == rows_of::channels ? sample.columns : sample.rows;
    return {to_unit(map, positions, map), scale};
  }

  /// From `slope` = dL/da, which is overwritten, to the gradient by the sample.
  void pull_back(matrix_view<T const> sample, rows_of order, magnitude_way<T> way, T const* map, T* slope,
                 matrix_view<T> gradient) const {
    index const positions = order == rows_of::channels ? sample.columns : sample.rows;
    pull_back_unit(map, way.length, positions, slope);
    lanes<T> const scale(way.scale);
    for (index row = 0; row < sample.rows; ++row) {
      T const* const x = &sample(row, 0);
      T* const g = &gradient(row, 0);
      simd::for_each_register<T>(sample.columns, [&](auto place) {
        lanes<T> const of_map = order == rows_of::channels ? place.load(slope) : lanes<T>(slope[row]);
        place.store(power_.slope(place.load(x) * scale) * (of_map * scale), g);
      });
    }
  }

 private:
  /// A power of two that brings the largest element between 1 and 2: the map's direction does not change.
  static T scale_of(matrix_view<T const> sample) {
    lanes<T> top(0);
    for (index row = 0; row < sample.rows; ++row) {
      simd::for_each_register<T>(sample.columns,
                                 [&](auto place) { top = max(top, abs(place.load(&sample(row, 0)))); });
    }
    T const largest = first_of(max_across(top));
    if (!(largest > T(0)) || largest == simd::infinity<T>) return T(1);
    constexpr int most = std::numeric_limits<T>::max_exponent - 2;
    return std::ldexp(T(1), std::clamp(-std::ilogb(largest), -most, most));
  }

  void sum_powers(matrix_view<T const> sample, rows_of order, T scale, T* map) const {
    lanes<T> const by(scale);
    if (order == rows_of::positions) {
      for (index row = 0; row < sample.rows; ++row) {
        T const* const x = &sample(row, 0);
        map[row] = simd::sum_of<T>(sample.columns, [&](auto place) { return power_(place.load(x) * by); });
      }
      return;
    }
    std::fill(map, map + sample.columns, T(0));
    for (index row = 0; row < sample.rows; ++row) {
      T const* const x = &sample(row, 0);
      simd::for_each_register<T>(sample.columns, [&](auto place) {
        place.store(place.load(map) + power_(place.load(x) * by), map);
      });
    }
  }

  absolute_power<T> power_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
