#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "distil/core/loss_value.hpp"
#include "distil/core/matrix_view.hpp"
#include "distil/core/row_options.hpp"
#include "distil/sweep/evaluate.hpp"
#include "elements.hpp"

/// Batches the suites feed to every loss: any layout, any element type, NaN in every cell that must not be
/// read.
namespace distil::testing {

inline constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

enum class layout { row_major, padded, class_major, every_other, images, padded_images };

inline char const* name_of(layout order) {
  switch (order) {
    case layout::row_major:
      return "row-major";
    case layout::padded:
      return "padded";
    case layout::class_major:
      return "class-major";
    case layout::every_other:
      return "every other element";
    case layout::images:
      return "channels of images";
    case layout::padded_images:
      return "channels of images with padded lines";
  }
  return "?";
}

/// A small generator with a fixed algorithm: uniform in [-1, 1), multiples of 2^-20.
class numbers {
 public:
  explicit numbers(std::uint64_t seed) : state_(seed * 2 + 1) {}
  double next() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state_ >> 43) / 1048576.0 - 1.0;
  }
  index below(index limit) { return static_cast<index>((next() + 1.0) / 2.0 * static_cast<double>(limit)); }

 private:
  std::uint64_t state_;
};

/// A matrix of a suite, whatever its element type: numbers go in and out as `double`.
class some_matrix {
 public:
  virtual ~some_matrix() = default;

  [[nodiscard]] element type() const { return type_; }
  [[nodiscard]] virtual double at(index row, index column) const = 0;
  virtual void set(index row, index column, double value) = 0;
  template <class Scalar = double>
  [[nodiscard]] std::vector<Scalar> row(index r) const {
    std::vector<Scalar> result;
    for (index c = 0; c < columns_; ++c) result.push_back(static_cast<Scalar>(at(r, c)));
    return result;
  }

  /// Number of cells outside the matrix that are no longer NaN.
  [[nodiscard]] int damaged_guards() const {
    std::vector<bool> inside(cells_count(), false);
    for (index r = 0; r < rows_; ++r) {
      for (index c = 0; c < columns_; ++c) {
        inside[static_cast<std::size_t>(1 + runs_.offset(r, row_stride_) + c * column_stride_)] = true;
      }
    }
    int damaged = 0;
    for (std::size_t i = 0; i < inside.size(); ++i) damaged += !inside[i] && !is_nan(i) ? 1 : 0;
    return damaged;
  }

 protected:
  some_matrix(element type, index rows, index columns, layout order)
      : type_(type), rows_(rows), columns_(columns) {
    switch (order) {
      case layout::row_major:
        row_stride_ = columns, column_stride_ = 1;
        break;
      case layout::padded:
        row_stride_ = columns + 3, column_stride_ = 1;
        break;
      case layout::class_major:
        row_stride_ = 1, column_stride_ = rows + 2;
        break;
      case layout::every_other:
        row_stride_ = 2 * columns + 1, column_stride_ = 2;
        break;
      case layout::images:  // of 16 pixels
        row_stride_ = 1, column_stride_ = 16;
        runs_ = {16, 1, 0, 16 * columns + 3};
        break;
      case layout::padded_images:  // of two lines with three pixels
        row_stride_ = 1, column_stride_ = 11;
        runs_ = {3, 2, 5, 11 * columns + 2};
        break;
    }
  }
  some_matrix(some_matrix const&) = default;
  some_matrix& operator=(some_matrix const&) = default;

  [[nodiscard]] std::size_t cells_count() const {
    index const rows = runs_.length == 0 ? rows_ * row_stride_ : runs_.offset(rows_ + 16, row_stride_);
    return static_cast<std::size_t>(2 + rows + columns_ * column_stride_);
  }
  [[nodiscard]] virtual bool is_nan(std::size_t cell) const = 0;

  element type_;
  index rows_, columns_, row_stride_ = 0, column_stride_ = 1;
  detail::row_runs runs_ = {};
};

