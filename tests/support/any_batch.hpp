#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "batches.hpp"

/// Batches whose element types are chosen at run time: what the suites feed to a loss.
namespace distil::testing {

std::unique_ptr<some_matrix> make_matrix(element type, index rows, index columns,
                                         layout order = layout::row_major);

/// Of student, teacher and gradient: each layout of matrices beside each, and some of images.
std::vector<std::array<layout, 3>> mixes_of_layouts();

/// Of a register of the type.
inline index lanes_of(element type) {
  return type == element::float64 ? simd::lanes<double>::size : simd::lanes<float>::size;
}

/// Student, teacher, labels and room for a gradient: its own, or those of a `batch`.
class any_batch {
  struct parts {
    std::unique_ptr<some_matrix> student, teacher, gradient;
    std::vector<std::int32_t> labels;
  };
  std::unique_ptr<parts> own_ = {};

 public:
  index rows, columns;
  some_matrix &student, &teacher, &gradient;
  std::vector<std::int32_t>& labels;

  any_batch(element_types const& types, index row_count, index column_count, double magnitude = 4.0,
            layout order = layout::row_major, std::uint64_t seed = 1);
  any_batch(element_types const& types, index row_count, index column_count, double magnitude,
            layout of_student, layout of_teacher, layout of_gradient, std::uint64_t seed);
  template <class... Types>
  explicit any_batch(batch<Types...>& of)
      : rows(of.rows),
        columns(of.columns),
        student(of.student),
        teacher(of.teacher),
        gradient(of.gradient),
        labels(of.labels) {}

 private:
  any_batch(std::unique_ptr<parts> own, index row_count, index column_count);
};

}  // namespace distil::testing
