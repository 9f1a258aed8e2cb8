#include <distil/feature/neuron_selectivity.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered =
    bench::add_map_loss("neuron_selectivity", distil::neuron_selectivity) &&
    bench::add_map_loss("neuron_selectivity", distil::neuron_selectivity, bench::few_maps);

}  // namespace
