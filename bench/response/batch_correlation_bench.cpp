#include <distil/response/batch_correlation.hpp>

#include "support/pairwise_loss.hpp"

namespace {

bool const registered = bench::add_pairwise_loss("batch_correlation", distil::batch_correlation);

}  // namespace
