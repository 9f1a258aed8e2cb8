#include <distil/contrastive/info_nce.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_relation_loss("info_nce", distil::info_nce);

}  // namespace
