#pragma once

/// Losses between feature maps. They need Eigen.

#include "distil/feature/hint.hpp"
#include "distil/feature/neuron_selectivity.hpp"
#include "distil/feature/solution_flow.hpp"
