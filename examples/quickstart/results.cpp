#include "results.hpp"

#include <algorithm>
#include <cmath>
#include <distil/distil.hpp>
#include <iomanip>
#include <sstream>
#include <utility>

#include "trainer/metrics.hpp"

namespace quickstart {
namespace {

/// Mean and deviation over the seeds of one number per outcome.
template <class Measure>
measured over_seeds(std::vector<outcome> const& outcomes, Measure const& measure) {
  std::vector<double> values;
  std::transform(outcomes.begin(), outcomes.end(), std::back_inserter(values), measure);
  return summarize(values);
}

std::vector<double> row_of(trainer::matrix const& values, Eigen::Index row) {
  return {values.row(row).begin(), values.row(row).end()};
}

gray_image image_of(trainer::dataset const& data, Eigen::Index row) {
  gray_image image{data.image_width, data.image_height, {}};
  for (float const pixel : data.test.images.row(row)) {
    image.pixels.push_back(static_cast<std::uint8_t>(std::lround(pixel * 255.0F)));
  }
  return image;
}

std::string percentage(measured const& share) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << 100 * share.mean << " ± " << 100 * share.deviation << " %";
  return text.str();
}

std::string finding(experiment const& of, std::size_t seeds) {
  distillation_gain const found = gain(of, seeds);
  std::ostringstream text;
  text << of.title << ": " << percentage(found.labels_alone->accuracy) << " by labels alone, "
       << percentage(found.distilled->accuracy) << " distilled: ";
  if (seeds == 1) {
    text << "one seed has no deviation, so nothing is claimed.";
  } else if (!found.clear) {
    text << "the difference is within the deviations, no gain.";
  } else {
    text << std::fixed << std::setprecision(1) << std::showpos << 100 * found.difference << " points, a "
         << (found.difference > 0 ? "gain." : "loss.");
  }
  return text.str();
}

}  // namespace

model_result measure(std::string name, model_role role, recipe const& how,
                     std::vector<outcome> const& outcomes, trainer::matrix const& teacher_logits,
                     std::vector<int> const& labels) {
  model_result result;
  result.name = std::move(name);
  result.role = role;
  for (std::size_t at = 1; at < how.widths.size(); ++at) {
    result.parameters += (how.widths[at - 1] + 1) * how.widths[at];
  }
  result.accuracy = over_seeds(outcomes, [&](auto const& each) { return each.curve.back(); });
  result.agreement = over_seeds(
      outcomes, [&](auto const& each) { return trainer::agreement(each.test_logits, teacher_logits); });
  result.seconds = over_seeds(outcomes, [](auto const& each) { return each.seconds; });
  for (std::size_t epoch = 0; epoch < outcomes.front().curve.size(); ++epoch) {
    result.curve.push_back(over_seeds(outcomes, [&](auto const& each) { return each.curve[epoch]; }));
  }

  trainer::calibration calibration;
  std::vector<std::vector<double>> class_accuracies;
  for (outcome const& each : outcomes) {
    calibration.add(each.test_logits, labels);
    class_accuracies.push_back(trainer::class_accuracy(each.test_logits, labels));
  }
  for (std::size_t label = 0; label < class_accuracies.front().size(); ++label) {
    double sum = 0;
    for (auto const& of_seed : class_accuracies) sum += of_seed[label];
    result.class_accuracy.push_back(sum / static_cast<double>(outcomes.size()));
  }
  for (auto const& bin : calibration.bins()) {
    result.calibration.bins.push_back({bin.confidence, bin.accuracy, bin.share});
  }
  result.calibration.expected_error = calibration.expected_error();
  return result;
}

schedule_trace trace(options const& chosen, plan const& chosen_plan) {
  schedule_trace result{"temperature " + chosen.temperature + ", soft weight " + chosen.soft_weight, {}, {}};
  for (int epoch = 0; epoch < chosen_plan.epochs; ++epoch) {
    double const progress = static_cast<double>(epoch) / chosen_plan.epochs;
    result.temperature.push_back(chosen_plan.temperature(progress));
    result.soft_weight.push_back(chosen_plan.soft_weight(progress));
  }
  return result;
}

std::vector<dark_knowledge> teacher_answers(trainer::dataset const& data,
                                            trainer::matrix const& teacher_logits, double temperature) {
  constexpr std::size_t wanted = 6;
  constexpr float sure = 0.9F;
  trainer::matrix plain(teacher_logits.rows(), teacher_logits.cols());
  trainer::matrix softened(teacher_logits.rows(), teacher_logits.cols());
  distil::softmax(teacher_logits, plain);
  distil::softmax(teacher_logits, softened, {.temperature = static_cast<float>(temperature)});

  std::vector<int> const predicted = trainer::predicted_classes(teacher_logits);
  std::vector<bool> shown(data.classes.size());
  std::vector<dark_knowledge> answers;
  for (Eigen::Index row = 0; row < plain.rows() && answers.size() < wanted; ++row) {
    auto const at = static_cast<std::size_t>(row);
    auto const label = static_cast<std::size_t>(data.test.labels[at]);
    if (shown[label] || predicted[at] != data.test.labels[at] || plain.row(row).maxCoeff() > sure) continue;
    shown[label] = true;
    answers.push_back({image_of(data, row), label, row_of(plain, row), row_of(softened, row)});
  }
  return answers;
}

std::vector<std::string> conclusions(report_data const& data) {
  std::vector<std::string> sentences;
  for (experiment const& each : data.experiments) {
    sentences.push_back(finding(each, data.seeds));
    for (std::size_t const missing : each.missing_classes) {
      std::ostringstream text;
      text << data.data.classes[missing] << ", of which the students never saw an image:" << std::fixed
           << std::setprecision(1);
      for (model_result const& student : each.students) {
        text << (&student == &each.students.front() ? " " : ", ") << 100 * student.class_accuracy[missing]
             << " % right " << (student.role == model_role::distilled ? "distilled" : "by labels alone");
      }
      sentences.push_back(text.str() + ".");
    }
  }
  return sentences;
}

}  // namespace quickstart
