#pragma once

#include <string>
#include <vector>

#include "batch_case.hpp"
#include "expectations.hpp"

/// Holds a loss that couples rows against the reference of its entry, within the bounds the loss itself states.
namespace distil::testing {

coupled_truth coupled_truth_of(batch_case const& of, any_batch const& b, setting const& s,
                               coupled_rows const& rows);

/// Value, weight and gradient of one batch against what the reference says of it; the value form gives the same bits.
void expect_coupled(batch_case const& of, any_batch& b, setting const& s, coupled_rows const& rows,
                    std::string const& what);

}  // namespace distil::testing
