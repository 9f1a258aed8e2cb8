#include <distil/relation/correlation_congruence.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_relation_loss("correlation_congruence", distil::correlation_congruence);

}  // namespace
