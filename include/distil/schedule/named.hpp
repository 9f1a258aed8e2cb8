#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "distil/schedule/any_schedule.hpp"
#include "distil/schedule/shapes.hpp"
#include "distil/schedule/steps.hpp"
#include "distil/schedule/three_stage.hpp"
#include "distil/schedule/timing.hpp"

/// The schedules that text can name, and how each is made from the numbers behind its name.
namespace distil::schedule::detail {

using numbers = std::vector<double>;

struct named_schedule {
  std::string_view name;
  std::string_view usage;
  bool (*takes)(std::size_t count);
  any_schedule (*make)(numbers const& given, over length);
};

inline piecewise piecewise_of(numbers const& given) {
  std::vector<knot> knots;
  for (std::size_t i = 0; i + 1 < given.size(); i += 2) knots.push_back({given[i], given[i + 1]});
  return piecewise(std::move(knots));
}

inline three_stage three_stage_of(numbers const& given) {
  three_stage_options options;
  if (given.size() >= 3) {
    options.warm_up_value = given[0];
    options.hold_value = given[1];
    options.final_value = given[2];
  }
  if (given.size() == 5) {
    options.warm_up_end = given[3];
    options.hold_end = given[4];
  }
  return three_stage(options);
}

template <std::size_t Count>
constexpr bool exactly(std::size_t count) {
  return count == Count;
}

/// The schedule that takes its `sizeof...(Index)` numbers in the order of its constructor.
template <class S, std::size_t... Index>
any_schedule make_from(numbers const& given, over length) {
  return S(given[Index]...) | length;
}

inline constexpr std::array<named_schedule, 10> named_schedules{{
    {"constant", "constant:VALUE", exactly<1>, make_from<constant, 0>},
    {"linear", "linear:START:END", exactly<2>, make_from<linear, 0, 1>},
    {"cosine", "cosine:START:END", exactly<2>, make_from<cosine, 0, 1>},
    {"exponential", "exponential:START:RATE", exactly<2>, make_from<exponential, 0, 1>},
    {"piecewise", "piecewise:PROGRESS:VALUE:PROGRESS:VALUE...",
     [](std::size_t count) { return count >= 2 && count % 2 == 0; },
     [](numbers const& given, over length) -> any_schedule { return piecewise_of(given) | length; }},
    {"three_stage", "three_stage[:WARM_UP:HOLD:FINAL[:WARM_UP_END:HOLD_END]]",
     [](std::size_t count) { return count == 0 || count == 3 || count == 5; },
     [](numbers const& given, over length) -> any_schedule { return three_stage_of(given) | length; }},
    {"step_decay", "step_decay:START:FACTOR:EVERY", exactly<3>, make_from<step_decay, 0, 1, 2>},
    {"multi_step", "multi_step:START:FACTOR:MILESTONE...", [](std::size_t count) { return count >= 3; },
     [](numbers const& given, over length) -> any_schedule {
       return multi_step(given[0], given[1], numbers(given.begin() + 2, given.end())) | length;
     }},
    {"logarithmic", "logarithmic:START:DIVISOR:EVERY:FLOOR", exactly<4>, make_from<logarithmic, 0, 1, 2, 3>},
    {"warm_up", "warm_up:STEPS:START:END", exactly<3>, make_from<warm_up, 0, 1, 2>},
}};

}  // namespace distil::schedule::detail
