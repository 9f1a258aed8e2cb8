# Every header of the loss families. See "Add a loss" in CONTRIBUTING.md.

distil_add_loss(response cross_entropy)
distil_add_loss(response entropy)
distil_add_loss(response forward_kl)
distil_add_loss(response hinton_kd)
distil_add_loss(response log_softmax)
distil_add_loss(response log_sum_exp)
distil_add_loss(response soft_cross_entropy)
distil_add_loss(response softmax)

distil_add_part(response cross_entropy_kernel)
distil_add_part(response cross_entropy_targets)
distil_add_part(response divergence)
distil_add_part(response divergence_kernel)
distil_add_part(response expectation_kernel)
distil_add_part(response fuse)
distil_add_part(response logits_loss)
distil_add_part(response pair_kernel)
distil_add_part(response partition_kernel)
distil_add_part(response pull_back_kernel)
distil_add_part(response softmax_family)
distil_add_part(response teacher)

# One of each kind of kernel: tested in every type by every leg of CI, others by some (see "The legs of CI" in
# CONTRIBUTING.md). A loss with sweeps unlike any of these joins them.
distil_add_representatives(response
  cross_entropy  # looks up single logits, patches single gradients
  entropy        # a loss of the student alone
  forward_kl     # an expectation under the teacher; its test has every mix of element types
  hinton_kd      # two terms in one sweep that share exponentials
  softmax)       # a map and its pull-back; what needs both distributions: users_hellinger in divergence_test
