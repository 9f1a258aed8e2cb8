#include <distil/relation/correlation_alignment.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_relation_loss("correlation_alignment", distil::correlation_alignment);

}  // namespace
