#pragma once

/// `sum_over_layers`, which any loss of maps or matrices can be summed by. README.md beside has recipes of transformers.

#include "distil/matrix/sum_over_layers.hpp"
