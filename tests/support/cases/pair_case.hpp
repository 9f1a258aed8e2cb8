#pragma once

#include "../owned_map.hpp"
#include "distil/core/map_shapes.hpp"

/// What the suites need to know of a loss between a student's and a teacher's features.
namespace distil::testing {

struct pair_shape {
  map_shape student, teacher;
};

/// Random features up to `magnitude`.
inline void draw_pair(some_map& student, some_map& teacher, double magnitude, std::uint64_t seed) {
  numbers random(seed);
  auto const draw = [&](index, index, index, index) { return magnitude * random.next(); };
  student.fill(draw);
  teacher.fill(draw);
}

/// Student and teacher, and room for a gradient.
template <class Student, class Teacher = Student, class Gradient = Student>
struct pair_batch {
  owned_map<Student> student;
  owned_map<Teacher> teacher;
  owned_map<Gradient> gradient;

  explicit pair_batch(pair_shape const& shape, double magnitude = 2.0,
                      map_layout of_student = map_layout::channels_first,
                      map_layout of_teacher = map_layout::channels_first,
                      map_layout of_gradient = map_layout::channels_first, std::uint64_t seed = 1)
      : student(shape.student, of_student),
        teacher(shape.teacher, of_teacher),
        gradient(shape.student, of_gradient) {
    draw_pair(student, teacher, magnitude, seed);
  }
};

/// What error bounds are relative to; 0: to the value, and to the largest element of the gradient.
struct pair_scales {
  double value = 0;
  double gradient = 0;
};

template <class Case, class Setting>
pair_scales scales_of(exact_map const& student, exact_map const& teacher, Setting const& s) {
  if constexpr (requires { Case::scales(student, teacher, s); }) return Case::scales(student, teacher, s);
  return {};
}

enum class pair_arguments { maps, matrices };

/// A case derives from this and has, besides,
///
///   name, bound                    as every case; `settings()`, its options with labels
///   of(student, teacher, setting)  the naive loss of two exact_maps, in long double
///   scales(...)                    where the bounds are relative to something else (see pair_scales)
///   shapes(), large_shapes()       where the defaults do not fit
template <auto const& Loss, class Options, pair_arguments Arguments = pair_arguments::maps>
struct pair_case {
  struct setting {
    std::string label = "default";
    Options options = {};
  };

  static constexpr index layers_of_a_map = 1;

  static std::vector<setting> settings() { return {{}}; }

  /// The last one meets whatever the others do not.
  static std::vector<pair_shape> shapes() {
    if constexpr (Arguments == pair_arguments::maps) {
      return same({{1, 1, 1, 1}, {1, 3, 2, 2}, {2, 1, 3, 4}, {3, 17, 1, 1}, {2, 2, 5, 7}, {3, 5, 4, 3}});
    } else {
      return {{{1, 1, 1, 1}, {1, 2, 1, 1}},
              {{2, 3, 1, 1}, {2, 3, 1, 1}},
              {{3, 1, 1, 1}, {3, 5, 1, 1}},
              {{4, 17, 1, 1}, {4, 9, 1, 1}},
              {{9, 5, 1, 1}, {9, 19, 1, 1}}};
    }
  }
  static std::vector<pair_shape> large_shapes() {
    if constexpr (Arguments == pair_arguments::maps) return same({{40, 9, 13, 11}});
    return {{{600, 40, 1, 1}, {600, 24, 1, 1}}};
  }

  template <class Policy, class Batch>
  static auto value(Policy policy, Batch const& b, setting const& s) {
    return Loss(policy, argument(b.student), argument(b.teacher), s.options);
  }
  template <class Policy, class Batch, class Gradient>
  static auto with_grad(Policy policy, Batch const& b, owned_map<Gradient>& gradient, setting const& s,
                        bool accumulate) {
    Options options = s.options;
    options.accumulate = accumulate;
    return Loss.with_grad(policy, argument(b.student), argument(b.teacher), argument(gradient), options);
  }

 protected:
  static std::vector<pair_shape> same(std::vector<map_shape> const& shapes) {
    std::vector<pair_shape> result;
    for (map_shape const& shape : shapes) result.push_back({shape, shape});
    return result;
  }

 private:
  template <class Map>
  static auto argument(Map& map) {
    if constexpr (Arguments == pair_arguments::maps) {
      return map.map();
    } else {
      return map.matrix();
    }
  }
};

}  // namespace distil::testing
