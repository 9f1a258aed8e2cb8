#pragma once

#include <functional>

#include "support/registry.hpp"

namespace bench {

/// Hands those benches to Google Benchmark that `takes` accepts. Beside the time, each reports the `value` its calls
/// found and the `allocations` that a call made after the first.
void hand_over(std::function<bool(subject const&)> const& takes);

}  // namespace bench
