#pragma once

/// Losses between feature maps. They need Eigen.

#include "distil/feature/attention_guided.hpp"
#include "distil/feature/hint.hpp"
#include "distil/feature/inter_channel_correlation.hpp"
#include "distil/feature/localization.hpp"
#include "distil/feature/neuron_selectivity.hpp"
#include "distil/feature/patch_relations.hpp"
#include "distil/feature/semantic_calibration.hpp"
#include "distil/feature/singular_vectors.hpp"
#include "distil/feature/solution_flow.hpp"
