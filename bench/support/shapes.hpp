#pragma once

#include <cstddef>
#include <string>

namespace bench {

/// Rows and classes of a batch.
struct shape {
  std::ptrdiff_t rows;
  std::ptrdiff_t classes;

  [[nodiscard]] std::ptrdiff_t elements() const { return rows * classes; }
  [[nodiscard]] std::string name() const { return std::to_string(rows) + "x" + std::to_string(classes); }

  friend bool operator==(shape a, shape b) { return a.rows == b.rows && a.classes == b.classes; }
};

#if defined(BENCH_COUNTS_INSTRUCTIONS)
/// Where instructions are counted, which large batches repeat and a simulated processor takes long for.
inline constexpr shape shapes[] = {{1024, 10}, {1024, 100}, {256, 1000}, {4, 32000}};
#else
/// From digits over ImageNet to vocabularies; the last does not fit the caches of most machines.
inline constexpr shape shapes[] = {{1024, 10},  {1024, 100},  {256, 1000},  {128, 1008},
                                   {64, 32000}, {16, 128256}, {256, 128256}};
#endif

/// One row, which threads can only share by its classes.
inline constexpr shape single_row{1, 262144};

/// Dense prediction in NCHW storage: the classes of a pixel are `height * width` elements apart.
struct image_shape {
  std::ptrdiff_t images;
  std::ptrdiff_t classes;
  std::ptrdiff_t height;
  std::ptrdiff_t width;

  [[nodiscard]] std::ptrdiff_t pixels() const { return height * width; }
  /// Its row-major twin: a row for every pixel.
  [[nodiscard]] constexpr shape flat() const { return {images * height * width, classes}; }
  [[nodiscard]] std::string name() const {
    return std::to_string(images) + "x" + std::to_string(classes) + "x" + std::to_string(height) + "x" +
           std::to_string(width);
  }
};

inline constexpr image_shape segmentation{8, 21, 512, 512};

/// Samples, channels, height and width of feature maps.
struct map_size {
  std::ptrdiff_t samples, channels, height, width;

  [[nodiscard]] constexpr shape flat() const { return {samples * channels, height * width}; }
  [[nodiscard]] std::string name() const {
    return std::to_string(samples) + "x" + std::to_string(channels) + "x" + std::to_string(height) + "x" +
           std::to_string(width);
  }
};

/// Of a convolutional network in its middle, and of a large early layer.
inline constexpr map_size map_sizes[] = {{64, 256, 14, 14}, {32, 64, 56, 56}};

/// For peers that make an array of all pairs of channels, which take half a gigabyte here.
inline constexpr map_size few_maps[] = {{8, 256, 14, 14}};

/// Samples and features of a loss of relations.
inline constexpr shape relation_sizes[] = {{256, 512}, {1024, 512}};

}  // namespace bench
