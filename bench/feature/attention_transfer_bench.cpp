#include <distil/feature/attention_transfer.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_map_loss("attention_transfer", distil::attention_transfer);

}  // namespace
