#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "support/shapes.hpp"

namespace bench {

/// Uninitialised memory on a boundary of 64 bytes, as Eigen and libtorch allocate.
template <class T>
class array {
 public:
  explicit array(std::ptrdiff_t size) : data_(allocate(static_cast<std::size_t>(size))) {}

  [[nodiscard]] T* data() const { return data_.get(); }

 private:
  struct release {
    void operator()(T* data) const { std::free(data); }
  };

  static T* allocate(std::size_t size) {
    constexpr std::size_t boundary = 64;
    std::size_t const bytes = (size * sizeof(T) + boundary - 1) / boundary * boundary;
    void* const memory = std::aligned_alloc(boundary, bytes);
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<T*>(memory);
  }

  std::unique_ptr<T, release> data_;
};

/// Numbers about as a network puts them out: bell-shaped, the label raised, a student that agrees with its
/// teacher in part. Row by row the same on every machine.
class logit_source {
 public:
  struct pair {
    float student;
    float teacher;
  };

  std::int32_t label(std::ptrdiff_t classes) {
    return static_cast<std::int32_t>(next() % static_cast<std::uint64_t>(classes));
  }

  pair logits(bool is_label) {
    float const common = bell();
    return {2.0F * common + bell() + (is_label ? 4.0F : 0.0F), 3.0F * common + (is_label ? 6.0F : 0.0F)};
  }

 private:
  // splitmix64
  std::uint64_t next() {
    std::uint64_t word = state_ += 0x9E3779B97F4A7C15U;
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9U;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EBU;
    return word ^ (word >> 31);
  }

  // The sum of four uniform numbers, of deviation 1.
  float bell() {
    std::uint64_t const word = next();
    auto const part = [word](int i) { return static_cast<float>((word >> (16 * i)) & 0xFFFFU); };
    constexpr float to_deviation_one = 1.7320508F / 65536.0F;
    return (part(0) + part(1) + part(2) + part(3)) * to_deviation_one - 2.0F * 1.7320508F;
  }

  std::uint64_t state_ = 1;
};

/// Student, teacher, gradient and labels of one shape.
template <class T>
struct batch {
  shape size;
  array<T> student, teacher, gradient;
  std::vector<std::int32_t> labels;

  /// Element (row, class) is at `row * row_stride + class * class_stride` within its image of `image_rows`
  /// rows.
  explicit batch(shape size_of_batch) : batch(size_of_batch, 1, size_of_batch.classes, 1) {}

  explicit batch(image_shape image) : batch(image.flat(), image.images, 1, image.pixels()) {}

 private:
  batch(shape size_of_batch, std::ptrdiff_t images, std::ptrdiff_t row_stride, std::ptrdiff_t class_stride)
      : size(size_of_batch),
        student(size.elements()),
        teacher(size.elements()),
        gradient(size.elements()),
        labels(static_cast<std::size_t>(size.rows)) {
    logit_source source;
    std::ptrdiff_t const rows = size.rows / images;
    for (std::ptrdiff_t row = 0; row < size.rows; ++row) {
      std::int32_t const label = source.label(size.classes);
      labels[static_cast<std::size_t>(row)] = label;
      std::ptrdiff_t const first = row / rows * rows * size.classes + row % rows * row_stride;
      for (std::ptrdiff_t column = 0; column < size.classes; ++column) {
        logit_source::pair const logits = source.logits(column == label);
        std::ptrdiff_t const at = first + column * class_stride;
        student.data()[at] = static_cast<T>(logits.student);
        teacher.data()[at] = static_cast<T>(logits.teacher);
        gradient.data()[at] = static_cast<T>(0.0F);
      }
    }
  }
};

/// The batch of a shape, made once: every bench of a shape works on the same memory.
template <class T>
batch<T>& batch_of(shape size) {
  static std::map<std::pair<std::ptrdiff_t, std::ptrdiff_t>, batch<T>> batches;
  return batches.try_emplace({size.rows, size.classes}, size).first->second;
}

}  // namespace bench
