#include "quickstart/report.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "quickstart/image.hpp"
#include "sample_report.hpp"

namespace {

using quickstart::html_report;
using quickstart::report_data;

constexpr std::string_view sections[] = {"headline",        "findings", "results",
                                         "learning-curves", "classes",  "dark-knowledge",
                                         "calibration",     "schedule", "settings"};

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// The part of the page that a section holds.
std::string section(std::string const& page, std::string const& id) {
  auto const from = page.find("<section id=\"" + id + "\">");
  if (from == std::string::npos) return {};
  return page.substr(from, page.find("</section>", from) - from);
}

// Empty when every element is closed in order; otherwise what is wrong.
std::string unbalanced(std::string_view page) {
  std::set<std::string> const without_end = {"meta", "img", "!DOCTYPE"};
  std::vector<std::string> open;
  for (auto at = page.find('<'); at != std::string_view::npos; at = page.find('<', at + 1)) {
    auto const end = page.find('>', at);
    if (end == std::string_view::npos) return "'<' without '>'";
    std::string_view const tag = page.substr(at + 1, end - at - 1);
    if (contains(tag, "<")) return "'<' inside a tag: " + std::string(tag);
    bool const closing = tag.front() == '/';
    std::string const name(tag.substr(closing ? 1 : 0, tag.find_first_of(" /", 1) - (closing ? 1 : 0)));
    if (closing) {
      if (open.empty() || open.back() != name)
        return "</" + name + "> closes " + (open.empty() ? "nothing" : open.back());
      open.pop_back();
    } else if (tag.back() != '/' && without_end.count(name) == 0) {
      open.push_back(name);
    }
  }
  return open.empty() ? "" : "not closed: " + open.back();
}

// What a reader sees or hears as "not a number", looked for as whole words in any case.
bool shows_not_a_number(std::string text) {
  for (char& letter : text) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  for (std::string_view const word : {"nan", "inf", "-nan", "-inf"}) {
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
      auto const letter = [&](std::size_t index) {
        return index < text.size() && std::isalpha(text[index]) != 0;
      };
      if (!letter(at - 1) && !letter(at + word.size())) return true;
    }
  }
  return false;
}

report_data nothing_measured() {
  report_data data = sample::report();
  double const unknown = quickstart::not_measured;
  auto const blank = [&](quickstart::model_result& model) {
    model.accuracy = model.agreement = model.seconds = {unknown, unknown};
    for (auto& point : model.curve) point = {unknown, unknown};
    for (auto& value : model.class_accuracy) value = unknown;
    for (auto& bin : model.calibration.bins) bin = {unknown, unknown, 0.1};
    model.calibration.expected_error = unknown;
  };
  blank(data.teacher);
  for (auto& one : data.experiments) {
    for (auto& student : one.students) blank(student);
  }
  for (auto& image : data.samples) {
    for (auto& value : image.plain) value = unknown;
    for (auto& value : image.softened) value = HUGE_VAL;
  }
  for (auto& value : data.schedule.temperature) value = unknown;
  data.schedule.soft_weight[3] = unknown;
  return data;
}

TEST(report, has_every_section_with_a_picture_or_a_table) {
  std::string const page = html_report(sample::report());
  std::size_t before = 0;
  for (auto const id : sections) {
    auto const at = page.find("<section id=\"" + std::string(id) + "\">");
    ASSERT_NE(at, std::string::npos) << id;
    EXPECT_GT(at, before) << id << " is out of order";
    before = at;
  }
  for (auto const* id : {"learning-curves", "classes", "dark-knowledge", "calibration", "schedule"}) {
    EXPECT_GT(count(section(page, id), "<svg class=\"chart\""), 1U) << id;
  }
  EXPECT_EQ(count(section(page, "dark-knowledge"), "<img src=\"data:image/png;base64,"), 4U);
  EXPECT_EQ(count(section(page, "results"), "scope=\"row\""), 10U);
}

