#pragma once

/// Losses from logits to logits, and what they are made of. Needs no Eigen.

#include "distil/response/batch_correlation.hpp"
#include "distil/response/class_correlation.hpp"
#include "distil/response/cross_entropy.hpp"
#include "distil/response/divergence.hpp"
#include "distil/response/entropic_transport.hpp"
#include "distil/response/entropy.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/fuse.hpp"
#include "distil/response/hinton_kd.hpp"
#include "distil/response/log_softmax.hpp"
#include "distil/response/log_sum_exp.hpp"
#include "distil/response/multi_level_logits.hpp"
#include "distil/response/prediction_correlation.hpp"
#include "distil/response/projected_kl.hpp"
#include "distil/response/sinkhorn.hpp"
#include "distil/response/soft_cross_entropy.hpp"
#include "distil/response/softmax.hpp"
#include "distil/response/universal_logits.hpp"
#include "distil/response/wasserstein_logits.hpp"
#include "distil/version.hpp"
