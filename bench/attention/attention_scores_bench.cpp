#include <distil/attention/attention_scores.hpp>

#include "support/attention.hpp"

namespace {

bool const registered =
    bench::add_map_loss("attention_scores", distil::attention_scores, bench::attention_sizes);

}  // namespace
