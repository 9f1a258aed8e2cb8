#include <distil/feature/attention_hint.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_map_loss("attention_hint", distil::attention_hint);

}  // namespace
