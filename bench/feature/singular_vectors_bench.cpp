#include <distil/feature/singular_vectors.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_layer_pair_loss("singular_vectors", distil::singular_vectors);

}  // namespace
