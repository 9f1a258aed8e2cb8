#include "report.hpp"

#include <cerrno>
#include <cmath>
#include <fstream>
#include <numeric>
#include <stdexcept>
#include <system_error>

#include "report_parts.hpp"
#include "report_style.hpp"
#include "svg.hpp"

namespace quickstart {
namespace {

model_result const* best(experiment const& of, model_role role) {
  model_result const* found = nullptr;
  for (auto const& student : of.students) {
    if (student.role != role || !std::isfinite(student.accuracy.mean)) continue;
    if (found == nullptr || student.accuracy.mean > found->accuracy.mean) found = &student;
  }
  return found;
}

std::string introduction(report_data const& data) {
  auto const& [name, source, train_images, test_images, classes] = data.data;
  std::string text =
      "<header>\n<h1>Knowledge distillation on " + svg::escape(name) + "</h1>\n<p class=\"soft\">";
  text += parts::with_commas(static_cast<std::int64_t>(train_images)) + " training images, " +
          parts::with_commas(static_cast<std::int64_t>(test_images)) + " test images, " +
          std::to_string(classes.size()) + " classes. " + svg::escape(source) + "</p>\n";
  text +=
      "<p>A large network, the <em>teacher</em>, is trained first. A small one, the <em>student</em>, is "
      "then trained ";
  text += "by the <em>labels alone</em>, and once more from the same start by the answers of the teacher: ";
  text += "<em>distilled</em>. ";
  text += data.seeds > 1
              ? "The numbers of the students are means of " + std::to_string(data.seeds) +
                    " runs with different random seeds; \u00B1 is their standard deviation."
              : std::string("The numbers of the students come from one run, with one random seed.");
  return text + "</p>\n</header>\n";
}

}  // namespace

measured summarize(std::vector<double> const& values) {
  if (values.empty()) return {};
  auto const count = static_cast<double>(values.size());
  double const mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (double const value : values) squares += (value - mean) * (value - mean);
  return {mean, values.size() > 1 ? std::sqrt(squares / (count - 1)) : 0.0};
}

distillation_gain gain(experiment const& of, std::size_t seeds) {
  distillation_gain result;
  result.labels_alone = best(of, model_role::labels_alone);
  result.distilled = best(of, model_role::distilled);
  if (result.labels_alone == nullptr || result.distilled == nullptr) return result;
  auto const& before = result.labels_alone->accuracy;
  auto const& after = result.distilled->accuracy;
  result.difference = after.mean - before.mean;
  result.clear = seeds > 1 && std::abs(result.difference) > before.deviation + after.deviation;
  return result;
}

std::string html_report(report_data const& data) {
  std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  page += "<title>Knowledge distillation on " + svg::escape(data.data.name) + "</title>\n<style>";
  page += report_style;
  page += "</style>\n</head>\n<body>\n<main>\n" + introduction(data);
  for (auto const part :
       {parts::headline, parts::findings, parts::results, parts::learning_curves, parts::classes,
        parts::teacher_answers, parts::calibration, parts::schedule, parts::settings}) {
    page += part(data);
  }
  return page + "<footer>Written by the quickstart of distil.</footer>\n</main>\n</body>\n</html>\n";
}

void write_report(std::filesystem::path const& path, report_data const& data) {
  std::string const page = html_report(data);
  errno = 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(page.data(), static_cast<std::streamsize>(page.size()));
  file.close();
  if (!file) {
    int const reason = errno;
    throw std::runtime_error(
        "report: cannot write '" + path.string() +
        "': " + (reason != 0 ? std::generic_category().message(reason) : std::string("unknown reason")));
  }
}

}  // namespace quickstart
