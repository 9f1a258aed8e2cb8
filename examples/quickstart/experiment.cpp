#include "experiment.hpp"

#include <algorithm>
#include <distil/distil.hpp>
#include <functional>
#include <iterator>
#include <numeric>

#include "report_parts.hpp"
#include "results.hpp"
#include "trainer/jobs.hpp"

namespace quickstart {
namespace {

using trainer::matrix;
using row_list = std::vector<Eigen::Index>;

trainer::batch_loss by_labels() {
  return [](trainer::batch const& samples, matrix const& logits, double, matrix& gradient) {
    distil::cross_entropy.with_grad(logits, samples.labels, gradient);
  };
}

/// @param teacher_logits of all training images, computed once; the batch picks its rows.
trainer::batch_loss by_labels_and_teacher(matrix const& teacher_logits, plan const& plan) {
  return [&, teacher = matrix()](trainer::batch const& samples, matrix const& logits, double progress,
                                 matrix& gradient) mutable {
    trainer::gather(teacher_logits, samples.rows, teacher);
    distil::hinton_kd.with_grad(logits, teacher, samples.labels, gradient,
                                {.temperature = static_cast<float>(plan.temperature(progress)),
                                 .soft_weight = plan.soft_weight(progress)});
  };
}

trainer::batch_loss by_teacher(matrix const& teacher_logits, plan const& plan) {
  return [&, teacher = matrix()](trainer::batch const& samples, matrix const& logits, double progress,
                                 matrix& gradient) mutable {
    trainer::gather(teacher_logits, samples.rows, teacher);
    distil::forward_kl.with_grad(logits, teacher, gradient,
                                 {.temperature = static_cast<float>(plan.temperature(progress))});
  };
}

/// One network trained several times: a lesson and a seed for each run.
struct series {
  recipe how;
  std::vector<lesson> lessons;
  std::vector<std::uint64_t> seeds;
  std::function<void(trainer::network const&)> afterwards = [](trainer::network const&) {};
  std::vector<outcome> outcomes = {};  // one per run, when it is done
};

/// Runs all trainings of all series behind one progress bar.
void train_all(std::string const& title, std::vector<series*> const& all, trainer::dataset const& data,
               int threads) {
  std::int64_t images = 0;
  for (series const* const each : all) {
    for (lesson const& what : each->lessons) images += what.images();
  }
  trainer::progress_bar progress(title, images);
  std::vector<std::function<void()>> jobs;
  for (series* const each : all) {
    each->outcomes.resize(each->lessons.size());
    for (std::size_t run = 0; run < each->lessons.size(); ++run) {
      jobs.emplace_back([each, run, &data, &progress] {
        trainer::random_numbers random(each->seeds[run]);
        trainer::network network = trainer::multilayer_perceptron(each->how.widths, random);
        each->outcomes[run] = train(network, random, data, each->how, each->lessons[run], progress);
        each->afterwards(network);
      });
    }
  }
  trainer::run_jobs(jobs, threads);
}

/// What the students may learn from.
struct image_choice {
  row_list all;
  row_list without_missing_class;
  std::vector<row_list> few;  // for each run
};

image_choice choose_images(plan const& plan, trainer::dataset const& data, trainer::random_numbers random) {
  image_choice choice;
  choice.all.resize(data.train.labels.size());
  std::iota(choice.all.begin(), choice.all.end(), 0);
  std::copy_if(choice.all.begin(), choice.all.end(), std::back_inserter(choice.without_missing_class),
               [&](Eigen::Index row) {
                 return data.train.labels[static_cast<std::size_t>(row)] != plan.missing_class;
               });
  for (std::size_t run = 0; run < plan.seeds; ++run) {
    row_list& few = choice.few.emplace_back(choice.all);
    random.shuffle(std::span(few));
    few.resize(plan.few_images);
  }
  return choice;
}

}  // namespace

report_data run_experiments(options const& chosen, trainer::dataset const& data) {
  plan const plan = make_plan(chosen, data);
  trainer::random_numbers random(plan.seed);
  std::vector<std::uint64_t> const teacher_seed{random.next()};
  std::vector<std::uint64_t> student_seeds(plan.seeds);
  for (std::uint64_t& seed : student_seeds) seed = random.next();
  image_choice const images = choose_images(plan, data, random);

  auto const on_few = [&](trainer::batch_loss const& loss) {
    series students{plan.student, {}, student_seeds};
    for (row_list const& few : images.few) {
      students.lessons.push_back({few, loss, plan.epochs, plan.few_passes});
    }
    return students;
  };
  auto const on = [&](row_list const& rows, trainer::batch_loss const& loss) {
    return series{plan.student, std::vector<lesson>(plan.seeds, {rows, loss, plan.epochs, 1}), student_seeds};
  };

  matrix teacher_logits;  // of all training images; every distilled student picks its rows
  series teacher{
      plan.teacher,
      {{images.all, by_labels(), plan.epochs, 1}},
      teacher_seed,
      [&](trainer::network const& trained) { teacher_logits = trained.predict(data.train.images); }};
  series few_labels = on_few(by_labels());
  series unseen_labels = on(images.without_missing_class, by_labels());
  series all_labels = on(images.all, by_labels());
  train_all("Teacher, and students by labels alone", {&teacher, &all_labels, &unseen_labels, &few_labels},
            data, plan.threads);

  series few_distilled = on_few(by_labels_and_teacher(teacher_logits, plan));
  series unlabelled_distilled = on(images.all, by_teacher(teacher_logits, plan));
  series unseen_distilled = on(images.without_missing_class, by_labels_and_teacher(teacher_logits, plan));
  series all_distilled = on(images.all, by_labels_and_teacher(teacher_logits, plan));
  train_all("Distilled students", {&all_distilled, &unlabelled_distilled, &unseen_distilled, &few_distilled},
            data, plan.threads);

  matrix const& reference = teacher.outcomes.front().test_logits;
  auto const measured_as = [&](char const* name, model_role role, series const& of) {
    return measure(name, role, of.how, of.outcomes, reference, data.test.labels);
  };
  auto const compared = [&](series const& alone, series const& distilled) {
    return std::vector{measured_as("student, labels alone", model_role::labels_alone, alone),
                       measured_as("student, distilled", model_role::distilled, distilled)};
  };

  report_data result;
  result.data = {data.name, data.source, data.train.labels.size(), data.test.labels.size(), data.classes};
  result.seeds = plan.seeds;
  result.teacher = measured_as("teacher", model_role::teacher, teacher);
  std::string const all_images = parts::with_commas(static_cast<std::int64_t>(images.all.size()));
  std::string const few_images = parts::with_commas(static_cast<std::int64_t>(plan.few_images));
  auto const missing_class = static_cast<std::size_t>(plan.missing_class);
  result.experiments = {
      {few_images + " labelled images",
       "Both students see the same " + few_images +
           " labelled images; the distilled one also sees what the " + "teacher, who learned from all " +
           all_images + ", answers to them.",
       compared(few_labels, few_distilled),
       {}},
      {few_images + " labels, or " + all_images + " images without labels",
       "By labels alone, the student can use " + few_images + " labelled images. Distilled, it learns from " +
           "the teacher's answers to all " + all_images + " images, without a label.",
       compared(few_labels, unlabelled_distilled),
       {}},
      {"No image of the class " + data.classes[missing_class],
       "No student sees an image of the class " + data.classes[missing_class] + "; the teacher has, and " +
           "what it finds alike in other images is all there is to learn it from.",
       compared(unseen_labels, unseen_distilled),
       {missing_class}},
      {"The same " + all_images + " labelled images",
       "Both students see all " + all_images + " images with their labels. The teacher has nothing to add " +
           "that the labels do not say.",
       compared(all_labels, all_distilled),
       {}},
  };
  result.schedule = trace(chosen, plan);
  result.softened_temperature =
      *std::max_element(result.schedule.temperature.begin(), result.schedule.temperature.end());
  result.samples = teacher_answers(data, reference, result.softened_temperature);
  result.conclusions = conclusions(result);
  return result;
}

}  // namespace quickstart
