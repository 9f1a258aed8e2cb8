#include <distil/feature/activation_boundaries.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_map_loss("activation_boundaries", distil::activation_boundaries);

}  // namespace
