#include <distil/attention/minilm_v2.hpp>

#include "support/attention.hpp"

namespace {

/// Thirds of the features are queries, keys and values, as a joint projection leaves them.
template <class T>
auto thirds(distil::feature_map<T> const& map) {
  auto const part = [&](distil::index which) {
    auto states = distil::token_map(map.data, map.samples, map.width, map.channels);
    states.channels /= 3;
    states.data += which * states.channels;
    return states;
  };
  return distil::attention_states{part(0), part(1), part(2)};
}

bool const registered = bench::add_map_form(
    "minilm_v2",
    [](auto policy, bench::map_operands const& maps, bool wants_gradient) -> double {
      auto const student = thirds(maps.student), teacher = thirds(maps.teacher);
      distil::minilm_v2_options const options{.relation = {.heads = 8}};
      return wants_gradient
                 ? distil::minilm_v2.with_grad(policy, student, teacher, thirds(maps.gradient), options)
                 : distil::minilm_v2(policy, student, teacher, options);
    },
    bench::state_sizes);

}  // namespace
