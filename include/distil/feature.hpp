#pragma once

/// Losses between feature maps. They need Eigen.

#include "distil/feature/attention_transfer.hpp"
#include "distil/feature/channel_wise.hpp"
#include "distil/feature/hidden_cosine.hpp"
#include "distil/feature/hint.hpp"
