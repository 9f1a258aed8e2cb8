#pragma once

#include <iosfwd>

#include "report.hpp"

namespace quickstart {

/// Prints parameters, accuracy, agreement and seconds of every network, then the conclusions.
void print_table(std::ostream& out, report_data const& data);

}  // namespace quickstart
