#include "../support/vector_replay.hpp"
#include "distil/response/dynamic_temperature_kd.hpp"
#include "distil/response/flexible_temperature.hpp"
#include "distil/response/logit_standardization.hpp"
#include "distil/response/norm_kd.hpp"

/// Losses with temperatures that follow the rows against PyTorch: the papers' formulas and the public code.
namespace distil::testing {
namespace {

using batch = vector_batch<double>;

loss_value standard(batch& b) {
  if (b.word("soft_weight").empty()) {
    return standardized(forward_kl)
        .with_grad(b.z(), b.t(), b.g(),
                   {.temperature = b.temperature(),
                    .scale_by_temperature_squared = b.squared(),
                    .epsilon = b.number("epsilon"),
                    .rows = b.masked_row(),
                    .temperature_gradient = b.slopes()});
  }
  return standardized(hinton_kd).with_grad(b.z(), b.t(), b.labels, b.g(),
                                           {.temperature = b.temperature(),
                                            .scale_by_temperature_squared = b.squared(),
                                            .epsilon = b.number("epsilon"),
                                            .soft_weight = b.number("soft_weight"),
                                            .hard_weight = b.number("hard_weight"),
                                            .rows = b.row(),
                                            .temperature_gradient = b.slopes()});
}

loss_value normalised(batch& b) {
  return norm_kd.with_grad(b.z(), b.t(), b.labels, b.g(),
                           {.temperature = b.temperature(),
                            .scale_by_temperature_squared = b.squared(),
                            .soft_weight = b.number("soft_weight"),
                            .hard_weight = b.number("hard_weight"),
                            .rows = b.row(),
                            .temperature_gradient = b.slopes()});
}

loss_value dynamic(batch& b) {
  return dynamic_temperature_kd.with_grad(b.z(), b.t(), b.labels, b.g(),
                                          {.temperature = b.temperature(),
                                           .scale_by_temperature_squared = b.squared(),
                                           .dynamic_weight = b.number("dynamic_weight"),
                                           .vanilla_weight = b.number("vanilla_weight"),
                                           .hard_weight = b.number("hard_weight"),
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
                                        {"logit_standardization", standard},
                                        {"norm_kd", normalised}};

TEST(vectors, of_temperatures) { expect_vectors("classification.txt", players, 12); }

}  // namespace
}  // namespace distil::testing
