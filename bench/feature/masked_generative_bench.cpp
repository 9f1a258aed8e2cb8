#include <distil/feature/masked_generative.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_map_loss("masked_generative", distil::masked_generative);

}  // namespace
