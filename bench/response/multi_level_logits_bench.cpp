#include <distil/response/multi_level_logits.hpp>

#include "support/pairwise_loss.hpp"

namespace {

bool const registered = bench::add_pairwise_loss("multi_level_logits", distil::multi_level_logits);

}  // namespace
