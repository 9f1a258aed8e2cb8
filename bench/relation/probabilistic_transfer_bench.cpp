#include <distil/relation/probabilistic_transfer.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_relation_loss("probabilistic_transfer", distil::probabilistic_transfer);

}  // namespace
