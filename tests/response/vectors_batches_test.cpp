#include "../support/vector_replay.hpp"
#include "distil/response/batch_correlation.hpp"
#include "distil/response/class_correlation.hpp"
#include "distil/response/entropic_transport.hpp"
#include "distil/response/multi_level_logits.hpp"
#include "distil/response/prediction_correlation.hpp"
#include "distil/response/projected_kl.hpp"
#include "distil/response/sampled_kl.hpp"
#include "distil/response/sinkhorn.hpp"
#include "distil/response/universal_logits.hpp"
#include "distil/response/wasserstein_logits.hpp"

/// Losses that couple rows or move mass, of several vocabularies, and of single tokens, against PyTorch.
namespace distil::testing {
namespace {

using batch = vector_batch<double>;

coupled_rows coupled(batch& b) {
  coupled_rows result{.labels = b.labels};
  if (!b.row_weights.empty()) result.weights = b.row_weights;
  return result;
}

loss_value correlation_of_predictions(batch& b) {
  return prediction_correlation.with_grad(b.z(), b.t(), b.g(),
                                          {.temperature = b.number("temperature"),
                                           .scale_by_temperature_squared = b.squared(),
                                           .inter_class_weight = b.number("row_weight"),
                                           .intra_class_weight = b.number("column_weight"),
                                           .norm_floor = b.number("norm_floor"),
                                           .rows = coupled(b)});
}

template <auto const& loss>
loss_value gram(batch& b) {
  return loss.with_grad(b.z(), b.t(), b.g(), {.temperature = b.number("temperature"), .rows = coupled(b)});
}

loss_value multi_level(batch& b) {
  return multi_level_logits.with_grad(b.z(), b.t(), b.g(),
                                      {.sample_weight = b.number("sample_weight"),
                                       .class_weight = b.number("class_weight"),
                                       .batch_weight = b.number("batch_weight"),
                                       .rows = coupled(b)});
}

loss_value sinkhorn_distance(batch& b) {
  return sinkhorn.with_grad(b.z(), b.t(), b.g(),
                            {.temperature = b.number("temperature"),
                             .scale_by_temperature_squared = b.squared(),
                             .epsilon = b.number("epsilon"),
                             .iterations = static_cast<int>(b.number("iterations")),
                             .rows = coupled(b)});
}

/// As make_batches.py has it.
std::vector<double> cost_between(index classes) {
  std::vector<double> result;
  for (index i = 0; i < classes; ++i) {
    for (index j = 0; j < classes; ++j) {
      result.push_back(i == j ? 0.0 : 0.25 + 0.125 * static_cast<double>((5 * i + 3 * j) % 11));
    }
  }
  return result;
}

loss_value wasserstein(batch& b) {
  std::vector<double> const cost = cost_between(b.columns);
  return wasserstein_logits.with_grad(b.z(), b.t(),
                                      matrix_view<double const>(cost.data(), b.columns, b.columns), b.g(),
                                      {.temperature = b.temperature(),
                                       .epsilon = b.number("epsilon"),
                                       .iterations = static_cast<int>(b.number("iterations")),
                                       .labels = b.labels,
                                       .transport_weight = b.number("transport_weight"),
                                       .target_weight = b.number("target_weight"),
                                       .rows = b.row()});
}

loss_value transport(batch& b) {
  return entropic_transport.with_grad(
      b.z(), b.g(), {.epsilon = b.number("epsilon"), .iterations = static_cast<int>(b.number("iterations"))});
}

loss_value universal(batch& b) {
  return universal_logits.with_grad(
      b.z(), b.t(), b.g(),
      {.temperature = b.temperature(), .scale_by_temperature_squared = b.squared(), .rows = b.masked_row()});
}

loss_value projected(batch& b) {
  auto const& dense = b.source.table("projection");
  std::vector<int> offsets{0}, columns;
  std::vector<double> weights;
  for (std::size_t i = 0; i < dense.rows; ++i) {
    std::vector<double> const row = dense.row(i);
    for (std::size_t j = 0; j < row.size(); ++j) {
      if (row[j] == 0.0) continue;
      columns.push_back(static_cast<int>(j));
      weights.push_back(row[j]);
    }
    offsets.push_back(static_cast<int>(columns.size()));
  }
  return projected_kl.with_grad(
      b.z(), b.t(), sparse_projection(offsets, columns, weights, static_cast<index>(dense.columns)), b.g(),
      {.temperature = b.temperature(), .scale_by_temperature_squared = b.squared(), .rows = b.masked_row()});
}

loss_value sampled(batch& b) {
  static std::map<std::string, kl_estimator> const estimators = {
      {"k1", kl_estimator::k1},
      {"k2", kl_estimator::k2},
      {"k3", kl_estimator::k3},
      {"clipped_k3", kl_estimator::clipped_k3},
      {"absolute", kl_estimator::absolute},
      {"policy_gradient", kl_estimator::policy_gradient}};
  return sampled_kl.with_grad(b.z(), b.t(), b.labels, b.g(),
                              {.temperature = b.temperature(),
                               .estimator = estimators.at(b.word("estimator")),
                               .limit = b.number("limit"),
                               .advantage_coefficient = b.number("advantage_coefficient"),
                               .rows = b.row()});
}

vector_players<double> const players = {{"batch_correlation", gram<batch_correlation>},
                                        {"class_correlation", gram<class_correlation>},
                                        {"entropic_transport", transport},
                                        {"multi_level_logits", multi_level},
                                        {"prediction_correlation", correlation_of_predictions},
                                        {"projected_kl", projected},
                                        {"sampled_kl", sampled},
                                        {"sinkhorn", sinkhorn_distance},
                                        {"universal_logits", universal},
                                        {"wasserstein_logits", wasserstein}};

TEST(vectors, of_batches) { expect_vectors("batches.txt", players, 36); }

}  // namespace
}  // namespace distil::testing
