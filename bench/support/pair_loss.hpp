#pragma once

#include <distil/core/feature_map.hpp>
#include <distil/matrix/layer_pair.hpp>

#include "support/loss.hpp"

namespace bench {

/// Student and teacher maps of one shape, and the student's gradient.
struct map_operands {
  distil::feature_map<float const> student, teacher;
  distil::feature_map<float> gradient;

  map_operands(batch<float> const& from, map_size size)
      : student(from.student.data(), size.samples, size.channels, size.height, size.width),
        teacher(from.teacher.data(), size.samples, size.channels, size.height, size.width),
        gradient(from.gradient.data(), size.samples, size.channels, size.height, size.width) {}
};

/// Value, and value with gradient, of a loss of feature maps. `evaluate(policy, operands, wants_gradient)` makes the call.
template <class Evaluate>
bool add_map_form(char const* operation, Evaluate evaluate, std::span<map_size const> on = map_sizes) {
  for (map_size const size : on) {
    for (bool const wants_gradient : {false, true}) {
      std::size_t const matrices = wants_gradient ? 3 : 2;
      add({"distil", operation, "float", size.name(), wants_gradient ? "gradient" : "value", 1},
          {size.flat().elements(), matrices * sizeof(float), 0}, [=]() -> call {
            return [=, arguments = map_operands(batch_of<float>(size.flat()), size)]() -> double {
              return evaluate(distil::serial, arguments, wants_gradient);
            };
          });
    }
  }
  return true;
}

/// The same for a loss of student and teacher with default options.
template <class Loss>
bool add_map_loss(char const* operation, Loss const& loss, std::span<map_size const> on = map_sizes) {
  return add_map_form(
      operation,
      [loss](auto policy, map_operands const& maps, bool wants_gradient) -> double {
        return wants_gradient ? loss.with_grad(policy, maps.student, maps.teacher, maps.gradient)
                              : loss(policy, maps.student, maps.teacher);
      },
      on);
}

/// Two layers of one network: the first half of the samples, and the other half.
template <class T>
auto halves(distil::feature_map<T> const& map) {
  auto first = map, second = map;
  first.samples = second.samples = map.samples / 2;
  second.data += first.samples * map.strides.sample;
  return distil::layers(distil::feature_map<T>(first), distil::feature_map<T>(second));
}

/// The same for a loss between two layers.
template <class Loss>
bool add_layer_pair_loss(char const* operation, Loss const& loss) {
  return add_map_form(
      operation, [loss](auto policy, map_operands const& maps, bool wants_gradient) -> double {
        auto const students = halves(maps.student), teachers = halves(maps.teacher);
        return wants_gradient ? loss.with_grad(policy, students, teachers, halves(maps.gradient))
                              : loss(policy, students, teachers);
      });
}

template <class Loss>
bool add_relation_loss(char const* operation, Loss const& loss, std::span<shape const> on = relation_sizes) {
  return add_form<float>(
             operation, {"value", 2, 0},
             [loss](auto policy, auto const& batch) -> double {
               return loss(policy, batch.student, batch.teacher);
             },
             on) &&
         add_form<float>(
             operation, {"gradient", 3, 0},
             [loss](auto policy, auto const& batch) -> double {
               return loss.with_grad(policy, batch.student, batch.teacher, batch.gradient);
             },
             on);
}

}  // namespace bench
