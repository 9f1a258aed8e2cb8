#include <array>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "distil/compression.hpp"
#include "distil/diagnostics.hpp"
#include "distil/response/cross_entropy.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/fuse.hpp"
#include "distil/response/hinton_kd.hpp"
#include "distil/schedule.hpp"
#include "distil/teachers.hpp"
#include "distil/tuning.hpp"

/// What the pages of teachers, schedules and their like show, in functions that nobody calls: see pages.cpp.
namespace {

using matrix = distil::matrix_view<float>;

double of_weighted_teachers(matrix student, matrix first, matrix second, matrix gradient,
                            distil::index rows) {
  std::array const teachers{distil::number_matrix(first), distil::number_matrix(second)};
  std::vector<double> weights(2 * rows);
  distil::entropy_weights(teachers, weights);
  auto const of = [&](distil::index k) {
    return distil::row_options{.weights = distil::weights_of(weights, k, rows), .normalizer = double(rows)};
  };
  double loss = distil::fuse(distil::forward_kl.term(first, {.temperature = 4, .rows = of(0)}),
                             distil::forward_kl.term(second, {.temperature = 4, .rows = of(1)}))
                    .with_grad(student, gradient);
  return loss;
}

double of_mutual_learning(matrix student, matrix first_peer, matrix second_peer,
                          std::vector<int> const& labels, matrix gradient) {
  double mutual = distil::fuse(distil::cross_entropy.term(labels), 0.5 * distil::forward_kl.term(first_peer),
                               0.5 * distil::forward_kl.term(second_peer))
                      .with_grad(student, gradient);
  return mutual;
}

void of_row_temperatures(matrix student, matrix teacher, std::vector<int> const& labels, matrix grad,
                         distil::schedule::any_schedule const& entropy, double step) {
  using namespace distil::schedule;
  std::vector<double> temperatures(teacher.rows);
  entropy_matched_temperatures(teacher, entropy.at(step), temperatures);  // of a schedule, say
  distil::hinton_kd.with_grad(student, teacher, labels, grad, {.temperature = temperatures});
}

void of_temperature_network(matrix student, matrix teacher, std::vector<int> const& labels, matrix grad,
                            matrix features, distil::schedule::temperature_network& network) {
  std::vector<double> temperatures(teacher.rows), by_temperature(teacher.rows);
  network.forward(features, temperatures);
  distil::hinton_kd.with_grad(student, teacher, labels, grad,
                              {.temperature = temperatures, .temperature_gradient = by_temperature});
  for (double& each : by_temperature) each = -each;
  network.step(features, by_temperature);
}

void of_balance(matrix student, matrix teacher, std::vector<int> const& labels, matrix grad) {
  using namespace distil::schedule;
  uncertainty_weighting balance(2);
  auto const objective = distil::fuse(balance.weight(0) * distil::cross_entropy.term(labels),
                                      balance.weight(1) * distil::forward_kl.term(teacher));
  auto const found = objective.with_grad(student, grad);
  balance.step(std::array<double, 2>{found.terms[0], found.terms[1]});  // losses without their weights
}

void of_diagnostics(matrix student, matrix teacher, std::vector<int> const& labels, matrix hard,
                    matrix soft) {
  distil::agreement const seen = distil::agreement_of(student, teacher, labels);
  std::printf("%.1f %% the same choice, %.3f nats apart\n", 100 * seen.same_choice, seen.forward_kl);

  distil::gradient_summary terms(2);
  distil::cross_entropy.with_grad(student, labels, hard);
  distil::forward_kl.with_grad(student, teacher, soft, {.temperature = 4});
  terms.add(std::array{distil::number_matrix(hard), distil::number_matrix(soft)});
  std::printf("cosine of hard and soft: %.2f\n", terms.result().cosine(0, 1));
}

void of_quantization(matrix weights, matrix rounded, matrix gradient) {
  distil::fake_quantization const in_4_bits({.bits = 4, .share = distil::quantized_by::row});
  auto const scales = in_4_bits.scales(weights);
  in_4_bits.round(weights, scales, rounded);  // the forward pass runs on these
  // ... its loss is the teacher's, forward_kl at temperature 1 (LLM-QAT); its backward pass gives the gradient by them
  in_4_bits.pull_back(weights, scales, gradient, gradient);
}

void of_pruning(matrix weights, int step, std::vector<distil::index>& kept) {
  distil::pruning_schedule const sparsity({.final_sparsity = 0.8, .end = 2000, .every = 200});
  if (sparsity.is_due(step)) {
    std::vector<double> scores(weights.rows);
    distil::norm_importance(weights, scores);
    kept = distil::kept_channels(scores, sparsity.at(step), {.multiple_of = 8});
  }
}

void of_search(std::string const& record, double (*train_one_epoch)(double, double, double),
               void (*append)(std::string const&)) {
  using namespace distil;
  tuning::search_space space;
  space.logarithmic("temperature", 1, 20)
      .real("soft_weight", 0, 1)
      .choice("schedule", {"constant:1", "warm_up:5:0:1"});
  tuning::search search(space, {.trials = 30, .seed = 1}, tuning::trials_from_csv(space, record));
  tuning::successive_halving halving({.last_rung = 27});
  while (auto const next = search.next()) {
    double metric = 1;
    for (int epoch = 1; epoch <= 27; ++epoch) {
      metric = train_one_epoch(space.number(next->at, "temperature"), space.number(next->at, "soft_weight"),
                               parse_schedule(space.chosen(next->at, "schedule"), 27).at(epoch));
      if (halving.is_rung(epoch) && halving.stops(next->id, epoch, metric)) break;
    }
    search.report(next->id, metric);
    append(tuning::csv_line(space, search.trials().back()));
  }
}

struct weights_of_layer {
  std::span<float> teacher, student;
};
void of_moving_average(distil::moving_average_teacher& average, std::vector<weights_of_layer>& layers) {
  average.step();
  for (auto& layer : layers) average.update(layer.teacher, layer.student);
}

}  // namespace
