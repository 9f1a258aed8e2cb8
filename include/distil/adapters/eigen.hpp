#pragma once

#include <Eigen/Core>
#include <limits>
#include <span>
#include <type_traits>

#include "distil/core/matrix_view.hpp"

/// Eigen beside distil. Every loss takes Matrix, Map, Ref, Block and their transposes without this header;
/// it adds Eigen's 16-bit scalars as storage types and the way back, from distil's views to Eigen.
namespace distil {

/// Logits, teachers and gradients may be stored as Eigen::half and Eigen::bfloat16; arithmetic is in float.
template <>
struct arithmetic_of<Eigen::half> {
  using type = float;
};
template <>
struct arithmetic_of<Eigen::bfloat16> {
  using type = float;
};

namespace detail {

template <>
struct same_bits_as<Eigen::half> {
  using type = half;
};
template <>
struct same_bits_as<Eigen::bfloat16> {
  using type = bfloat16;
};

template <class T>
using eigen_matrix = Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace detail

/// What `as_eigen` returns: a map with both strides free, of a const matrix when the elements are const.
template <class T>
using eigen_map =
    Eigen::Map<std::conditional_t<std::is_const_v<T>, detail::eigen_matrix<T> const, detail::eigen_matrix<T>>,
               Eigen::Unaligned, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;

/// The same elements as an Eigen::Map, whatever their layout; nothing is copied. Elements of a const view
/// cannot be written through the map.
///
/// @param   matrix  a view of float, double, Eigen::half or Eigen::bfloat16. `distil::half` and
///                  `distil::bfloat16` only store and have no arithmetic in Eigen: hold those elements in
///                  Eigen's types
/// @example distil::as_eigen(gradient).rowwise().sum()
template <class T>
[[nodiscard]] eigen_map<T> as_eigen(matrix_view<T> const& matrix) {
  static_assert(std::numeric_limits<std::remove_const_t<T>>::is_specialized,
                "distil: Eigen cannot compute with this element type; hold 16-bit elements as Eigen::half or "
                "Eigen::bfloat16");
  return {matrix.data, matrix.rows, matrix.columns, {matrix.row_stride, matrix.column_stride}};
}

/// The elements of an Eigen vector for an option that takes a std::span: `.class_weights`, `.rows.values`,
/// `.temperature_gradient`. Only vectors whose elements are neighbours; those of a const vector are const.
/// Weights, temperatures and labels need no span: their options take the vector itself, with any stride.
///
/// @example distil::cross_entropy(student, labels, {.class_weights = distil::as_span(weights)})
template <class Vector>
[[nodiscard]] auto as_span(Vector& vector) {
  static_assert(Vector::IsVectorAtCompileTime && Vector::InnerStrideAtCompileTime == 1,
                "distil: a span needs a vector whose elements are neighbours; evaluate this one into a "
                "Vector first");
  return std::span(vector.data(), static_cast<std::size_t>(vector.size()));
}

}  // namespace distil
