#include <distil/feature/channel_wise.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_map_loss("channel_wise", distil::channel_wise);

}  // namespace
