#pragma once

#include <algorithm>

#include "distil/core/matrix_view.hpp"
#include "distil/simd/soft_rows.hpp"

namespace distil {

/// How the attention of student and teacher, a softmax of mean magnitudes, becomes one mask in `attention_guided`.
enum class attention_mask {
  none,      ///< everything counts alike
  joint,     ///< the softmax of the sum of both
  averaged,  ///< the mean of both softmaxes
};

/// What `attention_guided` compares of channels and positions.
enum class attention_pooling {
  magnitude,  ///< means of magnitudes
  mean,       ///< means
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// What masks and differences are made of.
struct magnitude_settings {
  attention_mask spatial_mask, channel_mask;
  double temperature;
  attention_pooling pooling;
};

/// The magnitudes of one sample, by channel and by position: masks, and differences of what is pooled.
template <class T>
class magnitude_of_sample {
 public:
  [[nodiscard]] static index size(index channels, index positions) { return 4 * (channels + positions); }

  magnitude_of_sample(magnitude_settings const& settings, index channels, index positions, T* memory)
      : settings_(settings),
        of_channels_(memory, channels),
        of_positions_(memory + 4 * channels, positions),
        by_temperature_(static_cast<T>(1.0 / settings.temperature)) {}

  void read(matrix_view<T const> student, matrix_view<T const> teacher) {
    pool(student, teacher, attention_pooling::magnitude);
    of_channels_.set_mask(settings_.channel_mask, by_temperature_);
    of_positions_.set_mask(settings_.spatial_mask, by_temperature_);
    if (settings_.pooling == attention_pooling::mean) pool(student, teacher, attention_pooling::mean);
    of_channels_.subtract();
    of_positions_.subtract();
  }

  [[nodiscard]] T channel_mask(index channel) const { return of_channels_.mask[channel]; }
  [[nodiscard]] T const* spatial_mask() const { return of_positions_.mask; }
  [[nodiscard]] T const* channel_difference() const { return of_channels_.student; }
  [[nodiscard]] T const* spatial_difference() const { return of_positions_.student; }

 private:
  /// One axis of a sample.
  struct axis {
    T* student;
    T* teacher;
    T* mask;
    T* other;
    index size;

    axis(T* memory, index count)
        : student(memory),
          teacher(memory + count),
          mask(memory + 2 * count),
          other(memory + 3 * count),
          size(count) {}

    void set_mask(attention_mask kind, T scale) {
      if (kind == attention_mask::none) {
        std::fill(mask, mask + size, T(1));
        return;
      }
      simd::lanes<T> share(static_cast<T>(size)), of_other(0);
      if (kind == attention_mask::joint) {
        simd::for_each_register<T>(
            size, [&](auto place) { place.store(place.load(student) + place.load(teacher), other); });
        simd::softmax_of(other, size, scale, mask);
      } else {
        simd::softmax_of(student, size, scale, mask);
        simd::softmax_of(teacher, size, scale, other);
        share = of_other = share * simd::lanes<T>(T(0.5));
      }
      bool const averaged = kind == attention_mask::averaged;
      simd::for_each_register<T>(size, [&](auto place) {
        simd::lanes<T> const scaled = place.load(mask) * share;
        place.store(averaged ? fma(place.load(other), of_other, scaled) : scaled, mask);
      });
    }

    void subtract() {
      simd::for_each_register<T>(
          size, [&](auto place) { place.store(place.load(student) - place.load(teacher), student); });
    }
  };

  void pool(matrix_view<T const> student, matrix_view<T const> teacher, attention_pooling how) {
    pool(student, how, of_channels_.student, of_positions_.student);
    pool(teacher, how, of_channels_.teacher, of_positions_.teacher);
  }

  static void pool(matrix_view<T const> map, attention_pooling how, T* by_channel, T* by_position) {
    std::fill(by_position, by_position + map.columns, T(0));
    bool const magnitude = how == attention_pooling::magnitude;
    for (index c = 0; c < map.rows; ++c) {
      T const* const row = &map(c, 0);
      by_channel[c] = simd::sum_of<T>(map.columns,
                                      [&](auto place) {
                                        simd::lanes<T> const x = place.load(row),
                                                             value = magnitude ? abs(x) : x;
                                        place.store(place.load(by_position) + value, by_position);
                                        return value;
                                      }) /
                      static_cast<T>(map.columns);
    }
    simd::lanes<T> const share(T(1) / static_cast<T>(map.rows));
    simd::for_each_register<T>(
        map.columns, [&](auto place) { place.store(place.load(by_position) * share, by_position); });
  }

  magnitude_settings settings_;
  axis of_channels_, of_positions_;
  T by_temperature_;
};

}  // namespace kernels

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
