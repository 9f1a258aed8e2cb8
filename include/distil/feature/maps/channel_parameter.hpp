#pragma once

#include <cmath>

#include "distil/core/number_checks.hpp"

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
        std::isfinite(values[c]), where, argument, [&] { return said(values[c], " at ", c); }, "finite");
  }
}

/// Refuses a parameter of which `made_of(channel)`, named `what`, is beyond the type.
template <class Make>
void require_made_of_channels(char const* where, char const* argument, row_parameter const& values,
                              computing_type type, char const* what, Make const& made_of) {
  for (index c = 0; c < (values.per_row() ? values.size() : 1); ++c) {
    double const made = made_of(c);
    require(
        std::isfinite(type.converted(made)), where, argument,
        [&] { return said(values[c], " at ", c, ", and ", what, " is ", type.text(made)); }, must_be_finite);
  }
}

}  // namespace distil::detail
