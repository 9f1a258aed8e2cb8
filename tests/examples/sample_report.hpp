#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "quickstart/report.hpp"

/// A report with everything in it, shaped like a run on Fashion-MNIST; the numbers are made up, but alike.
namespace sample {

inline constexpr std::size_t classes = 10;

inline std::vector<quickstart::measured> curve(double start, double end, std::size_t epochs,
                                               double deviation) {
  std::vector<quickstart::measured> points;
  for (std::size_t i = 0; i < epochs; ++i) {
    double const at = static_cast<double>(i + 1) / static_cast<double>(epochs);
    double const wobble = 0.003 * std::sin(static_cast<double>(7 * i));
    points.push_back({end - (end - start) * std::exp(-5 * at) + wobble * (1.2 - at), deviation * (1.6 - at)});
  }
  return points;
}

inline quickstart::calibration_curve calibration(double overconfidence) {
  quickstart::calibration_curve curve;
  curve.expected_error = 0;
  for (int i = 1; i < 10; ++i) {
    double const confidence = (i + 0.52) / 10;
    double const accuracy = std::clamp(confidence - overconfidence * std::sin(3 * confidence), 0.0, 1.0);
    double const share = std::pow(confidence, 4) / 2.6;
    curve.bins.push_back({confidence, accuracy, share});
    curve.expected_error += share * std::abs(accuracy - confidence);
  }
  curve.bins.insert(curve.bins.begin(), quickstart::calibration_bin{});  // nothing falls below 10 %
  return curve;
}

inline std::vector<double> by_class(double mean, std::size_t without = classes) {
  std::vector<double> const harder = {0.02, -0.1, 0.07, 0, 0.08, -0.06, 0.22, -0.04, -0.08, -0.06};
  std::vector<double> accuracy;
  for (std::size_t i = 0; i < classes; ++i)
    accuracy.push_back(std::min(0.99, mean - harder[i] * (1.6 - mean)));
  if (without < classes) accuracy[without] = 0;
  return accuracy;
}

inline quickstart::gray_image picture(std::size_t kind) {
  quickstart::gray_image image{28, 28, {}};
  for (std::size_t row = 0; row < 28; ++row) {
    for (std::size_t column = 0; column < 28; ++column) {
      double const x = std::abs(static_cast<double>(column) - 13.5);
      double const y = static_cast<double>(row) - 13.5;
      bool const body = x < 6 + (kind == 3 ? y * 0.3 : 0) && std::abs(y) < 12;
      bool const arms = kind != 3 && x < 12 && y < (kind == 0 ? -4 : 10) && y > -11 && x > 7;
      bool const neck = y < -9 && x < 3;
      double const shade = 170 + 50 * std::sin(0.9 * static_cast<double>(row + kind * column));
      image.pixels.push_back((body || arms) && !neck ? static_cast<std::uint8_t>(shade) : std::uint8_t{0});
    }
  }
  return image;
}

inline quickstart::dark_knowledge knowledge(std::size_t label, std::vector<double> const& logits,
                                            double temperature) {
  auto const softened = [&](double by) {
    std::vector<double> probabilities;
    double sum = 0;
    for (double const logit : logits) sum += std::exp(logit / by);
    for (double const logit : logits) probabilities.push_back(std::exp(logit / by) / sum);
    return probabilities;
  };
  return {picture(label), label, softened(1), softened(temperature)};
}

inline quickstart::report_data report() {
  using quickstart::model_role;
  quickstart::report_data data;
  data.data = {"Fashion-MNIST",
               "From the Debian package dataset-fashion-mnist.",
               60000,
               10000,
               {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
                "Ankle boot"}};
  data.settings = {{"seed", "1, 2, 3"},    {"epochs", "8 teacher, 12 student"}, {"temperature", "4"},
                   {"soft weight", "0.9"}, {"schedule", "three-stage"},         {"threads", "2"}};
  data.seeds = 3;
  data.softened_temperature = 4;
  data.teacher = {"teacher, 784-512-256-10",
                  model_role::teacher,
                  535818,
                  {0.8997, 0.0012},
                  {1, 0},
                  {16.4, 0.4},
                  curve(0.8, 0.8997, 8, 0.002),
                  by_class(0.8997),
                  calibration(0.05)};
  auto const labels = [](double accuracy, double deviation, std::size_t without) {
    return quickstart::model_result{"labels alone",
                                    model_role::labels_alone,
                                    50890,
                                    {accuracy, deviation},
                                    {accuracy - 0.01, deviation},
                                    {0.41, 0.02},
                                    curve(0.62, accuracy, 12, deviation),
                                    by_class(accuracy, without),
                                    calibration(0.17)};
  };
  auto const distilled = [](char const* name, double accuracy, double deviation,
                            std::vector<double> per_class) {
    return quickstart::model_result{name,
                                    model_role::distilled,
                                    50890,
                                    {accuracy, deviation},
                                    {accuracy + 0.03, deviation},
                                    {1.72, 0.05},
                                    curve(0.7, accuracy, 12, deviation),
                                    std::move(per_class),
                                    calibration(0.07)};
  };
  auto with_dress = by_class(0.86);
  with_dress[3] = 0.593;
  data.experiments = {
      {"1,000 labelled images",
       "Both students see the same 1,000 images; the distilled one also the teacher's answers to them.",
       {labels(0.7993, 0.0061, classes), distilled("distilled", 0.8219, 0.0034, by_class(0.8219))},
       {}},
      {"60,000 images without labels",
       "The distilled student learns from the teacher's answers to all images and from no label at all.",
       {labels(0.7993, 0.0061, classes),
        distilled("distilled, soft weight 1", 0.8782, 0.0018, by_class(0.8782))},
       {}},
      {"Class 3 (Dress) missing",
       "No image of a dress is shown to either student; the teacher knows the class.",
       {labels(0.796, 0.001, 3), distilled("distilled", 0.848, 0.0031, with_dress),
        distilled("distilled, temperature 8", 0.846, 0.0028, with_dress)},
       {3}},
      {"All labels",
       "The full labelled training set for both: here the teacher has little to add.",
       {labels(0.8728, 0.0021, classes), distilled("distilled", 0.8749, 0.0025, by_class(0.8749))},
       {}}};
  data.schedule = {"three-stage",
                   {1, 1, 3, 3, 3, 3, 3, 3, 3, 1.5, 1.5, 1.5},
                   {0.9, 0.87, 0.84, 0.81, 0.78, 0.75, 0.72, 0.69, 0.66, 0.63, 0.6, 0.57}};
  data.samples = {knowledge(0, {9.2, -2, 2.4, 3.1, 0.2, -6, 6.9, -5, -1, -6}, 4),
                  knowledge(6, {4.1, -3, 5.2, 0.4, 4.6, -7, 4.9, -6, 0.5, -7}, 4),
                  knowledge(3, {1.2, 2.2, -1, 10.4, 3.2, -6, 2.9, -5, -1.5, -6}, 4),
                  knowledge(2, {0.8, -3, 8.2, -0.4, 6.1, -7, 4.4, -6, 0.5, -7}, 4)};
  data.conclusions = {
      "With few labels the teacher's answers are worth 2.3 points: more than the spread between seeds.",
      "Unlabelled images help most: the student comes within 2.2 points of the teacher with a tenth of its "
      "parameters.",
      "The distilled student recognises 59 % of the dresses although it never saw one.",
      "With all labels there is no clear gain: distillation is not free accuracy."};
  return data;
}

}  // namespace sample
