#pragma once

/// Losses between the attention of transformers, and sums of losses over layers. All of them together need
/// Eigen; README.md lists those that do.

#include "distil/core/misuse.hpp"  // first, since compilers say how a message was reached

#include "distil/attention/attention_divergence.hpp"
#include "distil/attention/attention_scores.hpp"
#include "distil/attention/cross_relation.hpp"
#include "distil/attention/minilm_v2.hpp"
#include "distil/attention/self_relation.hpp"
#include "distil/attention/sum_over_layers.hpp"
