#include "../support/vector_replay.hpp"
#include "distil/response/dynamic_temperature_kd.hpp"
#include "distil/response/flexible_temperature.hpp"
#include "distil/response/hard_distillation.hpp"
#include "distil/response/logit_standardization.hpp"
#include "distil/response/norm_kd.hpp"
#include "distil/response/swapped_kl.hpp"
#include "distil/response/temperature_matching.hpp"
#include "distil/response/virtual_teacher.hpp"

/// Losses that take labels or temperatures of their own against PyTorch: the papers' formulas and the public code.
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
      {.label_probability = b.number("label_probability"),
       .teacher_temperature = b.number("teacher_temperature"),
       .softening = b.word("softening") == "of_logits" ? virtual_softening::of_logits
                                                       : virtual_softening::of_probabilities,
       .temperature = b.temperature(),
       .scale_by_temperature_squared = b.squared(),
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

loss_value standard(batch& b) {
  if (b.word("soft_weight").empty()) {
    return standardized(forward_kl)
        .with_grad(b.z(), b.t(), b.g(),
                   {.temperature = b.temperature(),
                    .epsilon = b.number("epsilon"),
                    .scale_by_temperature_squared = b.squared(),
                    .rows = b.masked_row(),
                    .temperature_gradient = b.slopes()});
  }
  return standardized(hinton_kd).with_grad(b.z(), b.t(), b.labels, b.g(),
                                           {.temperature = b.temperature(),
                                            .epsilon = b.number("epsilon"),
                                            .soft_weight = b.number("soft_weight"),
                                            .hard_weight = b.number("hard_weight"),
                                            .scale_by_temperature_squared = b.squared(),
                                            .rows = b.row(),
                                            .temperature_gradient = b.slopes()});
}

loss_value normalised(batch& b) {
  return norm_kd.with_grad(b.z(), b.t(), b.labels, b.g(),
                           {.temperature = b.temperature(),
                            .soft_weight = b.number("soft_weight"),
                            .hard_weight = b.number("hard_weight"),
                            .scale_by_temperature_squared = b.squared(),
                            .rows = b.row(),
                            .temperature_gradient = b.slopes()});
}

loss_value dynamic(batch& b) {
  return dynamic_temperature_kd.with_grad(b.z(), b.t(), b.labels, b.g(),
                                          {.temperature = b.temperature(),
                                           .dynamic_weight = b.number("dynamic_weight"),
                                           .vanilla_weight = b.number("vanilla_weight"),
                                           .hard_weight = b.number("hard_weight"),
                                           .scale_by_temperature_squared = b.squared(),
                                           .rows = b.row()});
}

loss_value flexible(batch& b) {
  std::vector<double> temperatures(static_cast<std::size_t>(b.rows));
  flexible_temperatures(b.z(), b.t(), temperatures,
                        {.temperature = b.number("temperature"),
                         .by = b.word("by") == "disagreement" ? sample_difficulty::disagreement
                                                              : sample_difficulty::low_confidence,
                         .strength = b.number("strength"),
                         .power = b.number("power"),
                         .minimum = b.number("minimum")});
  return forward_kl.with_grad(
      b.z(), b.t(), b.g(),
      {.temperature = temperatures, .scale_by_temperature_squared = false, .rows = b.row()});
}

vector_players<double> const players = {{"dynamic_temperature_kd", dynamic},
                                        {"flexible_temperature", flexible},
                                        {"hard_distillation", hard},
                                        {"logit_standardization", standard},
                                        {"norm_kd", normalised},
                                        {"swapped_kl", swapped},
                                        {"temperature_matching", matching},
                                        {"virtual_teacher", virtual_one}};

TEST(vectors, of_classification) { expect_vectors("classification.txt", players, 26); }

}  // namespace
}  // namespace distil::testing
