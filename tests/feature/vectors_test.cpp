#include "../support/tensor_replay.hpp"
#include "distil/feature.hpp"

/// Losses between feature maps against PyTorch.
namespace distil::testing {
namespace {

feature_reduction reduction_of(tensor_case const& b) {
  return b.one_of<feature_reduction>("reduce", {{"element_mean", feature_reduction::element_mean},
                                                {"sample_mean", feature_reduction::sample_mean},
                                                {"sum", feature_reduction::sum}});
}

template <auto const& loss, class Options>
double of_maps(tensor_case& b, Options const& options) {
  return loss.with_grad(b.map("student"), b.map("teacher"), b.gradient_map("student"), options);
}

double attention(tensor_case& b) {
  return of_maps<attention_transfer>(
      b, attention_transfer_options{.power = b.number("power"),
                                    .distance = b.one_of<attention_distance>(
                                        "distance", {{"mean_square", attention_distance::mean_square},
                                                     {"norm", attention_distance::norm}}),
                                    .weights = b.parameter("weights")});
}

double channels(tensor_case& b) {
  return of_maps<channel_wise>(
      b, channel_wise_options{.temperature = b.numbers("temperature")[0],
                              .scale_by_temperature_squared = b.is("temperature_squared"),
                              .weights = b.parameter("weights"),
                              .temperature_gradient = b.gradient("temperature")});
}

double features(tensor_case& b) {
  hint_options options{
      .distance = b.says("distance", "squared") ? hint_distance::squared : hint_distance::smooth_l1,
      .normalize = b.one_of<hint_normalization>("normalize", {{"none", hint_normalization::none},
                                                              {"samples", hint_normalization::samples},
                                                              {"positions", hint_normalization::positions}}),
      .reduce = reduction_of(b),
      .weights = b.parameter("weights")};
  if (b.says("distance", "smooth_l1")) options.beta = b.number("beta");
  return of_maps<hint>(b, options);
}

/// A map of this shape, of zeros.
struct room {
  explicit room(std::array<index, 4> const& sizes)
      : shape(sizes), numbers(static_cast<std::size_t>(sizes[0] * sizes[1] * sizes[2] * sizes[3])) {}
  [[nodiscard]] feature_map<double> map() { return {numbers.data(), shape[0], shape[1], shape[2], shape[3]}; }
  std::array<index, 4> shape;
  std::vector<double> numbers;
};

double through_projector(tensor_case& b) {
  auto const student = b.map("student");
  auto const weight = b.matrix("weight");
  linear_projector_options const options{.bias = b.numbers("bias")};
  room projected(b.map("teacher").shape()), slope(projected.shape);
  linear_projector(student, weight, projected.map(), options);
  double const value = hint.with_grad(projected.map(), b.map("teacher"), slope.map());
  linear_projector.pull_back(slope.map(), weight, b.gradient_map("student"));
  linear_projector.pull_back_weight(student, slope.map(), b.gradient_matrix("weight"));
  linear_projector.pull_back_bias(slope.map(), b.gradient("bias"));
  return value;
}

double through_averages(tensor_case& b) {
  room pooled(b.map("teacher").shape()), slope(pooled.shape);
  adaptive_average_pool(b.map("student"), pooled.map());
  double const value = hint.with_grad(pooled.map(), b.map("teacher"), slope.map());
  adaptive_average_pool.pull_back(slope.map(), b.gradient_map("student"));
  return value;
}

double through_maxima(tensor_case& b) {
  room pooled(b.map("teacher").shape()), slope(pooled.shape);
  adaptive_max_pool(b.map("student"), pooled.map());
  double const value = hint.with_grad(pooled.map(), b.map("teacher"), slope.map());
  adaptive_max_pool.pull_back(b.map("student"), slope.map(), b.gradient_map("student"));
  return value;
}

double selectivity(tensor_case& b) {
  neuron_selectivity_options options{
      .kernel = b.one_of<selectivity_kernel>("kernel", {{"linear", selectivity_kernel::linear},
                                                        {"polynomial", selectivity_kernel::polynomial},
                                                        {"gaussian", selectivity_kernel::gaussian}}),
      .weights = b.parameter("weights")};
  if (b.says("kernel", "gaussian")) options.variance = b.number("variance");
  return of_maps<neuron_selectivity>(b, options);
}

double flow(tensor_case& b) {
  return solution_flow.with_grad(layers(b.map("student"), b.map("second")),
                                 layers(b.map("teacher"), b.map("teacher_second")),
                                 layers(b.gradient_map("student"), b.gradient_map("second")),
                                 {.reduce = reduction_of(b), .weights = b.parameter("weights")});
}

double context(tensor_case& b) { return of_maps<hierarchical_context>(b, hierarchical_context_options{}); }

double boundaries(tensor_case& b) {
  return of_maps<activation_boundaries>(
      b, activation_boundaries_options{.margin = b.number("margin"), .divisor = b.number("divisor")});
}

/// The margins are the library's own, of the batch normalisation in the file.
double overhauled(tensor_case& b) {
  std::vector<double> margins(b.numbers("scales").size());
  overhaul_margins(b.numbers("scales"), b.numbers("biases"), margins);
  for (std::size_t c = 0; c < margins.size(); ++c) {
    EXPECT_NEAR(margins[c], b.numbers("margins")[c], 1e-8) << b.source().name << ", margin " << c;
  }
  return of_maps<overhaul>(b,
                           overhaul_options{.margins = b.numbers("margins"), .divisor = b.number("divisor")});
}

double variational(tensor_case& b) {
  return of_maps<variational_information>(
      b, variational_information_options{
             .variance_parameter = b.numbers("variance_parameter"),
             .form = b.says("form", "softplus") ? variance_form::softplus : variance_form::exponential,
             .epsilon = b.number("epsilon"),
             .variance_gradient = b.gradient("variance_parameter")});
}

double correlation(tensor_case& b) {
  return of_maps<pearson>(b, pearson_options{.epsilon = b.number("epsilon")});
}

double cosine(tensor_case& b) {
  return of_maps<hidden_cosine>(
      b, hidden_cosine_options{.reduce = reduction_of(b), .weights = b.parameter("weights")});
}

double factors(tensor_case& b) {
  factor_transfer_options options{
      .factor = b.says("factor", "elements") ? factor_kind::elements : factor_kind::attention_map,
      .distance = b.says("distance", "absolute") ? factor_distance::absolute : factor_distance::squared};
  if (b.says("factor", "attention_map")) options.power = b.number("power");
  return of_maps<factor_transfer>(b, options);
}

double between_channels(tensor_case& b) {
  return of_maps<inter_channel_correlation>(b, inter_channel_correlation_options{});
}

double generated(tensor_case& b) { return of_maps<masked_generative>(b, masked_generative_options{}); }

double regression(tensor_case& b) {
  return softmax_regression.with_grad(
      b.map("student"), b.map("teacher"), b.matrix("classifier"), b.gradient_map("student"),
      {.feature_weight = b.number("feature_weight"), .score_weight = b.number("score_weight")});
}

double edges(tensor_case& b) {
  return of_maps<localization>(
      b, localization_options{.temperature = b.numbers("temperature")[0],
                              .edges = static_cast<index>(b.number("edges")),
                              .reduce = b.says("reduce", "bin_mean") ? localization_reduction::bin_mean
                                                                     : localization_reduction::edge_mean,
                              .weights = b.parameter("weights"),
                              .temperature_gradient = b.gradient("temperature")});
}

double where_the_teacher_looks(tensor_case& b) {
  return of_maps<attention_hint>(
      b, attention_hint_options{.temperature = b.number("temperature"),
                                .weighting = b.says("weighting", "softmax") ? attention_weighting::softmax
                                                                            : attention_weighting::normalized,
                                .power = b.number("power")});
}

double calibration(tensor_case& b) {
  std::vector<feature_map<double const>> const students = {b.map("student"), b.map("second")};
  std::vector<feature_map<double const>> const teachers = {b.map("teacher"), b.map("teacher_second")};
  std::vector<feature_map<double>> const gradients = {b.gradient_map("student"), b.gradient_map("second")};
  return semantic_calibration.with_grad(students, teachers, b.matrix("scores"), gradients,
                                        b.gradient_matrix("scores"));
}

double guided(tensor_case& b) {
  bool const averaged = b.says("masks", "averaged");
  return of_maps<attention_guided>(
      b, attention_guided_options{
             .temperature = b.number("temperature"),
             .masked_weight = b.number("masked_weight"),
             .channel_weight = b.number("channel_weight"),
             .spatial_weight = b.number("spatial_weight"),
             .spatial_mask = averaged ? attention_mask::averaged : attention_mask::joint,
             .channel_mask = averaged ? attention_mask::none : attention_mask::joint,
             .pooling = b.says("pooling", "mean") ? attention_pooling::mean : attention_pooling::magnitude});
}

double patches(tensor_case& b) {
  std::vector<index> drawn;
  for (std::int64_t const patch : b.integers("sampled")) drawn.push_back(static_cast<index>(patch));
  return of_maps<patch_relations>(b, patch_relations_options{.intra_weight = b.number("intra_weight"),
                                                             .inter_weight = b.number("inter_weight"),
                                                             .random_weight = b.number("random_weight"),
                                                             .sampled = drawn});
}

double singular(tensor_case& b) {
  return singular_vectors.with_grad(layers(b.map("student"), b.map("second")),
                                    layers(b.map("teacher"), b.map("teacher_second")),
                                    layers(b.gradient_map("student"), b.gradient_map("second")),
                                    {.vectors = static_cast<index>(b.number("vectors")),
                                     .more_candidates = static_cast<index>(b.number("more_candidates")),
                                     .regularization = 1e-12});
}

TEST(vectors, of_features) {
  expect_tensors("feature.txt", {{"activation_boundaries", boundaries},
                                 {"adaptive_average_pool", through_averages},
                                 {"adaptive_max_pool", through_maxima},
                                 {"attention_guided", guided},
                                 {"attention_hint", where_the_teacher_looks},
                                 {"attention_transfer", attention},
                                 {"channel_wise", channels},
                                 {"factor_transfer", factors},
                                 {"hidden_cosine", cosine},
                                 {"hierarchical_context", context},
                                 {"hint", features},
                                 {"inter_channel_correlation", between_channels},
                                 {"linear_projector", through_projector},
                                 {"localization", edges},
                                 {"masked_generative", generated},
                                 {"neuron_selectivity", selectivity},
                                 {"overhaul", overhauled},
                                 {"patch_relations", patches},
                                 {"pearson", correlation},
                                 {"semantic_calibration", calibration},
                                 {"singular_vectors", singular},
                                 {"softmax_regression", regression},
                                 {"solution_flow", flow},
                                 {"variational_information", variational}});
}

}  // namespace
}  // namespace distil::testing
