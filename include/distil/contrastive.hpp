#pragma once

/// Losses that contrast samples, and what they remember. They need Eigen.

#include "distil/contrastive/info_nce.hpp"
