#include <distil/attention/cross_relation.hpp>

#include "support/attention.hpp"

namespace {

/// The second half of the sequences are the keys of the first.
template <class T>
auto halves(distil::feature_map<T> const& map) {
  distil::index const half = map.samples / 2, size = map.channels * map.width;
  return distil::related_states{distil::token_map(map.data, half, map.width, map.channels),
                                distil::token_map(map.data + half * size, half, map.width, map.channels)};
}

bool const registered = bench::add_map_form(
    "cross_relation",
    [](auto policy, bench::map_operands const& maps, bool wants_gradient) -> double {
      auto const student = halves(maps.student), teacher = halves(maps.teacher);
      return wants_gradient
                 ? distil::cross_relation.with_grad(policy, student, teacher, halves(maps.gradient))
                 : distil::cross_relation(policy, student, teacher);
    },
    bench::state_sizes);

}  // namespace
