#include <distil/feature/overhaul.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_map_loss("overhaul", distil::overhaul);

}  // namespace
