#pragma once

#include <string>
#include <vector>

#include "plan.hpp"
#include "report.hpp"

/// From what the trainings left behind to the numbers and pictures of the report.
namespace quickstart {

/// @param outcomes one per seed, at least one.
[[nodiscard]] model_result measure(std::string name, model_role role, recipe const& how,
                                   std::vector<outcome> const& outcomes,
                                   trainer::matrix const& teacher_logits, std::vector<int> const& labels);

/// Temperature and weight at the start of each epoch.
[[nodiscard]] schedule_trace trace(options const& chosen, plan const& chosen_plan);

/// For a few classes the first test image that the teacher gets right without being sure: there it has the
/// most to say.
[[nodiscard]] std::vector<dark_knowledge> teacher_answers(trainer::dataset const& data,
                                                          trainer::matrix const& teacher_logits,
                                                          double temperature);

/// One plain sentence per finding; a difference within the deviations is called that.
[[nodiscard]] std::vector<std::string> conclusions(report_data const& data);

}  // namespace quickstart
