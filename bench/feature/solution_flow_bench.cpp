#include <distil/feature/solution_flow.hpp>

#include "support/pair_loss.hpp"

namespace {

using distil::feature_map;
using distil::layers;

// The first half of the samples is the first layer, the other half the second.
template <class T>
auto halves(feature_map<T> const& map) {
  auto first = map, second = map;
  first.samples = second.samples = map.samples / 2;
  second.data += first.samples * map.strides.sample;
  return layers(feature_map<T>(first), feature_map<T>(second));
}

bool const registered = bench::add_map_form(
    "solution_flow", [](auto policy, bench::map_operands const& maps, bool wants_gradient) -> double {
      auto const students = halves(maps.student), teachers = halves(maps.teacher);
      return wants_gradient
                 ? distil::solution_flow.with_grad(policy, students, teachers, halves(maps.gradient))
                 : distil::solution_flow(policy, students, teachers);
    });

}  // namespace
