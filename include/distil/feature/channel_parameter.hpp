#pragma once

#include <cmath>

#include "distil/core/row_parameter.hpp"

namespace distil::detail {

/// Refuses a parameter that is neither one number nor one per channel, or is NaN or infinite.
inline void require_channel_parameter(char const* where, char const* argument, row_parameter const& values,
                                      index channels) {
  require(
      !values.per_row() || values.size() == channels, where, argument,
      [&] { return "of size " + std::to_string(values.size()); },
      [&] { return "one number or one per channel, " + std::to_string(channels); });
  for (index c = 0; c < (values.per_row() ? channels : 1); ++c) {
    require(
        std::isfinite(values[c]), where, argument,
        [&] { return text_of(values[c]) + " at " + std::to_string(c); }, "finite");
  }
}

}  // namespace distil::detail