/// A matrix that owns its cells: one misaligned cell before, guards of NaN between and after.
template <class T>
class owned_matrix final : public some_matrix {
 public:
  owned_matrix(index rows, index columns, layout order)
      : some_matrix(element_of<T>, rows, columns, order),
        cells_(cells_count(), T(std::numeric_limits<float>::quiet_NaN())) {}

  /// Of the layouts of matrices.
  [[nodiscard]] matrix_view<T> view() {
    return {cells_.data() + 1, rows_, columns_, row_stride_, column_stride_};
  }
  [[nodiscard]] matrix_view<T const> view() const {
    return {cells_.data() + 1, rows_, columns_, row_stride_, column_stride_};
  }
  /// Of any layout.
  [[nodiscard]] detail::row_view<T> pixels() {
    detail::row_view<T> result(view());
    result.runs = runs_;
    return result;
  }
  [[nodiscard]] detail::row_view<T const> pixels() const {
    return detail::row_view<T const>(const_cast<owned_matrix*>(this)->pixels());
  }
  [[nodiscard]] double at(index row, index column) const override {
    return static_cast<double>(static_cast<arithmetic_t<T>>(pixels()(row, column)));
  }
  void set(index row, index column, double value) override {
    pixels()(row, column) = T(static_cast<arithmetic_t<T>>(value));
  }

 private:
  [[nodiscard]] bool is_nan(std::size_t cell) const override {
    return std::isnan(static_cast<arithmetic_t<T>>(cells_[cell]));
  }

  std::vector<T> cells_;
};

/// Random logits up to `magnitude`, and labels.
inline void draw_batch(some_matrix& student, some_matrix& teacher, std::vector<std::int32_t>& labels,
                       index rows, index columns, double magnitude, std::uint64_t seed) {
  numbers random(seed);
  for (index r = 0; r < rows; ++r) {
    for (index c = 0; c < columns; ++c) {
      student.set(r, c, magnitude * random.next());
      teacher.set(r, c, magnitude * random.next());
    }
    labels.push_back(static_cast<std::int32_t>(random.below(columns)));
  }
}

/// Student, teacher, labels and room for a gradient.
template <class Student, class Teacher = Student, class Gradient = Student>
struct batch {
  index rows, columns;
  owned_matrix<Student> student;
  owned_matrix<Teacher> teacher;
  owned_matrix<Gradient> gradient;
  std::vector<std::int32_t> labels;

  batch(index row_count, index column_count, double magnitude = 4.0, layout order = layout::row_major,
        std::uint64_t seed = 1)
      : batch(row_count, column_count, magnitude, order, order, order, seed) {}

  batch(index row_count, index column_count, double magnitude, layout of_student, layout of_teacher,
        layout of_gradient, std::uint64_t seed)
      : rows(row_count),
        columns(column_count),
        student(row_count, column_count, of_student),
        teacher(row_count, column_count, of_teacher),
        gradient(row_count, column_count, of_gradient) {
    draw_batch(student, teacher, labels, rows, columns, magnitude, seed);
  }
};

/// Shapes at which something changes: lanes, blocks, chunks, and the switch from short rows to long ones.
inline std::vector<std::pair<index, index>> interesting_shapes(index lanes) {
  index const block = simd::block_elements;
  index const shorts = simd::short_row_registers * lanes;
  return {{1, 1},
          {1, 2},
          {3, 1},
          {2, 2},
          {1, std::max<index>(1, lanes - 1)},
          {5, lanes},
          {lanes, 3},
          {lanes + 1, 3},
          {2, lanes + 1},
          {3, shorts},
          {3, shorts + 1},
          {2, 4 * lanes + 3},
          {2, block},
          {2, block + 1},
          {2, 3 * block + lanes + 3},
          {1, 2 * simd::least_part_columns + 3}};  // cut into parts
}
template <class T>
std::vector<std::pair<index, index>> interesting_shapes() {
  return interesting_shapes(simd::lanes<T>::size);
}

}  // namespace distil::testing
