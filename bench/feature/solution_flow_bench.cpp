#include <distil/feature/solution_flow.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_layer_pair_loss("solution_flow", distil::solution_flow);

}  // namespace
