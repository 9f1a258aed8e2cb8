#include <distil/feature/inter_channel_correlation.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_map_loss("inter_channel_correlation", distil::inter_channel_correlation);

}  // namespace
