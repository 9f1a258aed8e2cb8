#pragma once

/// Losses between the relations of samples to each other. They need Eigen.

#include "distil/relation/instance_relation_graph.hpp"
#include "distil/relation/locality_preserving.hpp"
#include "distil/relation/similarity_preserving.hpp"
