#include <distil/relation/locality_preserving.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_relation_loss("locality_preserving", distil::locality_preserving);

}  // namespace
