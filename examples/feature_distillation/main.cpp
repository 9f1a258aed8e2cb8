// A convolutional student learns from few labelled images and from what a larger network makes of them: its answers, or
// its features in four ways. The table says which of them helped.
#include <cmath>
#include <exception>
#include <filesystem>
#include <functional>
#include <iomanip>
#include <iostream>
#include <numeric>
#include <string_view>
#include <thread>

#include "lessons.hpp"
#include "trainer/batches.hpp"
#include "trainer/digits.hpp"
#include "trainer/fashion_mnist.hpp"
#include "trainer/jobs.hpp"
#include "trainer/metrics.hpp"
#include "trainer/progress.hpp"

namespace {

using namespace feature_distillation;
using trainer::matrix;
using row_list = std::vector<Eigen::Index>;

struct plan {
  int teacher_passes = 3;
  int student_passes = 40;
  std::size_t images = 1000;  ///< the students learn from
  int seeds = 5;
};

plan plan_for(trainer::dataset const& data, bool quick) {
  bool const small = data.train.labels.size() < 10'000;
  plan result = small ? plan{20, 60, 200, 5} : plan{};
  if (quick) result = {small ? 4 : 1, small ? 6 : 4, result.images, 2};
  return result;
}

trainer::dataset load_data(std::filesystem::path const& folder) {
  if (std::filesystem::exists(folder)) return trainer::load_fashion_mnist(folder);
  std::cout << "There is no " << folder.string() << ", so these are the embedded digits.\n";
  return trainer::load_digits();
}

/// Trains with whatever `teach` writes for each batch.
void train(trainer::network& network, trainer::batches& samples, int passes,
           std::function<void(trainer::batch const&, double, student_gradients&)> const& teach,
           trainer::progress_bar& progress) {
  trainer::adam optimizer(network.parameters(), {.learning_rate = 3e-3});
  student_gradients gradients;
  Eigen::Index const steps = passes * samples.per_pass();
  for (Eigen::Index step = 0; step < steps; ++step) {
    trainer::batch const& drawn = samples.next();
    network.forward(drawn.inputs);
    double const done = static_cast<double>(step) / static_cast<double>(steps);
    teach(drawn, done, gradients);
    std::vector<trainer::feature_gradient> of_features;
    if (gradients.of_first) of_features.push_back({first_block, &gradients.first});
    if (gradients.of_second) of_features.push_back({second_block, &gradients.second});
    optimizer.step(network.backward(gradients.logits, of_features), 1.0 - done);
    progress.advance(static_cast<std::int64_t>(drawn.rows.size()));
  }
}

trainer::network train_teacher(design const& how, trainer::dataset const& data, int passes,
                               std::uint64_t seed) {
  trainer::random_numbers random(seed);
  trainer::network teacher = make_network(how, random);
  row_list rows(data.train.labels.size());
  std::iota(rows.begin(), rows.end(), 0);
  trainer::progress_bar progress("Teacher", static_cast<std::int64_t>(rows.size()) * passes);
  trainer::batches samples(data.train, rows, 128, random);
  lesson alone(method::labels_alone, how, how, random);
  train(
      teacher, samples, passes,
      [&](trainer::batch const& drawn, double done, student_gradients& gradients) {
        alone.teach(teacher, drawn.labels, {}, done, gradients);
      },
      progress);
  return teacher;
}

/// The teacher's answers to images, in their order.
answers ask(trainer::network& teacher, matrix const& images) {
  teacher.forward(images);
  return {teacher.output(teacher.layer_count() - 1), teacher.output(first_block),
          teacher.output(second_block)};
}

double train_student(method what, design const& how, design const& teacher_design,
                     trainer::labelled_images const& few, answers const& teacher,
                     trainer::dataset const& data, int passes, std::uint64_t seed,
                     trainer::progress_bar& progress) {
  trainer::random_numbers random(seed);
  trainer::network student = make_network(how, random);
  trainer::random_numbers of_lesson(seed + 1);  // so that all methods see the same batches
  lesson lesson_of_student(what, how, teacher_design, of_lesson);
  row_list rows(few.labels.size());
  std::iota(rows.begin(), rows.end(), 0);
  trainer::batches samples(few, rows, 50, random);
  answers drawn_answers;
  train(
      student, samples, passes,
      [&](trainer::batch const& drawn, double done, student_gradients& gradients) {
        trainer::gather(teacher.logits, drawn.rows, drawn_answers.logits);
        trainer::gather(teacher.first, drawn.rows, drawn_answers.first);
        trainer::gather(teacher.second, drawn.rows, drawn_answers.second);
        lesson_of_student.teach(student, drawn.labels, drawn_answers, done, gradients);
      },
      progress);
  return trainer::accuracy(student.predict(data.test.images), data.test.labels);
}

struct measured {
  double mean = 0, deviation = 0;
};

measured measure(std::vector<double> const& values) {
  double const count = static_cast<double>(values.size());
  double const mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (double const value : values) squares += (value - mean) * (value - mean);
  return {mean, values.size() > 1 ? std::sqrt(squares / (count - 1)) : 0.0};
}

void run(std::filesystem::path const& folder, bool quick) {
  trainer::dataset const data = load_data(folder);
  plan const how = plan_for(data, quick);
  design const teacher_design = design_for(data, 16, 32), student_design = design_for(data, 4, 8);
  std::cout << "Data: " << data.name << ". The teacher learns from " << data.train.labels.size()
            << " labelled images, the students from " << how.images << " of them and from the teacher.\n"
            << std::flush;
  trainer::network teacher = train_teacher(teacher_design, data, how.teacher_passes, 1);
  double const teacher_accuracy = trainer::accuracy(teacher.predict(data.test.images), data.test.labels);

  // Every seed has images of its own, the same for all methods.
  auto const seeds = static_cast<std::size_t>(how.seeds);
  std::vector<trainer::labelled_images> few(seeds);
  std::vector<answers> of_teacher(seeds);
  for (std::size_t seed = 0; seed < seeds; ++seed) {
    row_list rows(data.train.labels.size());
    std::iota(rows.begin(), rows.end(), 0);
    trainer::random_numbers random(100 + seed);
    random.shuffle(std::span(rows));
    rows.resize(how.images);
    trainer::gather(data.train.images, rows, few[seed].images);
    for (Eigen::Index const row : rows)
      few[seed].labels.push_back(data.train.labels[static_cast<std::size_t>(row)]);
    of_teacher[seed] = ask(teacher, few[seed].images);
  }

  constexpr std::size_t methods = std::size(every_method);
  std::vector<std::vector<double>> accuracies(methods, std::vector<double>(seeds));
  trainer::progress_bar progress(
      "Students", static_cast<std::int64_t>(how.images * seeds * methods) * how.student_passes);
  std::vector<std::function<void()>> jobs;
  for (std::size_t which = 0; which < methods; ++which) {
    for (std::size_t seed = 0; seed < seeds; ++seed) {
      jobs.emplace_back([&, which, seed] {
        accuracies[which][seed] =
            train_student(every_method[which], student_design, teacher_design, few[seed], of_teacher[seed],
                          data, how.student_passes, 1000 + seed, progress);
      });
    }
  }
  trainer::run_jobs(jobs, static_cast<int>(std::max(std::thread::hardware_concurrency(), 1U)));
  progress.finish();

  trainer::random_numbers random(0);
  std::cout << "\nteacher, " << make_network(teacher_design, random).parameter_count()
            << " parameters: " << std::fixed << std::setprecision(2) << 100 * teacher_accuracy
            << " % of the test images\nstudent, " << make_network(student_design, random).parameter_count()
            << " parameters, learns from\n";
  for (std::size_t which = 0; which < methods; ++which) {
    measured const all = measure(accuracies[which]);
    std::vector<double> gains;
    for (std::size_t seed = 0; seed < seeds; ++seed)
      gains.push_back(accuracies[which][seed] - accuracies[0][seed]);
    measured const gain = measure(gains);
    std::cout << "  " << std::left << std::setw(24) << name_of(every_method[which]) << std::right
              << std::setw(6) << 100 * all.mean << " ± " << 100 * all.deviation << " %";
    if (which > 0)
      std::cout << "   against labels alone " << std::showpos << 100 * gain.mean << std::noshowpos << " ± "
                << 100 * gain.deviation;
    std::cout << "\n";
  }
  std::cout << "\nMeans over " << seeds
            << " seeds ± standard deviation; differences seed by seed, on the same images from the same "
               "start. Weights of\n"
               "the losses are published or round, and not tuned for this network.\n";
}

constexpr char const* help =
    "feature_distillation [--quick] [--data <folder with Fashion-MNIST>]\n"
    "Trains a convolutional teacher, and small students by labels alone, by its logits and by its "
    "features.\n";

}  // namespace

int main(int argc, char** argv) {
  bool quick = false;
  std::filesystem::path folder = trainer::fashion_mnist_folder;
  for (int at = 1; at < argc; ++at) {
    std::string_view const argument = argv[at];
    if (argument == "--quick") {
      quick = true;
    } else if (argument == "--data" && at + 1 < argc) {
      folder = argv[++at];
    } else if (argument == "--help") {
      std::cout << help;
      return 0;
    } else {
      std::cerr << "feature_distillation: " << argument << " is no option.\n" << help;
      return 2;
    }
  }
  try {
    run(folder, quick);
  } catch (std::exception const& error) {
    std::cerr << "feature_distillation: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
