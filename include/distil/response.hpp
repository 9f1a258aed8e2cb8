#pragma once

/// Losses from logits to logits, and what they are made of. Needs no Eigen.

#include "distil/response/cross_entropy.hpp"
#include "distil/response/decoupled_kd.hpp"
#include "distil/response/divergence.hpp"
#include "distil/response/entropy.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/fuse.hpp"
#include "distil/response/hard_distillation.hpp"
#include "distil/response/hinton_kd.hpp"
#include "distil/response/log_softmax.hpp"
#include "distil/response/log_sum_exp.hpp"
#include "distil/response/margin_corrected_kl.hpp"
#include "distil/response/normalized_kd.hpp"
#include "distil/response/one_for_all.hpp"
#include "distil/response/soft_cross_entropy.hpp"
#include "distil/response/softmax.hpp"
#include "distil/response/swapped_kl.hpp"
#include "distil/response/temperature_matching.hpp"
#include "distil/response/virtual_teacher.hpp"
#include "distil/response/weighted_soft_label.hpp"
#include "distil/version.hpp"
