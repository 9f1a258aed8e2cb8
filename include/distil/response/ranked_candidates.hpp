#pragma once

/// `ranked_candidates(ids, scores)`: a teacher's scores of some classes of each row, which the ranking losses take in the
/// place of scores of all.

#include "distil/response/ranking/candidates.hpp"
