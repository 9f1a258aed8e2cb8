#include <distil/response/class_correlation.hpp>

#include "support/pairwise_loss.hpp"

namespace {

bool const registered = bench::add_pairwise_loss("class_correlation", distil::class_correlation);

}  // namespace
