#pragma once

/// Looks at a run: entropies, agreement, calibration, gradients, rows that count, dark knowledge. See diagnostics/README.md.

#include "distil/diagnostics/agreement.hpp"
#include "distil/diagnostics/calibration.hpp"
#include "distil/diagnostics/counted_rows.hpp"
#include "distil/diagnostics/dark_knowledge.hpp"
#include "distil/diagnostics/entropy_report.hpp"
#include "distil/diagnostics/gradient_report.hpp"
