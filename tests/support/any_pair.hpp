#pragma once

#include <memory>

#include "cases/pair_case.hpp"

/// Pairs of maps whose element types are chosen at run time.
namespace distil::testing {

/// Student, teacher and room for a gradient: its own, or those of a `pair_batch`.
class any_pair {
  struct parts {
    std::unique_ptr<some_map> student, teacher, gradient;
  };
  std::unique_ptr<parts> own_ = {};

 public:
  some_map &student, &teacher, &gradient;

  any_pair(element_types const& types, pair_shape const& shape, double magnitude = 2.0,
           map_layout of_student = map_layout::channels_first,
           map_layout of_teacher = map_layout::channels_first,
           map_layout of_gradient = map_layout::channels_first, std::uint64_t seed = 1);
  template <class... Types>
  explicit any_pair(pair_batch<Types...>& of)
      : student(of.student), teacher(of.teacher), gradient(of.gradient) {}

 private:
  explicit any_pair(std::unique_ptr<parts> own);
};

}  // namespace distil::testing
