#include "../support/exact_replay.hpp"
#include "distil/response/decoupled_kd.hpp"
#include "distil/response/normalized_kd.hpp"

/// Decoupled and normalised distillation against PyTorch and, at the extremes, against exact arithmetic.
namespace distil::testing {
namespace {

template <class T>
loss_value decoupled(vector_batch<T>& b) {
  return decoupled_kd.with_grad(b.z(), b.t(), b.labels, b.g(),
                                {.temperature = b.temperature(),
                                 .scale_by_temperature_squared = b.squared(1.0),
                                 .target_weight = b.number("target_weight"),
                                 .non_target_weight = b.number("non_target_weight"),
                                 .rows = b.row(),
                                 .temperature_gradient = b.slopes()});
}
template <class T>
loss_value normalized(vector_batch<T>& b) {
  return normalized_kd.with_grad(b.z(), b.t(), b.labels, b.g(),
                                 {.temperature = b.temperature(),
                                  .scale_by_temperature_squared = b.squared(1.0),
                                  .non_target_weight = b.number("non_target_weight"),
                                  .rows = b.row(),
                                  .temperature_gradient = b.slopes()});
}

vector_players<double> const players = {{"decoupled_kd", decoupled<double>},
                                        {"normalized_kd", normalized<double>}};

TEST(vectors, of_losses_with_the_label_apart) { expect_vectors("classification.txt", players, 8); }

template <class T>
void expect_exact_labelled() {
  expect_exact<T>("decoupled_kd", decoupled<T>, decoupled_kd_definition::bound, [](auto const& b) {
    double const temperature = b.number("temperature");
    double const weights = b.number("target_weight") + b.number("non_target_weight");
    return exact_scale{weights * temperature * temperature, weights * temperature};
  });
  expect_exact<T>("normalized_kd", normalized<T>, normalized_kd_definition::bound, [](auto const& b) {
    double const temperature = b.number("temperature"), weight = b.number("non_target_weight");
    return exact_scale{1.0 + weight * temperature * temperature, 1.0 + weight * temperature};
  });
}

TEST(exact_vectors, of_decoupled_and_normalized_kd_in_float) { expect_exact_labelled<float>(); }
TEST(exact_vectors, of_decoupled_and_normalized_kd_in_double) { expect_exact_labelled<double>(); }

}  // namespace
}  // namespace distil::testing
