#pragma once

/// Every family of losses. Adapters to other libraries are included by name. The families built on matrix products need
/// Eigen and are left out where it is not found.

#include "distil/response.hpp"
#include "distil/schedule.hpp"

#if __has_include(<Eigen/Core>)
#include "distil/attention.hpp"
#include "distil/contrastive.hpp"
#include "distil/feature.hpp"
#include "distil/relation.hpp"
#endif
