#pragma once

#include <string>

#include "report.hpp"

/// The sections of the page in reading order, each one `<section>` with heading, explanation and pictures.
namespace quickstart::parts {

[[nodiscard]] std::string headline(report_data const& data);
[[nodiscard]] std::string findings(report_data const& data);
[[nodiscard]] std::string results(report_data const& data);
[[nodiscard]] std::string learning_curves(report_data const& data);
[[nodiscard]] std::string classes(report_data const& data);
[[nodiscard]] std::string teacher_answers(report_data const& data);
[[nodiscard]] std::string calibration(report_data const& data);
[[nodiscard]] std::string schedule(report_data const& data);
[[nodiscard]] std::string settings(report_data const& data);

/// 1234567 as "1,234,567".
[[nodiscard]] std::string with_commas(std::int64_t value);
/// `<section id>` with its heading; `explanation` and `body` are HTML.
[[nodiscard]] std::string section(std::string const& id, std::string const& heading,
                                  std::string const& explanation, std::string const& body);
/// A fraction as a percentage without its sign, a dash when not measured: "82.2" or, with a deviation, "82.2
/// ± 0.3".
[[nodiscard]] std::string percent(double fraction);
[[nodiscard]] std::string percent(measured const& fraction);
/// Index of the colour of each student of an experiment; the teacher has 0.
[[nodiscard]] std::vector<std::size_t> student_colours(experiment const& of);

}  // namespace quickstart::parts
