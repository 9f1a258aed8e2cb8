#include <distil/contrastive/clip_affinity.hpp>

#include "support/clip_loss.hpp"

namespace {

bool const registered = bench::add_clip_loss("clip_affinity", distil::clip_affinity);

}  // namespace
