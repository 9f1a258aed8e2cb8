#include "../support/vector_replay.hpp"
#include "distil/response/hard_distillation.hpp"
#include "distil/response/margin_corrected_kl.hpp"
#include "distil/response/one_for_all.hpp"
#include "distil/response/swapped_kl.hpp"
#include "distil/response/temperature_matching.hpp"
#include "distil/response/virtual_teacher.hpp"
#include "distil/response/weighted_soft_label.hpp"

/// Losses that take labels, or a teacher changed by them, against PyTorch: the papers' formulas and the public code.
namespace distil::testing {
namespace {

using batch = vector_batch<double>;

loss_value swapped(batch& b) {
  return swapped_kl.with_grad(b.z(), b.t(), b.labels, b.g(),
                              {.temperature = b.temperature(),
                               .scale_by_temperature_squared = b.squared(),
                               .rows = b.row(),
                               .temperature_gradient = b.slopes()});
}

loss_value hard(batch& b) {
  return hard_distillation.with_grad(b.z(), b.t(), b.labels, b.g(),
                                     {.teacher_weight = b.number("teacher_weight"), .rows = b.row()});
}

loss_value virtual_one(batch& b) {
  return virtual_teacher.with_grad(
      b.z(), b.labels, b.g(),
      {.temperature = b.temperature(),
       .teacher_temperature = b.number("teacher_temperature"),
       .scale_by_temperature_squared = b.squared(),
       .label_probability = b.number("label_probability"),
       .softening = b.word("softening") == "of_logits" ? virtual_softening::of_logits
                                                       : virtual_softening::of_probabilities,
       .soft_weight = b.number("soft_weight"),
       .rows = b.row()});
}

loss_value matching(batch& b) {
  return temperature_matching.with_grad(
      b.z(), b.t(), b.g(),
      {.teacher_temperature = b.temperature(),
       .weight = b.word("weight") == "one" ? matching_weight::one : matching_weight::sum_of_powers,
       .rows = b.masked_row()});
}

loss_value corrected(batch& b) {
  return margin_corrected_kl.with_grad(
      b.z(), b.t(), b.labels, b.g(),
      {.temperature = b.temperature(),
       .scale_by_temperature_squared = b.squared(),
       .margin = b.number("margin"),
       .corrects = b.word("corrects") == "all" ? corrected_rows::all : corrected_rows::wrong_only,
       .rows = b.row()});
}

loss_value soft_label(batch& b) {
  return weighted_soft_label.with_grad(
      b.z(), b.t(), b.labels, b.g(),
      {.temperature = b.temperature(), .scale_by_temperature_squared = b.squared(), .rows = b.row()});
}

loss_value all_for_one(batch& b) {
  return one_for_all.with_grad(b.z(), b.t(), b.labels, b.g(),
                               {.temperature = b.temperature(),
                                .scale_by_temperature_squared = b.squared(),
                                .power = b.number("power"),
                                .rows = b.row()});
}

vector_players<double> const players = {
    {"hard_distillation", hard},        {"margin_corrected_kl", corrected},
    {"one_for_all", all_for_one},       {"swapped_kl", swapped},
    {"temperature_matching", matching}, {"virtual_teacher", virtual_one},
    {"weighted_soft_label", soft_label}};

TEST(vectors, of_classification) { expect_vectors("classification.txt", players, 26); }

}  // namespace
}  // namespace distil::testing