TEST(report, is_one_closed_document_without_script_or_outside_resource) {
  for (auto const& data : {sample::report(), nothing_measured(), report_data{}}) {
    std::string const page = html_report(data);
    EXPECT_EQ(page.rfind("<!DOCTYPE html>", 0), 0U);
    EXPECT_EQ(unbalanced(page), "");
    for (auto const* outside : {"<script", "<link", "http:", "https:", "url(", "@import"}) {
      EXPECT_FALSE(contains(page, outside)) << outside;
    }
  }
}

TEST(report, escapes_every_text_it_is_given) {
  std::string const hostile = "<b>&\"'</b>";
  report_data data = sample::report();
  data.data.name = data.data.source = data.schedule.name = data.teacher.name = hostile;
  for (auto& name : data.data.classes) name = hostile;
  for (auto& one : data.experiments) {
    one.title = one.description = hostile;
    for (auto& student : one.students) student.name = hostile;
  }
  for (auto& line : data.conclusions) line = hostile;
  for (auto& [name, value] : data.settings) name = value = hostile;
  std::string const page = html_report(data);
  EXPECT_FALSE(contains(page, "<b>"));
  EXPECT_FALSE(contains(page, "&\"'"));
  EXPECT_TRUE(contains(page, "&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;"));
  EXPECT_EQ(unbalanced(page), "");
}

TEST(report, shows_what_was_not_measured_as_a_dash_and_drops_its_charts) {
  ASSERT_TRUE(shows_not_a_number("M 1 nan"));
  ASSERT_TRUE(shows_not_a_number("\"-inf\""));
  ASSERT_FALSE(shows_not_a_number("finance, information"));
  std::string const page = html_report(nothing_measured());
  EXPECT_FALSE(shows_not_a_number(page));
  EXPECT_TRUE(contains(section(page, "headline"), "Not compared"));
  EXPECT_TRUE(contains(section(page, "results"), "<td>\u2013</td>"));
  EXPECT_TRUE(contains(section(page, "learning-curves"), "No learning curve was recorded."));
  EXPECT_TRUE(contains(section(page, "classes"), "No accuracy by class was recorded."));
  EXPECT_TRUE(contains(section(page, "calibration"), "No calibration was measured."));
  EXPECT_EQ(count(section(page, "schedule"), "<svg class=\"chart\""), 1U) << "the soft weight alone is known";
}

TEST(report, says_what_is_missing_when_nothing_ran) {
  std::string const page = html_report({});
  EXPECT_FALSE(shows_not_a_number(page));
  for (auto const id : sections) EXPECT_FALSE(section(page, std::string(id)).empty()) << id;
  for (auto const* text :
       {"No experiment ran.", "No conclusion was drawn", "No learning curve", "No image was kept.",
        "No calibration was measured.", "No schedule was recorded."}) {
    EXPECT_TRUE(contains(page, text)) << text;
  }
}

TEST(report, draws_no_calibration_from_empty_bins) {
  report_data data = sample::report();
  for (auto& one : data.experiments) {
    for (auto& student : one.students) student.calibration.bins.assign(10, {0, 0, 0});
  }
  EXPECT_TRUE(contains(section(html_report(data), "calibration"), "No calibration was measured."));
}

TEST(report, draws_no_calibration_from_a_handful_of_images) {
  report_data data = sample::report();
  for (auto& one : data.experiments) {
    for (auto& student : one.students) student.calibration.bins.assign(10, {0.2, 1.0, 0.0005});
  }
  EXPECT_TRUE(contains(section(html_report(data), "calibration"), "No calibration was measured."));
}

TEST(report, survives_lists_of_unequal_length) {
  report_data data = sample::report();
  data.teacher.class_accuracy.resize(3);
  data.experiments[0].students[0].class_accuracy.resize(20, 0.5);
  data.experiments[0].missing_classes = {99};
  data.samples[0].plain.clear();
  data.samples[1].softened.resize(2);
  data.samples[2].label = 99;
  data.samples[3].image.pixels.pop_back();
  data.schedule.temperature = {4};
  std::string const page = html_report(data);
  EXPECT_EQ(unbalanced(page), "");
  EXPECT_FALSE(shows_not_a_number(page));
  EXPECT_EQ(count(section(page, "dark-knowledge"), "<img "), 3U) << "the damaged image is left out";
}

