#include <distil/attention/attention_divergence.hpp>

#include "support/attention.hpp"

namespace {

bool const registered =
    bench::add_map_loss("attention_divergence", distil::attention_divergence, bench::attention_sizes);

}  // namespace
