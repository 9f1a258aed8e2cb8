#include <distil/relation/similarity_preserving.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_relation_loss("similarity_preserving", distil::similarity_preserving);

}  // namespace
