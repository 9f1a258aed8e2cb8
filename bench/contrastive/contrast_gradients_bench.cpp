#include <distil/contrastive/contrast_gradients.hpp>

#include "support/clip_loss.hpp"

namespace {

bool const registered = bench::add_clip_loss("contrast_gradients", distil::contrast_gradients);

}  // namespace