TEST(report, claims_a_gain_only_beyond_both_deviations) {
  quickstart::experiment one = sample::report().experiments.front();
  auto& labels = one.students[0].accuracy;
  auto& distilled = one.students[1].accuracy;
  labels = {0.80, 0.010};
  distilled = {0.815, 0.004};
  EXPECT_TRUE(gain(one, 3).clear);
  EXPECT_NEAR(gain(one, 3).difference, 0.015, 1e-12);
  EXPECT_FALSE(gain(one, 1).clear) << "one seed proves nothing";
  distilled.deviation = 0.006;
  EXPECT_FALSE(gain(one, 3).clear);
  distilled = {0.75, 0.01};
  EXPECT_TRUE(gain(one, 3).clear) << "a loss is told, too";
  EXPECT_LT(gain(one, 3).difference, 0);

  report_data data;
  data.seeds = 3;
  data.experiments = {one};
  EXPECT_TRUE(contains(section(html_report(data), "headline"), "\u22125.0 points"));
  data.experiments[0].students[1].accuracy = {0.805, 0.01};
  EXPECT_TRUE(contains(section(html_report(data), "headline"), "no clear difference"));
}

TEST(report, compares_the_best_student_of_each_kind) {
  quickstart::experiment one = sample::report().experiments[2];
  ASSERT_EQ(one.students.size(), 3U);
  one.students[1].accuracy.mean = quickstart::not_measured;
  EXPECT_EQ(gain(one, 3).distilled, &one.students[2]);
  one.students.pop_back();
  EXPECT_EQ(gain(one, 3).distilled, nullptr);
  EXPECT_TRUE(std::isnan(gain(one, 3).difference));
}

TEST(report, summarizes_seeds_by_mean_and_sample_deviation) {
  auto const [mean, deviation] = quickstart::summarize({2, 4, 6});
  EXPECT_DOUBLE_EQ(mean, 4);
  EXPECT_DOUBLE_EQ(deviation, 2);
  EXPECT_EQ(quickstart::summarize({0.5}).deviation, 0);
  EXPECT_TRUE(std::isnan(quickstart::summarize({}).mean));
}

TEST(report, writes_images_as_png) {
  // Made by another encoder's rules: header, one stored block (filter byte, two pixels), checksums by zlib.
  EXPECT_EQ(quickstart::png_address({2, 1, {0, 255}}),
            "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAAAAADRSSBWAAAADklEQVR4AQEDAPz/AAD/"
            "AQIBALcBLvcAAAAASUVORK5CYII=");
  EXPECT_EQ(quickstart::png_address({2, 2, {1, 2, 3}}), "");
  EXPECT_EQ(quickstart::png_address({}), "");
}

TEST(report, is_written_whole_or_names_the_file) {
  auto const path = std::filesystem::temp_directory_path() / "distil_report_test.html";
  quickstart::write_report(path, sample::report());
  std::ostringstream written;
  written << std::ifstream(path, std::ios::binary).rdbuf();
  EXPECT_EQ(written.str(), html_report(sample::report()));
  std::filesystem::remove(path);

  std::vector<std::string> bad = {"/no/such/folder/report.html"};
  if (std::filesystem::exists("/dev/full")) bad.emplace_back("/dev/full");  // opens, then has no room
  for (auto const& file : bad) {
    try {
      quickstart::write_report(file, sample::report());
      ADD_FAILURE() << file << " was written";
    } catch (std::runtime_error const& error) {
      EXPECT_TRUE(contains(error.what(), "'" + file + "': ")) << error.what();
      EXPECT_FALSE(contains(error.what(), "unknown reason")) << error.what();
    }
  }
}

}  // namespace
