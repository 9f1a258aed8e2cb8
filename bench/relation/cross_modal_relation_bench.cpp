#include <distil/relation/cross_modal_relation.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_relation_loss("cross_modal_relation", distil::cross_modal_relation);

}  // namespace
