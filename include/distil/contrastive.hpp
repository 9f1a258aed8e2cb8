#pragma once

/// Losses that contrast samples, which need Eigen, and what they remember.

#include "distil/core/misuse.hpp"  // first, since compilers say how a message was reached

#include "distil/contrastive/alias_sampler.hpp"
#include "distil/contrastive/clip_affinity.hpp"
#include "distil/contrastive/contrast_gradients.hpp"
#include "distil/contrastive/contrastive_memory.hpp"
#include "distil/contrastive/contrastive_representation.hpp"
#include "distil/contrastive/embedding_queue.hpp"
#include "distil/contrastive/info_nce.hpp"
#include "distil/contrastive/interactive_contrast.hpp"
#include "distil/contrastive/queue_distillation.hpp"
