#pragma once

/// Searches over temperatures, weights and schedules. See tuning/README.md.

#include "distil/tuning/cross_validation.hpp"
#include "distil/tuning/gaussian_process.hpp"
#include "distil/tuning/search.hpp"
#include "distil/tuning/search_space.hpp"
#include "distil/tuning/successive_halving.hpp"
#include "distil/tuning/trials.hpp"
#include "distil/tuning/trials_picture.hpp"
