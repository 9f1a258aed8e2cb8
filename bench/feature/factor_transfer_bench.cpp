#include <distil/feature/factor_transfer.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_map_loss("factor_transfer", distil::factor_transfer);

}  // namespace
