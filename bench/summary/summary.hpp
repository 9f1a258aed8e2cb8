#pragma once

#include <string>

#include "summary/machine.hpp"
#include "summary/results.hpp"

namespace bench {

/// The figures of a run and the targets beside them, as Markdown.
std::string markdown_summary(machine const& where, results const& measured);

/// The same as JSON: `machine`, `nanoseconds_per_element` by name of the bench, `targets`.
std::string json_summary(machine const& where, results const& measured);

}  // namespace bench
