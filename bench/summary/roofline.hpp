#pragma once

#include <string>

#include "summary/results.hpp"

namespace bench {

/// A picture of what the kernels reach below the two limits, as SVG: exponentials for each byte moved against
/// exponentials for each nanosecond, one thread, for a batch in the caches and one in main memory. Empty where the
/// limits were not measured.
std::string roofline(results const& measured);

}  // namespace bench
