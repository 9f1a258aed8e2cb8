#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "distil/core/text.hpp"

namespace distil::schedule {

/// All that an `on_plateau` has learned. A run that restores it continues exactly as if it had not stopped.
struct plateau_state {
  double value = 0;                           ///< the schedule's current value
  std::optional<double> best = std::nullopt;  ///< the best metric so far; none before the first finite one
  std::int64_t stalled = 0;                   ///< checks in a row without an improvement
  std::int64_t cooldown_left = 0;             ///< checks that will still be ignored

  friend bool operator==(plateau_state const&, plateau_state const&) = default;
};

/// One line for a checkpoint: "value=2 best=0.31 stalled=1 cooldown_left=0", `best=none` before there is one.
/// `plateau_state_from` reads back exactly the same state.
inline std::string to_text(plateau_state const& state) {
  using distil::detail::said;
  return said("value=", state.value, " best=", state.best ? said(*state.best) : "none",
              " stalled=", state.stalled, " cooldown_left=", state.cooldown_left);
}

/// The state that `to_text` wrote. Throws std::invalid_argument on any other text.
inline plateau_state plateau_state_from(std::string_view text) {
  distil::detail::field_reader fields("schedule::plateau_state_from", text,
                                      "value=... best=... stalled=... cooldown_left=...");
  plateau_state state;
  state.value = fields.number("value");
  state.best = fields.number_or_none("best");
  state.stalled = fields.integer("stalled");
  state.cooldown_left = fields.integer("cooldown_left");
  fields.end();
  return state;
}

}  // namespace distil::schedule
