#include <distil/relation/relational_angle.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_relation_loss("relational_angle", distil::relational_angle);

}  // namespace
