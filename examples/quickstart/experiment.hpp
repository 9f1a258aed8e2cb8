#pragma once

#include "plan.hpp"
#include "report.hpp"

namespace quickstart {

/// Trains the teacher and, for every seed and setting, the student by the labels alone and distilled.
///
/// Fills everything of the report that comes out of the trainings: teacher, experiments, schedule, samples,
/// conclusions. The result depends on the plan but for its number of threads, and but for the seconds.
[[nodiscard]] report_data run_experiments(options const& chosen, trainer::dataset const& data);

}  // namespace quickstart
