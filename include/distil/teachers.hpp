#pragma once

/// What makes a teacher of several networks, of the student's past, or of samples that were kept. See teachers/README.md.

#include "distil/teachers/mean_of_probabilities.hpp"
#include "distil/teachers/moving_average_teacher.hpp"
#include "distil/teachers/mutual_learning.hpp"
#include "distil/teachers/replay_memory.hpp"
#include "distil/teachers/teacher_weights.hpp"
