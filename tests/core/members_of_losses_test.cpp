#include <concepts>
#include <type_traits>

#include "distil/distil.hpp"
#include "gtest/gtest.h"

namespace {

/// What is found the same way on every loss of every family.
template <class Loss>
void expect_members(Loss const&, char const* name) {
  static_assert(std::same_as<decltype(Loss::bound), distil::error_bound const>);
  static_assert(std::is_class_v<typename Loss::options_type>);
  static_assert(std::is_default_constructible_v<typename Loss::options_type>);
  EXPECT_STREQ(Loss::name, name);
  EXPECT_GT(Loss::bound.value + Loss::bound.gradient, 0) << name;
}

TEST(members_of_losses, of_responses) {
  expect_members(distil::adaptive_alpha, "adaptive_alpha");
  expect_members(distil::adaptive_kl, "adaptive_kl");
  expect_members(distil::alpha_beta, "alpha_beta");
  expect_members(distil::amari_alpha, "amari_alpha");
  expect_members(distil::batch_correlation, "batch_correlation");
  expect_members(distil::binary_cross_entropy, "binary_cross_entropy");
  expect_members(distil::binary_kd, "binary_kd");
  expect_members(distil::brier_divergence, "brier_divergence");
  expect_members(distil::class_correlation, "class_correlation");
  expect_members(distil::cross_entropy, "cross_entropy");
  expect_members(distil::decoupled_kd, "decoupled_kd");
  expect_members(distil::dynamic_temperature_kd, "dynamic_temperature_kd");
  expect_members(distil::entropic_transport, "entropic_transport");
  expect_members(distil::entropy, "entropy");
  expect_members(distil::forward_kl, "forward_kl");
  expect_members(distil::hard_distillation, "hard_distillation");
  expect_members(distil::hinton_kd, "hinton_kd");
  expect_members(distil::jeffreys, "jeffreys");
  expect_members(distil::jensen_shannon, "jensen_shannon");
  expect_members(distil::learning_without_forgetting, "learning_without_forgetting");
  expect_members(distil::list_maximum_likelihood, "list_maximum_likelihood");
  expect_members(distil::log_softmax, "log_softmax");
  expect_members(distil::log_sum_exp, "log_sum_exp");
  expect_members(distil::standardized(distil::forward_kl), "logit_standardization");
  expect_members(distil::standardized(distil::hinton_kd), "logit_standardization");
  expect_members(distil::margin_corrected_kl, "margin_corrected_kl");
  expect_members(distil::margin_mse, "margin_mse");
  expect_members(distil::mean_squared_logits, "mean_squared_logits");
  expect_members(distil::multi_level_logits, "multi_level_logits");
  expect_members(distil::negative_log_overlap, "negative_log_overlap");
  expect_members(distil::norm_kd, "norm_kd");
  expect_members(distil::normalized_jensen_shannon, "normalized_jensen_shannon");
  expect_members(distil::normalized_kd, "normalized_kd");
  expect_members(distil::one_for_all, "one_for_all");
  expect_members(distil::overlap_hybrid, "overlap_hybrid");
  expect_members(distil::pairwise_hinge, "pairwise_hinge");
  expect_members(distil::pairwise_logistic, "pairwise_logistic");
  expect_members(distil::prediction_correlation, "prediction_correlation");
  expect_members(distil::projected_kl, "projected_kl");
  expect_members(distil::renyi, "renyi");
  expect_members(distil::reverse_kl, "reverse_kl");
  expect_members(distil::sampled_kl, "sampled_kl");
  expect_members(distil::sinkhorn, "sinkhorn");
  expect_members(distil::skew_kl, "skew_kl");
  expect_members(distil::skew_reverse_kl, "skew_reverse_kl");
  expect_members(distil::soft_cross_entropy, "soft_cross_entropy");
  expect_members(distil::softmax, "softmax");
  expect_members(distil::swapped_kl, "swapped_kl");
  expect_members(distil::temperature_matching, "temperature_matching");
  expect_members(distil::total_variation, "total_variation");
  expect_members(distil::universal_logits, "universal_logits");
  expect_members(distil::universal_self_kd, "universal_self_kd");
  expect_members(distil::virtual_teacher, "virtual_teacher");
  expect_members(distil::wasserstein_logits, "wasserstein_logits");
  expect_members(distil::weighted_soft_label, "weighted_soft_label");
}

TEST(members_of_losses, of_the_other_families) {
  expect_members(distil::activation_boundaries, "activation_boundaries");
  expect_members(distil::attention_hint, "attention_hint");
  expect_members(distil::attention_transfer, "attention_transfer");
  expect_members(distil::channel_wise, "channel_wise");
  expect_members(distil::factor_transfer, "factor_transfer");
  expect_members(distil::hidden_cosine, "hidden_cosine");
  expect_members(distil::hierarchical_context, "hierarchical_context");
  expect_members(distil::hint, "hint");
  expect_members(distil::masked_generative, "masked_generative");
  expect_members(distil::overhaul, "overhaul");
  expect_members(distil::pearson, "pearson");
  expect_members(distil::softmax_regression, "softmax_regression");
  expect_members(distil::variational_information, "variational_information");
  expect_members(distil::attention_guided, "attention_guided");
  expect_members(distil::inter_channel_correlation, "inter_channel_correlation");
  expect_members(distil::localization, "localization");
  expect_members(distil::neuron_selectivity, "neuron_selectivity");
  expect_members(distil::patch_relations, "patch_relations");
  expect_members(distil::pooled_outputs, "pooled_outputs");
  expect_members(distil::semantic_calibration, "semantic_calibration");
  expect_members(distil::singular_vectors, "singular_vectors");
  expect_members(distil::solution_flow, "solution_flow");
  expect_members(distil::instance_relation_graph, "instance_relation_graph");
  expect_members(distil::locality_preserving, "locality_preserving");
  expect_members(distil::centered_kernel_alignment, "centered_kernel_alignment");
  expect_members(distil::correlation_alignment, "correlation_alignment");
  expect_members(distil::correlation_congruence, "correlation_congruence");
  expect_members(distil::cross_modal_relation, "cross_modal_relation");
  expect_members(distil::maximum_mean_discrepancy, "maximum_mean_discrepancy");
  expect_members(distil::probabilistic_transfer, "probabilistic_transfer");
  expect_members(distil::relational_angle, "relational_angle");
  expect_members(distil::relational_distance, "relational_distance");
  expect_members(distil::similarity_graph<distil::forward_kl>, "similarity_graph");
  expect_members(distil::similarity_preserving, "similarity_preserving");
  expect_members(distil::clip_affinity, "clip_affinity");
  expect_members(distil::contrast_gradients, "contrast_gradients");
  expect_members(distil::contrastive_representation, "contrastive_representation");
  expect_members(distil::info_nce, "info_nce");
  expect_members(distil::interactive_contrast, "interactive_contrast");
  expect_members(distil::queue_distillation, "queue_distillation");
  expect_members(distil::attention_divergence, "attention_divergence");
  expect_members(distil::attention_scores, "attention_scores");
  expect_members(distil::cross_relation, "cross_relation");
  expect_members(distil::minilm_v2, "minilm_v2");
  expect_members(distil::self_relation, "self_relation");
}

// Without the bound of a Function there is none to state.
struct unbounded_function {};
template <class Loss>
concept bounded = requires {
  Loss::bound;
};
static_assert(!bounded<distil::divergence<unbounded_function>>);

}  // namespace
