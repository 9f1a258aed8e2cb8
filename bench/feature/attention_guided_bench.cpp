#include <distil/feature/attention_guided.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_map_loss("attention_guided", distil::attention_guided);

}  // namespace
