#include <distil/feature/pooled_outputs.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_map_loss("pooled_outputs", distil::pooled_outputs);

}  // namespace
