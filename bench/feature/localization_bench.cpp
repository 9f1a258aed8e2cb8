#include <distil/feature/localization.hpp>

#include "support/pair_loss.hpp"

namespace {

// Boxes of four edges with 17 bins: the positions that count of a batch, and a dense head.
constexpr bench::map_size boxes[] = {{1024, 68, 1, 1}, {8, 68, 100, 152}};

bool const registered = bench::add_map_loss("localization", distil::localization, boxes);

}  // namespace
