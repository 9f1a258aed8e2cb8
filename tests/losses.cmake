# Every door of the loss families. See "Add a loss" in CONTRIBUTING.md.

distil_add_loss(response adaptive_alpha)
distil_add_loss(response adaptive_kl)
distil_add_loss(response alpha_beta)
distil_add_loss(response amari_alpha)
distil_add_loss(response batch_correlation)
distil_add_loss(response binary_cross_entropy)
distil_add_loss(response binary_kd)
distil_add_loss(response brier_divergence)
distil_add_loss(response class_correlation)
distil_add_loss(response cross_entropy)
distil_add_loss(response decoupled_kd)
distil_add_loss(response dynamic_temperature_kd)
distil_add_loss(response entropic_transport)
distil_add_loss(response entropy)
distil_add_loss(response forward_kl)
distil_add_loss(response hard_distillation)
distil_add_loss(response hinton_kd)
distil_add_loss(response jeffreys)
distil_add_loss(response jensen_shannon)
distil_add_loss(response learning_without_forgetting)
distil_add_loss(response list_maximum_likelihood)
distil_add_loss(response log_softmax)
distil_add_loss(response log_sum_exp)
distil_add_loss(response logit_standardization)
distil_add_loss(response margin_corrected_kl)
distil_add_loss(response margin_mse)
distil_add_loss(response mean_squared_logits)
distil_add_loss(response multi_level_logits)
distil_add_loss(response negative_log_overlap)
distil_add_loss(response norm_kd)
distil_add_loss(response normalized_jensen_shannon)
distil_add_loss(response normalized_kd)
distil_add_loss(response one_for_all)
distil_add_loss(response overlap_hybrid)
distil_add_loss(response pairwise_hinge)
distil_add_loss(response pairwise_logistic)
distil_add_loss(response prediction_correlation)
distil_add_loss(response projected_kl)
distil_add_loss(response renyi)
distil_add_loss(response reverse_kl)
distil_add_loss(response sampled_kl)
distil_add_loss(response sinkhorn)
distil_add_loss(response skew_kl)
distil_add_loss(response skew_reverse_kl)
distil_add_loss(response soft_cross_entropy)
distil_add_loss(response softmax)
distil_add_loss(response swapped_kl)
distil_add_loss(response temperature_matching)
distil_add_loss(response total_variation)
distil_add_loss(response universal_logits)
distil_add_loss(response universal_self_kd)
distil_add_loss(response virtual_teacher)
distil_add_loss(response wasserstein_logits)
distil_add_loss(response weighted_soft_label)

distil_add_door(response common_vocabulary)
distil_add_door(response divergence)
distil_add_door(response flexible_temperature)
distil_add_door(response fuse)
distil_add_door(response mean_of_logits)
distil_add_door(response ranked_candidates)
distil_add_door(response sequence)
distil_add_door(response teacher)
distil_add_door(response top_k)

distil_add_loss(feature activation_boundaries)
distil_add_loss(feature attention_guided)
distil_add_loss(feature attention_hint)
distil_add_loss(feature attention_transfer)
distil_add_loss(feature channel_wise)
distil_add_loss(feature factor_transfer)
distil_add_loss(feature hidden_cosine)
distil_add_loss(feature hierarchical_context)
distil_add_loss(feature hint)
distil_add_loss(feature inter_channel_correlation)
distil_add_loss(feature localization)
distil_add_loss(feature masked_generative)
distil_add_loss(feature neuron_selectivity)
distil_add_loss(feature overhaul)
distil_add_loss(feature patch_relations)
distil_add_loss(feature pearson)
distil_add_loss(feature pooled_outputs)
distil_add_loss(feature semantic_calibration)
distil_add_loss(feature singular_vectors)
distil_add_loss(feature softmax_regression)
distil_add_loss(feature solution_flow)
distil_add_loss(feature variational_information)

distil_add_door(feature adaptive_pool)
distil_add_door(feature feature_mask)
distil_add_door(feature linear_projector)

distil_add_loss(relation centered_kernel_alignment)
distil_add_loss(relation correlation_alignment)
distil_add_loss(relation correlation_congruence)
distil_add_loss(relation cross_modal_relation)
distil_add_loss(relation instance_relation_graph)
distil_add_loss(relation locality_preserving)
distil_add_loss(relation maximum_mean_discrepancy)
distil_add_loss(relation probabilistic_transfer)
distil_add_loss(relation relational_angle)
distil_add_loss(relation relational_distance)
distil_add_loss(relation similarity_graph)
distil_add_loss(relation similarity_preserving)

distil_add_door(relation similarities)

distil_add_loss(contrastive clip_affinity)
distil_add_loss(contrastive contrast_gradients)
distil_add_loss(contrastive contrastive_representation)
distil_add_loss(contrastive info_nce)
distil_add_loss(contrastive interactive_contrast)
distil_add_loss(contrastive queue_distillation)

distil_add_door(contrastive alias_sampler)
distil_add_door(contrastive contrastive_memory)
distil_add_door(contrastive embedding_queue)

distil_add_loss(attention attention_divergence)
distil_add_loss(attention attention_scores)
distil_add_loss(attention cross_relation)
distil_add_loss(attention minilm_v2)
distil_add_loss(attention self_relation)

distil_add_door(attention sum_over_layers)

# What every leg of CI tests: one of each kind of kernel, and what all share. The others are left to the legs that have
# every loss (see "What CI runs" in CONTRIBUTING.md). A loss with sweeps unlike any of these joins them.
distil_add_representatives(response
  binary_kd                # elements by themselves, beside matrices of any numbers
  cross_entropy            # looks up single logits, patches single gradients
  decoupled_kd             # the label apart from the other classes
  divergence               # any Function of both distributions
  forward_kl               # an expectation under the teacher, in every mix of element types
  fuse                     # several terms in one sweep
  hinton_kd                # terms that share exponentials
  list_maximum_likelihood  # sorts rows
  prediction_correlation   # couples the rows of a batch
  renyi                    # a function of several sums
  sampled_kl               # looks at drawn tokens
  softmax                  # a map and its pull-back
  teacher                  # the forms of a teacher
  top_k                    # a few classes of a row
  universal_logits)        # whole distributions of a row
# Of the response family CI's sanitizers look at these, which have scratch, sorting or indices of their own; of the other
# families at all. The rest are a few functions in the sweeps that these have, too, and are looked at by night.
distil_add_memory_users(response
  adaptive_kl binary_cross_entropy common_tokens common_vocabulary cross_entropy cross_entropy_targets entropic_transport fuse
  list_maximum_likelihood margin_mse mean_of_logits multi_level_logits pairwise_hinge prediction_correlation projected_kl sampled_kl
  sequence sinkhorn softmax teacher teacher_temperature top_k top_k_behaviour top_k_functions universal_logits
  universal_self_kd wasserstein_logits)

distil_add_representatives(feature
  attention_transfer       # maps of samples, and the way back through them
  channel_wise             # softmax over positions
  hint                     # elements, in every layout and type
  linear_projector         # products with gradients by every factor
  pearson)                 # moments of channels over a batch
distil_add_representatives(relation
  relational_angle         # triples of samples
  similarity_preserving)   # products of matrices
distil_add_representatives(contrastive
  contrastive_representation  # looks up rows of a memory
  queue_distillation)         # softmax of similarities
distil_add_representatives(attention
  attention_divergence     # scores, a query at a time
  self_relation            # products of tokens
  sum_over_layers)
