#pragma once

#include "support/pair_loss.hpp"

namespace bench {

/// Attention of a layer: sequences, heads, queries and keys.
inline constexpr map_size attention_sizes[] = {{32, 12, 128, 128}, {8, 12, 512, 512}};

/// Hidden states of a layer: sequences, features and tokens.
inline constexpr map_size state_sizes[] = {{32, 384, 1, 128}, {8, 768, 1, 512}};

/// Maps of a bench as hidden states.
template <class T>
distil::feature_map<T> states_of(distil::feature_map<T> const& map) {
  return distil::token_map(map.data, map.samples, map.width, map.channels);
}

}  // namespace bench
