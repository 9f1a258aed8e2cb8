#pragma once

/// Quantisation, pruning and budgets, beside distillation. See compression/README.md.

#include "distil/compression/budget.hpp"
#include "distil/compression/channel_importance.hpp"
#include "distil/compression/fake_quantization.hpp"
#include "distil/compression/learned_step_size.hpp"
#include "distil/compression/pruning_schedule.hpp"
#include "distil/compression/quantized_teacher.hpp"
