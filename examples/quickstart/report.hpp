#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

/// What the quickstart measured, and the one HTML page that tells it.
///
/// Accuracies, agreements, probabilities and shares are fractions in [0, 1]; the page shows them as
/// percentages. NaN means "not measured" and is shown as a dash. An empty list drops its chart and says why.
namespace quickstart {

inline constexpr double not_measured = std::numeric_limits<double>::quiet_NaN();

/// Mean over the seeds and sample standard deviation (0 for a single seed).
struct measured {
  double mean = not_measured;
  double deviation = 0;
};

/// Mean and sample standard deviation of one value per seed; `not_measured` for none.
[[nodiscard]] measured summarize(std::vector<double> const& values);

/// Decides colour and order, and which two rows the headline compares.
enum class model_role { teacher, labels_alone, distilled };

/// One bin of the reliability diagram: predictions whose confidence falls in the same tenth.
struct calibration_bin {
  double confidence = not_measured;  ///< mean of the highest probability
  double accuracy = not_measured;    ///< share of right answers
  double share = 0;                  ///< share of all predictions that fall in this bin
};

struct calibration_curve {
  std::vector<calibration_bin> bins;
  double expected_error =
      not_measured;  ///< ECE: mean over the predictions of |accuracy - confidence| of their bin
};

/// One row of the table, with the pictures that belong to it.
struct model_result {
  std::string name;  ///< "student, labels alone"
  model_role role = model_role::distilled;
  std::int64_t parameters = 0;
  measured accuracy;                   ///< on the test set
  measured agreement;                  ///< share of test images where it answers as the teacher does
  measured seconds;                    ///< training time
  std::vector<measured> curve;         ///< test accuracy after each epoch
  std::vector<double> class_accuracy;  ///< one per class, mean over the seeds
  calibration_curve calibration;
};

/// One setting: the same student trained in two or more ways.
struct experiment {
  std::string title;        ///< "1,000 labelled images"
  std::string description;  ///< one sentence: what is given to whom
  std::vector<model_result> students;
  std::vector<std::size_t>
      missing_classes;  ///< classes without a sample in the transfer set, marked in the chart
};

/// A grayscale image, row by row, 0 black to 255 white.
struct gray_image {
  std::size_t width = 0;
  std::size_t height = 0;
  std::vector<std::uint8_t> pixels;
};

/// What the teacher thinks of one image.
struct dark_knowledge {
  gray_image image;
  std::size_t label = 0;
  std::vector<double> plain;     ///< probabilities at temperature 1
  std::vector<double> softened;  ///< probabilities at `softened_temperature`
};

/// What ran, epoch by epoch, in the distilled runs.
struct schedule_trace {
  std::string name;                 ///< "three-stage", as given to --schedule
  std::vector<double> temperature;  ///< one per epoch
  std::vector<double> soft_weight;  ///< one per epoch
};

struct data_summary {
  std::string name;    ///< "Fashion-MNIST"
  std::string source;  ///< where it came from, or why the fallback was taken
  std::size_t train_images = 0;
  std::size_t test_images = 0;
  std::vector<std::string> classes;
};

struct setting {
  std::string name;   ///< "--temperature"
  std::string value;  ///< "4"
};

struct report_data {
  data_summary data;
  std::vector<setting> settings;
  std::size_t seeds = 1;
  model_result teacher;
  std::vector<experiment> experiments;
  schedule_trace schedule;
  double softened_temperature = 4;
  std::vector<dark_knowledge> samples;
  std::vector<std::string> conclusions;  ///< plain sentences, shown as they are
};

/// Difference of mean accuracy (fraction) between the best distilled student and the best trained by labels
/// alone.
struct distillation_gain {
  double difference = not_measured;
  /// True when the difference, up or down, exceeds both standard deviations together: the only case where the
  /// page speaks of a gain or a loss.
  bool clear = false;
  model_result const* labels_alone = nullptr;
  model_result const* distilled = nullptr;
};

/// The two rows the headline compares; null where the experiment has no such row. Points into `of`.
[[nodiscard]] distillation_gain gain(experiment const& of, std::size_t seeds);

/// The whole page as one HTML5 document: no script, no external resource, every text escaped.
[[nodiscard]] std::string html_report(report_data const& data);

/// Writes `html_report(data)` to `path`.
/// @throws std::runtime_error that names the file and the reason when it cannot be written whole.
void write_report(std::filesystem::path const& path, report_data const& data);

}  // namespace quickstart
