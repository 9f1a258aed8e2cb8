#include <distil/response/sinkhorn.hpp>

#include "support/pairwise_loss.hpp"

namespace {

bool const registered = bench::add_pairwise_loss("sinkhorn", distil::sinkhorn);

}  // namespace
