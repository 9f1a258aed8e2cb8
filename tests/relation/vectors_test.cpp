#include "../support/tensor_replay.hpp"
#include "distil/relation.hpp"
#include "distil/response/forward_kl.hpp"

/// Losses between the samples of a batch against PyTorch.
namespace distil::testing {
namespace {

template <auto const& loss, class Options>
double of_rows(tensor_case& b, Options const& options) {
  return loss.with_grad(b.matrix("student"), b.matrix("teacher"), b.gradient_matrix("student"), options);
}

double preserving(tensor_case& b) {
  return of_rows<similarity_preserving>(b, similarity_preserving_options{});
}

double distance(tensor_case& b) {
  return of_rows<relational_distance>(
      b, relational_distance_options{.unit_features = b.is("unit_features"),
                                     .least_squared_distance = b.number("least_squared_distance")});
}

double angle(tensor_case& b) {
  return of_rows<relational_angle>(b, relational_angle_options{.unit_features = b.is("unit_features")});
}

double transfer(tensor_case& b) {
  return of_rows<probabilistic_transfer>(b, probabilistic_transfer_options{.epsilon = b.number("epsilon")});
}

double congruence(tensor_case& b) {
  correlation_congruence_options options{
      .kernel =
          b.one_of<correlation_kernel_form>("kernel", {{"gaussian", correlation_kernel_form::gaussian},
                                                       {"bilinear", correlation_kernel_form::bilinear},
                                                       {"successive", correlation_kernel_form::successive}}),
      .unit_features = b.is("unit_features"),
      .distance = b.says("distance", "frobenius") ? correlation_distance::frobenius
                                                  : correlation_distance::mean_squared};
  if (b.says("kernel", "gaussian")) {
    options.gamma = b.number("gamma");
    options.order = static_cast<int>(b.number("order"));
  }
  return of_rows<correlation_congruence>(b, options);
}

double alignment(tensor_case& b) {
  return of_rows<centered_kernel_alignment>(
      b, centered_kernel_alignment_options{.estimate = b.says("estimate", "biased")
                                                           ? independence_estimate::biased
                                                           : independence_estimate::debiased});
}

double cross_modal(tensor_case& b) {
  return of_rows<cross_modal_relation>(
      b, cross_modal_relation_options{.temperature = b.number("temperature"),
                                      .teacher_temperature = b.number("teacher_temperature"),
                                      .cross_weight = b.number("cross_weight"),
                                      .intra_weight = b.number("intra_weight")});
}

double instance_graph(tensor_case& b) {
  return instance_relation_graph.with_grad(
      layers(b.map("student"), b.map("second")), layers(b.map("teacher"), b.map("teacher_second")),
      layers(b.gradient_map("student"), b.gradient_map("second")),
      {.edge_weight = b.number("edge_weight"), .transformation_weight = b.number("transformation_weight")});
}

double locality(tensor_case& b) {
  return of_rows<locality_preserving>(
      b, locality_preserving_options{.neighbours = static_cast<index>(b.number("neighbours")),
                                     .weights = b.says("weights", "heat") ? neighbour_weights::heat
                                                                          : neighbour_weights::reconstruction,
                                     .bandwidth = b.number("bandwidth"),
                                     .regularization = b.number("regularization")});
}

template <class Loss, class Kernel>
double graph_of(Loss const& loss, tensor_case& b, Kernel const& kernel) {
  typename Loss::options_type options;
  options.kernel = kernel;
  options.divergence.temperature = b.number("temperature");
  options.divergence.scale_by_temperature_squared = b.is("scale_by_temperature_squared");
  options.with_self = b.is("with_self");
  return loss.with_grad(b.matrix("student"), b.matrix("teacher"), b.gradient_matrix("student"), options);
}

double graph(tensor_case& b) {
  if (b.says("kernel", "cosine")) return graph_of(similarity_graph<forward_kl>, b, cosine_similarity());
  return graph_of(similarity_graph<forward_kl, gaussian_similarity>, b,
                  gaussian_similarity{b.number("width")});
}

TEST(vectors, of_relations) {
  expect_tensors("relation.txt", {{"centered_kernel_alignment", alignment},
                                  {"correlation_congruence", congruence},
                                  {"cross_modal_relation", cross_modal},
                                  {"instance_relation_graph", instance_graph},
                                  {"locality_preserving", locality},
                                  {"probabilistic_transfer", transfer},
                                  {"relational_angle", angle},
                                  {"relational_distance", distance},
                                  {"similarity_graph", graph},
                                  {"similarity_preserving", preserving}});
}

}  // namespace
}  // namespace distil::testing
