#include <distil/feature/pearson.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_map_loss("pearson", distil::pearson);

}  // namespace
