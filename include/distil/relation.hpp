#pragma once

/// Losses between the relations of samples to each other. They need Eigen.

#include "distil/core/misuse.hpp"  // first, since compilers say how a message was reached

#include "distil/relation/centered_kernel_alignment.hpp"
#include "distil/relation/correlation_alignment.hpp"
#include "distil/relation/correlation_congruence.hpp"
#include "distil/relation/cross_modal_relation.hpp"
#include "distil/relation/instance_relation_graph.hpp"
#include "distil/relation/locality_preserving.hpp"
#include "distil/relation/maximum_mean_discrepancy.hpp"
#include "distil/relation/probabilistic_transfer.hpp"
#include "distil/relation/relational_angle.hpp"
#include "distil/relation/relational_distance.hpp"
#include "distil/relation/similarities.hpp"
#include "distil/relation/similarity_graph.hpp"
#include "distil/relation/similarity_preserving.hpp"
