#include <distil/feature/patch_relations.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_map_loss("patch_relations", distil::patch_relations);

}  // namespace
