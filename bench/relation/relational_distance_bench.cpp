#include <distil/relation/relational_distance.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_relation_loss("relational_distance", distil::relational_distance);

}  // namespace
