#pragma once

#include "summary/results.hpp"
#include "summary/table.hpp"

namespace bench {

/// A line for every target, with the worst of its cases.
table target_table(results const& measured);

}  // namespace bench
