#include <distil/feature/hidden_cosine.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered = bench::add_map_loss("hidden_cosine", distil::hidden_cosine);

}  // namespace
