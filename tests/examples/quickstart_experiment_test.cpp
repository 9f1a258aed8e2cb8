#include <gtest/gtest.h>

#include <sstream>

#include "quickstart/experiment.hpp"
#include "quickstart/results.hpp"
#include "quickstart/table.hpp"
#include "trainer/digits.hpp"

namespace {

quickstart::report_data quick_run(int threads, std::uint64_t seed) {
  quickstart::options chosen;
  chosen.quick = true;
  chosen.threads = threads;
  chosen.seed = seed;
  return quickstart::run_experiments(chosen, trainer::load_digits());
}

/// Everything that was computed, without the seconds.
std::vector<double> numbers_of(quickstart::report_data const& data) {
  std::vector<double> numbers;
  auto const add = [&](quickstart::model_result const& model) {
    numbers.insert(numbers.end(), {model.accuracy.mean, model.accuracy.deviation, model.agreement.mean,
                                   model.calibration.expected_error});
    for (auto const& point : model.curve) numbers.push_back(point.mean);
    numbers.insert(numbers.end(), model.class_accuracy.begin(), model.class_accuracy.end());
  };
  add(data.teacher);
  for (auto const& experiment : data.experiments) {
    for (auto const& student : experiment.students) add(student);
  }
  return numbers;
}

TEST(quickstart_experiment, is_the_same_for_every_number_of_threads) {
  auto const one = numbers_of(quick_run(1, 1));
  EXPECT_EQ(one, numbers_of(quick_run(2, 1)));
  EXPECT_EQ(one, numbers_of(quick_run(5, 1)));
  EXPECT_NE(one, numbers_of(quick_run(2, 2)));
}

TEST(quickstart_experiment, fills_the_report) {
  auto const data = quick_run(2, 1);
  EXPECT_EQ(data.teacher.parameters, (64 + 1) * 128 + (128 + 1) * 10);
  EXPECT_EQ(data.teacher.agreement.mean, 1.0);
  ASSERT_EQ(data.experiments.size(), 4U);
  for (auto const& experiment : data.experiments) {
    ASSERT_EQ(experiment.students.size(), 2U);
    for (auto const& student : experiment.students) {
      EXPECT_EQ(student.parameters, (64 + 1) * 16 + (16 + 1) * 10);
      EXPECT_GT(student.accuracy.mean, 0.4);
      EXPECT_EQ(student.curve.size(), data.schedule.temperature.size());
      EXPECT_DOUBLE_EQ(student.curve.back().mean, student.accuracy.mean);
      EXPECT_GT(student.seconds.mean, 0.0);
    }
  }
  EXPECT_GT(data.schedule.temperature.front(), data.schedule.temperature.back());
  EXPECT_FALSE(data.samples.empty());
  for (auto const& sample : data.samples) {
    EXPECT_LE(sample.plain[sample.label], 0.9);
    EXPECT_EQ(sample.image.pixels.size(), 64U);
  }
}

TEST(quickstart_experiment, shows_no_student_the_missing_class) {
  auto const data = quick_run(2, 1);
  auto const& experiment = data.experiments[2];
  ASSERT_EQ(experiment.missing_classes, std::vector<std::size_t>{3});
  EXPECT_EQ(experiment.students[0].class_accuracy[3], 0.0);
}

TEST(quickstart_experiment, claims_only_what_exceeds_the_deviations) {
  quickstart::report_data data;
  data.seeds = 3;
  auto const with_accuracy = [](quickstart::model_role role, double mean, double deviation) {
    quickstart::model_result model;
    model.role = role;
    model.accuracy = {mean, deviation};
    return model;
  };
  auto const compare = [&](double alone, double distilled) {
    quickstart::experiment experiment{"title", "", {}, {}};
    experiment.students = {with_accuracy(quickstart::model_role::labels_alone, alone, 0.01),
                           with_accuracy(quickstart::model_role::distilled, distilled, 0.01)};
    return experiment;
  };
  data.experiments = {compare(0.80, 0.85), compare(0.80, 0.815), compare(0.85, 0.80)};
  auto const sentences = quickstart::conclusions(data);
  ASSERT_EQ(sentences.size(), 3U);
  EXPECT_EQ(sentences[0],
            "title: 80.0 ± 1.0 % by labels alone, 85.0 ± 1.0 % distilled: +5.0 points, a gain.");
  EXPECT_NE(sentences[1].find("the difference is within the deviations, no gain."), std::string::npos);
  EXPECT_NE(sentences[2].find("-5.0 points, a loss."), std::string::npos);
  data.seeds = 1;
  EXPECT_NE(quickstart::conclusions(data)[0].find("nothing is claimed"), std::string::npos);
}

TEST(quickstart_experiment, prints_a_table_of_all_networks) {
  std::ostringstream out;
  quickstart::print_table(out, quick_run(2, 1));
  std::string const table = out.str();
  for (char const* const text : {"parameters", "accuracy", "agreement", "seconds", "teacher", "9,610",
                                 "1,210", "student, labels alone", "student, distilled"}) {
    EXPECT_NE(table.find(text), std::string::npos) << text;
  }
}

}  // namespace
