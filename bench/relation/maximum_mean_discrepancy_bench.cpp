#include <distil/relation/maximum_mean_discrepancy.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered =
    bench::add_relation_loss("maximum_mean_discrepancy", distil::maximum_mean_discrepancy);

}  // namespace
