#pragma once

/// Losses between feature maps. All of them together need Eigen; README.md lists those that do.

#include "distil/core/misuse.hpp"  // first, since compilers say how a message was reached

#include "distil/feature/activation_boundaries.hpp"
#include "distil/feature/adaptive_pool.hpp"
#include "distil/feature/attention_guided.hpp"
#include "distil/feature/attention_hint.hpp"
#include "distil/feature/attention_transfer.hpp"
#include "distil/feature/channel_wise.hpp"
#include "distil/feature/factor_transfer.hpp"
#include "distil/feature/feature_mask.hpp"
#include "distil/feature/hidden_cosine.hpp"
#include "distil/feature/hierarchical_context.hpp"
#include "distil/feature/hint.hpp"
#include "distil/feature/inter_channel_correlation.hpp"
#include "distil/feature/linear_projector.hpp"
#include "distil/feature/localization.hpp"
#include "distil/feature/masked_generative.hpp"
#include "distil/feature/neuron_selectivity.hpp"
#include "distil/feature/overhaul.hpp"
#include "distil/feature/patch_relations.hpp"
#include "distil/feature/pearson.hpp"
#include "distil/feature/pooled_outputs.hpp"
#include "distil/feature/semantic_calibration.hpp"
#include "distil/feature/singular_vectors.hpp"
#include "distil/feature/softmax_regression.hpp"
#include "distil/feature/solution_flow.hpp"
#include "distil/feature/variational_information.hpp"
