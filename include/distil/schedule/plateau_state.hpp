#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "distil/core/contract.hpp"
#include "distil/schedule/text.hpp"

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
  using detail::number_text;
  return detail::joined(
      {"value=", number_text(state.value), " best=", state.best ? number_text(*state.best) : "none",
       " stalled=", number_text(state.stalled), " cooldown_left=", number_text(state.cooldown_left)});
}

namespace detail {

/// Takes "name=value" and the space after it off the front of `text`; refuses another name.
inline std::string_view take_field(std::string_view& text, std::string_view name) {
  std::string_view const field = text.substr(0, text.find(' '));
  std::size_t const equals = field.find('=');
  distil::detail::require(
      equals != field.npos && field.substr(0, equals) == name, "schedule::plateau_state_from", "text",
      [&] {
        return joined({quoted(text), " where ", name, " should stand"});
      },
      "what to_text made: value=... best=... stalled=... cooldown_left=...");
  text.remove_prefix(field.size() < text.size() ? field.size() + 1 : field.size());
  return field.substr(equals + 1);
}

template <class Number>
Number state_number(std::string_view name, std::string_view spelled) {
  std::optional<Number> const value = number_of<Number>(spelled);
  distil::detail::require(
      value.has_value(), "schedule::plateau_state_from", name, [&] { return quoted(spelled); }, "a number");
  return *value;
}

}  // namespace detail

/// The state that `to_text` wrote. Throws std::invalid_argument on any other text.
inline plateau_state plateau_state_from(std::string_view text) {
  auto const field = [&text](std::string_view name) { return detail::take_field(text, name); };
  plateau_state state;
  state.value = detail::state_number<double>("value", field("value"));
  if (std::string_view const best = field("best"); best != "none") {
    state.best = detail::state_number<double>("best", best);
  }
  state.stalled = detail::state_number<std::int64_t>("stalled", field("stalled"));
  state.cooldown_left = detail::state_number<std::int64_t>("cooldown_left", field("cooldown_left"));
  distil::detail::require(
      text.empty(), "schedule::plateau_state_from", "text after the state",
      [&] { return detail::quoted(text); }, "nothing");
  return state;
}

}  // namespace distil::schedule
