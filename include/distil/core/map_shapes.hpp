#pragma once

#include <array>

#include "distil/core/feature_map.hpp"
#include "distil/core/shapes.hpp"

/// The checks every loss of feature maps makes before any work.
namespace distil::detail {

[[nodiscard]] inline std::string map_text(std::array<index, 4> const& shape) {
  std::string text = std::to_string(shape[0]);
  for (std::size_t axis = 1; axis < 4; ++axis) text += " x " + std::to_string(shape[axis]);
  return text;
}

/// A readable map: no axis but the samples is empty.
template <class T>
void require_map(char const* where, std::string_view argument, feature_map<T> const& map) {
  require(
      map.samples >= 0 && map.channels >= 1 && map.height >= 1 && map.width >= 1, where, argument,
      [&] { return map_text(map.shape()); },
      "samples x channels x height x width, none empty but the samples");
  require(map.samples == 0 || map.data != nullptr, where, argument, "a null pointer", "a feature map");
}

/// A readable matrix, seen as the map of one sample: it may have no rows.
template <class T>
void require_map_of_matrix(char const* where, std::string_view argument, feature_map<T> const& map) {
  require(
      map.channels >= 0 && map.width >= 1, where, argument,
      [&] { return shape_text(map.channels, map.width); }, "rows x features with at least one feature");
  require(map.channels == 0 || map.data != nullptr, where, argument, "a null pointer", "a matrix");
}

/// Shapes that must agree in some axes.
inline void require_same_axes(char const* where, std::string_view argument, std::array<index, 4> const& found,
                              std::array<index, 4> const& wanted, std::array<bool, 4> const& axes) {
  static constexpr char const* names[] = {"samples", "channels", "height", "width"};
  bool same = true;
  for (std::size_t axis = 0; axis < 4; ++axis) same = same && (!axes[axis] || found[axis] == wanted[axis]);
  require(
      same, where, argument, [&] { return map_text(found); },
      [&] {
        std::string text = map_text(wanted) + " as the student in";
        for (std::size_t axis = 0, named = 0; axis < 4; ++axis) {
          if (axes[axis]) text.append(named++ == 0 ? " " : ", ").append(names[axis]);
        }
        return text;
      });
}

/// As many rows as the student has, of matrices (see `map_of_matrix`).
inline void require_same_rows(char const* where, std::array<index, 4> const& teacher,
                              std::array<index, 4> const& student) {
  require(
      teacher[1] == student[1], where, "teacher", [&] { return std::to_string(teacher[1]) + " rows"; },
      [&] { return std::to_string(student[1]) + " rows, as many as the student"; });
}

/// Bytes from the first to behind the last element.
struct map_extent {
  std::intptr_t first, last;
};

template <class T>
[[nodiscard]] map_extent extent_of(feature_map<T> const& map) {
  index low = 0, high = 0;
  auto const reach = [&](index count, index stride) {
    index const far = (count - 1) * stride;
    (far < 0 ? low : high) += far;
  };
  reach(map.samples, map.strides.sample);
  reach(map.channels, map.strides.channel);
  reach(map.height, map.strides.row);
  reach(map.width, map.strides.column);
  auto const base = reinterpret_cast<std::intptr_t>(map.data);
  index const size = static_cast<index>(sizeof(T));
  return {base + low * size, base + (high + 1) * size};
}

/// Do two maps share elements? Those whose extents meet are taken to, unless they are the same element for element.
template <class A, class B>
[[nodiscard]] overlap overlap_of(feature_map<A> const& a, feature_map<B> const& b) {
  if (a.size() == 0 || b.size() == 0) return overlap::none;
  map_extent const in_a = extent_of(a), in_b = extent_of(b);
  if (in_a.last <= in_b.first || in_b.last <= in_a.first) return overlap::none;
  auto const alike = [](index count, index one, index other) { return count == 1 || one == other; };
  bool const same =
      static_cast<void const*>(a.data) == static_cast<void const*>(b.data) && sizeof(A) == sizeof(B) &&
      a.shape() == b.shape() && alike(a.samples, a.strides.sample, b.strides.sample) &&
      alike(a.channels, a.strides.channel, b.strides.channel) &&
      alike(a.height, a.strides.row, b.strides.row) && alike(a.width, a.strides.column, b.strides.column);
  if (same) return overlap::same;
  // Two matrices side by side in one buffer, as `[images | texts]`, meet in extent but not in elements.
  if (a.samples == 1 && b.samples == 1 && a.height == 1 && b.height == 1) {
    return overlap_of(matrix_view<A>(a.data, a.channels, a.width, a.strides.channel, a.strides.column),
                      matrix_view<B>(b.data, b.channels, b.width, b.strides.channel, b.strides.column));
  }
  if (a.positions() == 1 && b.positions() == 1) {
    return overlap_of(matrix_view<A>(a.data, a.samples, a.channels, a.strides.sample, a.strides.channel),
                      matrix_view<B>(b.data, b.samples, b.channels, b.strides.sample, b.strides.channel));
  }
  return overlap::partial;
}

/// A place for every element.
template <class T>
void require_distinct_elements(char const* where, std::string_view argument, feature_map<T> const& map) {
  bool const distinct = has_distinct_places({{{map.samples, map.strides.sample},
                                              {map.channels, map.strides.channel},
                                              {map.height, map.strides.row},
                                              {map.width, map.strides.column}}});
  require(distinct, where, argument, "a map with strides in which elements overlap",
          "a map with a place for every element");
}

/// A gradient with respect to the student: of its shape, over it element for element or apart, and apart from the
/// teacher, or whatever else is read.
template <class Gradient, class Student, class Teacher>
void require_gradient(char const* where, feature_map<Gradient> const& gradient,
                      feature_map<Student> const& student, feature_map<Teacher> const& teacher,
                      char const* read = "teacher") {
  require_same_axes(where, "gradient", gradient.shape(), student.shape(), {true, true, true, true});
  require(gradient.size() == 0 || gradient.data != nullptr, where, "gradient", "a null pointer",
          "a feature map");
  require_distinct_elements(where, "gradient", gradient);
  require(overlap_of(gradient, student) != overlap::partial, where, "gradient",
          "overlapping the student in part", "the student's own elements or apart from them");
  require(
      overlap_of(gradient, teacher) == overlap::none, where, "gradient",
      [&] { return std::string("overlapping the ") + read; },
      [&] { return std::string("apart from the ") + read; });
}

}  // namespace distil::detail
