// The sections made of pictures.
#include <algorithm>
#include <cmath>
#include <utility>

#include "charts.hpp"
#include "image.hpp"
#include "report_parts.hpp"
#include "svg.hpp"

namespace quickstart::parts {
namespace {

constexpr char const* teacher_name = "teacher";

std::string figure(std::string const& title, std::string const& note, std::string const& content) {
  std::string text = "<figure class=\"card\">\n<figcaption><h3>" + svg::escape(title) + "</h3>";
  if (!note.empty()) text += "<p>" + svg::escape(note) + "</p>";
  return text + "</figcaption>\n" + content + "</figure>\n";
}

// The figures side by side, or what to say when there are none. Two and four go in pairs, so that none stands
// alone.
std::string grid_or(std::vector<std::string> const& figures, std::string const& otherwise) {
  if (figures.empty()) return "<p class=\"none\">" + otherwise + "</p>\n";
  bool const pairs = figures.size() == 2 || figures.size() == 4;
  std::string grid = pairs ? "<div class=\"grid pairs\">\n" : "<div class=\"grid\">\n";
  for (auto const& one : figures) grid += one;
  return grid + "</div>\n";
}

std::vector<double> in_percent(std::vector<double> fractions) {
  for (double& value : fractions) value *= 100;
  return fractions;
}

bool any_known(std::vector<double> const& values) {
  return std::any_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

svg::series curve_of(model_result const& model, std::size_t colour) {
  svg::series line{model.name, colour, {}, {}};
  for (auto const& [mean, deviation] : model.curve) {
    line.y.push_back(mean * 100);
    line.deviation.push_back(deviation * 100);
  }
  return line;
}

struct range {
  double low = 100, high = 0;
  void include(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

// What the curves reach after the first quarter of the training: the climb before it would flatten all
// differences.
range interesting(std::vector<svg::series> const& lines, double reference) {
  range found;
  found.include(reference);
  for (auto const& line : lines) {
    for (std::size_t i = line.y.size() / 4; i < line.y.size(); ++i) {
      found.include(line.y[i] - line.deviation[i]);
      found.include(line.y[i] + line.deviation[i]);
    }
  }
  double const margin = std::max(1.0, 0.06 * (found.high - found.low));
  return {std::max(0.0, std::floor(found.low - margin)), std::min(100.0, std::ceil(found.high + margin))};
}

std::string curve_figure(std::string const& title, std::vector<svg::series> const& lines, double teacher) {
  std::vector<svg::legend_entry> entries;
  for (auto const& line : lines) entries.push_back({line.name, svg::colour_class(line.colour) + " line"});
  std::vector<svg::reference_line> references;
  if (std::isfinite(teacher)) {
    entries.push_back({"teacher, at the end", "c0 line dashed"});
    references.push_back({teacher_name, 0, teacher});
  }
  range const shown = interesting(lines, teacher);
  return figure(title, {},
                svg::legend(entries) + svg::draw(svg::line_chart{"Test accuracy after each epoch: " + title,
                                                                 "epoch", "accuracy, %", " %", lines,
                                                                 references, shown.low, shown.high}));
}

std::string class_table(report_data const& data, experiment const& of) {
  std::string text =
      "<details><summary>The numbers</summary>\n<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">";
  text += "Class</th><th scope=\"col\">" + std::string(teacher_name) + "</th>";
  for (auto const& student : of.students) text += "<th scope=\"col\">" + svg::escape(student.name) + "</th>";
  text += "</tr></thead>\n<tbody>\n";
  auto const cell = [](std::vector<double> const& values, std::size_t index) {
    return "<td>" + percent(index < values.size() ? values[index] : not_measured) + "</td>";
  };
  for (std::size_t index = 0; index < data.data.classes.size(); ++index) {
    text += "<tr><th scope=\"row\">" + svg::escape(data.data.classes[index]) + "</th>";
    text += cell(data.teacher.class_accuracy, index);
    for (auto const& student : of.students) text += cell(student.class_accuracy, index);
    text += "</tr>\n";
  }
  return text + "</tbody>\n</table></div></details>\n";
}

std::string class_figure(report_data const& data, experiment const& of) {
  auto const colours = student_colours(of);
  svg::bar_chart chart{"Accuracy of each class: " + of.title, data.data.classes, {}, of.missing_classes};
  if (any_known(data.teacher.class_accuracy)) {
    chart.groups.push_back({teacher_name, 0, in_percent(data.teacher.class_accuracy)});
  }
  bool any_student = false;
  for (std::size_t i = 0; i < of.students.size(); ++i) {
    if (!any_known(of.students[i].class_accuracy)) continue;
    any_student = true;
    chart.groups.push_back({of.students[i].name, colours[i], in_percent(of.students[i].class_accuracy)});
  }
  if (!any_student) return {};
  std::vector<svg::legend_entry> entries;
  for (auto const& group : chart.groups)
    entries.push_back({group.name, svg::colour_class(group.colour) + " bar"});
  if (!of.missing_classes.empty()) entries.push_back({"never shown to the student", "band"});
  return figure(of.title, {}, svg::legend(entries) + svg::draw(chart) + class_table(data, of));
}

/// Fewer predictions than these make a point of chance: one image right, and the curve shoots to the top.
constexpr double smallest_share = 0.001;

void add_curve(svg::reliability_diagram& to, std::vector<svg::legend_entry>& entries,
               model_result const& model, std::string const& name, std::size_t colour) {
  svg::reliability_curve curve{name, colour, {}};
  for (auto const& bin : model.calibration.bins) {
    bool const known = std::isfinite(bin.confidence) && std::isfinite(bin.accuracy);
    if (known && bin.share >= smallest_share)
      curve.points.push_back({bin.confidence * 100, bin.accuracy * 100, bin.share * 100});
  }
  if (curve.points.empty()) return;
  to.curves.push_back(curve);
  entries.push_back({name + ": ECE " + percent(model.calibration.expected_error) + " %",
                     svg::colour_class(colour) + " line"});
}

std::string calibration_figure(report_data const& data, experiment const& of) {
  auto const colours = student_colours(of);
  svg::reliability_diagram chart{"Reliability diagram: " + of.title, {}};
  std::vector<svg::legend_entry> entries;
  add_curve(chart, entries, data.teacher, teacher_name, 0);
  std::size_t const without_students = chart.curves.size();
  for (std::size_t i = 0; i < of.students.size(); ++i) {
    add_curve(chart, entries, of.students[i], of.students[i].name, colours[i]);
  }
  if (chart.curves.size() == without_students) return {};
  entries.push_back({"perfectly calibrated", "ideal"});
  return figure(of.title, {}, svg::legend(entries) + svg::draw(chart));
}

std::string sample_card(report_data const& data, dark_knowledge const& sample) {
  auto const& classes = data.data.classes;
  std::string const label =
      sample.label < classes.size() ? classes[sample.label] : std::to_string(sample.label);
  auto const top = std::max_element(sample.plain.begin(), sample.plain.end());
  auto const answer = static_cast<std::size_t>(top - sample.plain.begin());
  std::string text = "<figure class=\"card\">\n<figcaption class=\"sample-image\">";
  if (std::string const address = png_address(sample.image); !address.empty()) {
    text += "<img src=\"" + address + "\" alt=\"" + svg::escape(label) + "\">";
  }
  text += "<p>Labelled <strong>" + svg::escape(label) + "</strong>.";
  if (top != sample.plain.end() && std::isfinite(*top) && answer < classes.size()) {
    text += answer == sample.label
                ? " The teacher agrees."
                : " The teacher says <strong>" + svg::escape(classes[answer]) + "</strong>.";
  }
  text += "</p></figcaption>\n";
  return text +
         svg::draw(svg::distribution_pair{"The teacher's probabilities for an image labelled " + label,
                                          classes,
                                          {"T = 1", "T = " + svg::number(data.softened_temperature)},
                                          {in_percent(sample.plain), in_percent(sample.softened)},
                                          sample.label}) +
         "</figure>\n";
}

std::string trace_figure(std::string const& name, std::vector<double> const& values, std::size_t colour) {
  double high = 0;
  for (double const value : values) high = std::isfinite(value) ? std::max(high, value) : high;
  // From zero, with air above: a constant must look like one.
  double const top = high > 0 ? high * 1.15 : 1.0;
  return figure(
      name, {},
      svg::draw(svg::line_chart{
          name + " in each epoch", "epoch", {}, {}, {{name, colour, values, {}}}, {}, 0, top, true}));
}

}  // namespace

std::string learning_curves(report_data const& data) {
  std::vector<std::string> figures;
  for (auto const& one : data.experiments) {
    auto const colours = student_colours(one);
    std::vector<svg::series> lines;
    for (std::size_t i = 0; i < one.students.size(); ++i) {
      if (svg::series line = curve_of(one.students[i], colours[i]); any_known(line.y))
        lines.push_back(std::move(line));
    }
    if (!lines.empty()) figures.push_back(curve_figure(one.title, lines, data.teacher.accuracy.mean * 100));
  }
  if (svg::series const line = curve_of(data.teacher, 0); any_known(line.y)) {
    figures.push_back(curve_figure("The teacher itself", {line}, not_measured));
  }
  std::string explanation =
      "Accuracy on the test images after each epoch, that is each pass over the training images. ";
  if (data.seeds > 1) explanation += "The band is one standard deviation over the seeds. ";
  explanation +=
      "The axis begins where the curves are after their first quarter, so that differences at the end can be "
      "seen.";
  return section("learning-curves", "Learning curves", explanation,
                 grid_or(figures, "No learning curve was recorded."));
}

std::string classes(report_data const& data) {
  std::vector<std::string> figures;
  for (auto const& one : data.experiments) {
    if (std::string picture = class_figure(data, one); !picture.empty())
      figures.push_back(std::move(picture));
  }
  return section("classes", "Which classes gain, which lose",
                 "Share of right answers among the test images of each class. A mean over all classes hides "
                 "that one may "
                 "gain what another loses.",
                 grid_or(figures, "No accuracy by class was recorded."));
}

std::string teacher_answers(report_data const& data) {
  std::vector<std::string> figures;
  for (auto const& sample : data.samples) figures.push_back(sample_card(data, sample));
  return section(
      "dark-knowledge", "What the teacher knows beyond the label",
      "The teacher's probabilities in percent, for images of which it is not quite sure. At temperature 1 "
      "most "
      "falls on one class. With the logits divided by a higher temperature T before the softmax, the same "
      "answer shows which other classes the image resembles: this &ldquo;dark knowledge&rdquo; is what the "
      "distilled student learns from.",
      grid_or(figures, "No image was kept."));
}

std::string calibration(report_data const& data) {
  std::vector<std::string> figures;
  for (auto const& one : data.experiments) {
    if (std::string picture = calibration_figure(data, one); !picture.empty())
      figures.push_back(std::move(picture));
  }
  return section(
      "calibration", "Can the probabilities be trusted",
      "Images are grouped by how sure the model is. On the dotted line it is as often right as it claims; "
      "below "
      "it, it is over-confident. The area of a dot is the share of images in its group. ECE, the expected "
      "calibration error, is the mean distance to the dotted line over all images: lower is better. Groups "
      "of "
      "less than one image in a thousand are not drawn.",
      grid_or(figures, "No calibration was measured."));
}

std::string schedule(report_data const& data) {
  auto const& [name, temperature, soft_weight] = data.schedule;
  std::vector<std::string> figures;
  if (any_known(temperature)) figures.push_back(trace_figure("Temperature", temperature, 2));
  if (any_known(soft_weight)) figures.push_back(trace_figure("Soft weight", soft_weight, 3));
  std::string const named =
      name.empty() ? std::string() : "The schedule was <strong>" + svg::escape(name) + "</strong>. ";
  return section(
      "schedule", "The schedule that ran",
      named +
          "The temperature softens both distributions that are compared. The soft weight is the share of the "
          "teacher in the loss; the rest is the label's.",
      grid_or(figures, "No schedule was recorded."));
}

}  // namespace quickstart::parts
