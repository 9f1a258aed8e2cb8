// The sections made of text and tables.
#include <array>
#include <cmath>

#include "charts.hpp"
#include "report_parts.hpp"
#include "svg.hpp"

namespace quickstart::parts {
namespace {

std::string signed_points(double fraction) {
  std::string const amount = svg::decimal(std::abs(fraction) * 100, 1);
  return (fraction < 0 ? "\u2212" : "+") + amount + " points";
}

std::string headline_card(report_data const& data, experiment const& of) {
  distillation_gain const found = gain(of, data.seeds);
  std::string card = "<div class=\"card\">\n<h3>" + svg::escape(of.title) + "</h3>\n";
  if (found.labels_alone == nullptr || found.distilled == nullptr) {
    return card +
           "<p class=\"none\">Not compared: a run by labels alone or a distilled run is "
           "missing.</p>\n</div>\n";
  }
  if (found.clear) {
    card += std::string("<p class=\"figure ") + (found.difference > 0 ? "gain" : "loss") + "\">" +
            signed_points(found.difference) + "</p>\n";
  } else if (data.seeds > 1) {
    card += "<p class=\"figure unclear\">no clear difference</p>\n";
  } else {
    card += "<p class=\"figure\">" + signed_points(found.difference) + "</p>\n";
  }
  card += "<p>" + percent(found.labels_alone->accuracy) + "&nbsp;% by labels alone, <strong>" +
          percent(found.distilled->accuracy) + "&nbsp;%</strong> distilled.</p>\n";
  return card + "<p class=\"soft\">" + svg::escape(of.description) + "</p>\n</div>\n";
}

std::string seconds(measured const& value) {
  return svg::decimal(value.mean, std::abs(value.mean) < 10 ? 2 : 1);
}

std::string table_row(model_result const& model, std::size_t colour, bool teacher) {
  std::string row = "<tr><th scope=\"row\"><span class=\"key " + svg::colour_class(colour) + "\"></span>" +
                    svg::escape(model.name) + "</th>";
  row += "<td>" + (model.parameters > 0 ? with_commas(model.parameters) : std::string("\u2013")) +
         "</td><td>" + percent(model.accuracy) + "</td><td>";
  row += teacher ? std::string("\u2013") : percent(model.agreement);
  return row + "</td><td>" + seconds(model.seconds) + "</td></tr>\n";
}

std::string group_row(std::string const& title) {
  return "<tr><th colspan=\"5\" scope=\"rowgroup\">" + svg::escape(title) + "</th></tr>\n";
}

}  // namespace

std::string with_commas(std::int64_t value) {
  std::string digits = std::to_string(value);
  std::size_t const first = value < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string section(std::string const& id, std::string const& heading, std::string const& explanation,
                    std::string const& body) {
  return "<section id=\"" + id + "\">\n<h2>" + heading + "</h2>\n<p>" + explanation + "</p>\n" + body +
         "</section>\n";
}

std::string percent(double fraction) { return svg::decimal(fraction * 100, 1); }

std::string percent(measured const& fraction) {
  if (!std::isfinite(fraction.mean) || !(fraction.deviation > 0)) return percent(fraction.mean);
  return percent(fraction.mean) + " \u00B1 " + percent(fraction.deviation);
}

std::vector<std::size_t> student_colours(experiment const& of) {
  constexpr std::array<std::array<std::size_t, 3>, 3> by_role = {{{0, 0, 0}, {1, 4, 4}, {2, 3, 5}}};
  std::array<std::size_t, 3> taken{};
  std::vector<std::size_t> colours;
  for (auto const& student : of.students) {
    auto const role = static_cast<std::size_t>(student.role);
    colours.push_back(by_role[role][std::min(taken[role]++, by_role[role].size() - 1)]);
  }
  return colours;
}

std::string headline(report_data const& data) {
  std::string body;
  for (auto const& one : data.experiments) body += headline_card(data, one);
  body = data.experiments.empty() ? "<p class=\"none\">No experiment ran.</p>\n"
                                  : "<div class=\"grid headline\">\n" + body + "</div>\n";
  std::string explanation =
      "Test accuracy of the same student, distilled against trained by labels alone, in percentage points. ";
  explanation +=
      data.seeds > 1
          ? "A difference is called clear when it exceeds both standard deviations together."
          : "With one seed nobody can tell a gain from chance: run several before believing a small one.";
  return section("headline", "What distillation brought", explanation, body);
}

std::string findings(report_data const& data) {
  if (data.conclusions.empty()) {
    return section("findings", "What this run shows", "No conclusion was drawn from this run.", {});
  }
  std::string body = "<ul class=\"findings\">\n";
  for (auto const& line : data.conclusions) body += "<li>" + svg::escape(line) + "</li>\n";
  return section("findings", "What this run shows", "In words, gains and failures alike:", body + "</ul>\n");
}

std::string results(report_data const& data) {
  std::string body =
      "<div class=\"card wide\" tabindex=\"0\" role=\"region\" aria-label=\"Table of results\">\n<table "
      "class=\"results\">\n";
  body +=
      "<thead><tr><th scope=\"col\">Model</th><th scope=\"col\">Parameters</th><th scope=\"col\">Accuracy, "
      "%</th>";
  body += "<th scope=\"col\">Agreement, %</th><th scope=\"col\">Seconds</th></tr></thead>\n";
  body += "<tbody>\n" + group_row("Teacher") + table_row(data.teacher, 0, true) + "</tbody>\n";
  for (auto const& one : data.experiments) {
    auto const colours = student_colours(one);
    body += "<tbody>\n" + group_row(one.title);
    for (std::size_t i = 0; i < one.students.size(); ++i)
      body += table_row(one.students[i], colours[i], false);
    body += "</tbody>\n";
  }
  return section(
      "results", "Results",
      "Accuracy and agreement are taken on the test images, which no training has seen. Agreement is the "
      "share "
      "of them where student and teacher give the same answer, right or wrong. Seconds are for training.",
      body + "</table>\n</div>\n");
}

std::string settings(report_data const& data) {
  if (data.settings.empty()) return section("settings", "Settings", "Nothing was recorded.", {});
  std::string body = "<div class=\"card\">\n<dl>\n";
  for (auto const& [name, value] : data.settings) {
    body += "<dt>" + svg::escape(name) + "</dt><dd>" + svg::escape(value) + "</dd>\n";
  }
  return section("settings", "Settings", "With these the run can be repeated.", body + "</dl>\n</div>\n");
}

}  // namespace quickstart::parts
