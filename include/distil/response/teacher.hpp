#pragma once

/// A teacher that is not bare logits: `log_probabilities(matrix)` and `probabilities(matrix)`, which every loss of dense
/// teachers brings with it. One that is known at k classes of each row: top_k.hpp.

#include "distil/response/teacher/dense_teacher.hpp"
