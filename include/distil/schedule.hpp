#pragma once

/// Schedules for temperatures and weights, and limits on gradients. See schedule/README.md.

#include "distil/schedule/any_schedule.hpp"
#include "distil/schedule/arithmetic.hpp"
#include "distil/schedule/curriculum_temperature.hpp"
#include "distil/schedule/gradient_clipping.hpp"
#include "distil/schedule/learnable_temperature.hpp"
#include "distil/schedule/learned_state.hpp"
#include "distil/schedule/on_plateau.hpp"
#include "distil/schedule/parse.hpp"
#include "distil/schedule/plateau_state.hpp"
#include "distil/schedule/presets.hpp"
#include "distil/schedule/shapes.hpp"
#include "distil/schedule/steps.hpp"
#include "distil/schedule/three_stage.hpp"
#include "distil/schedule/time.hpp"
#include "distil/schedule/timing.hpp"
