#include <distil/feature/hierarchical_context.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_map_loss("hierarchical_context", distil::hierarchical_context);

}  // namespace
