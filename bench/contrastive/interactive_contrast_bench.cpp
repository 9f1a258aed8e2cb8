#include <distil/contrastive/interactive_contrast.hpp>

#include "support/clip_loss.hpp"

namespace {

bool const registered = bench::add_clip_loss("interactive_contrast", distil::interactive_contrast);

}  // namespace
