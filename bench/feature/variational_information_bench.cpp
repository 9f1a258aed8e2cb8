#include <distil/feature/variational_information.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_map_loss("variational_information", distil::variational_information);

}  // namespace
