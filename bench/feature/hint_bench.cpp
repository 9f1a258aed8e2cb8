#include <distil/feature/hint.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_map_loss("hint", distil::hint);

}  // namespace
