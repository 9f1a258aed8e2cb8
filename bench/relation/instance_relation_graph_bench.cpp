#include <distil/relation/instance_relation_graph.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered =
    bench::add_layer_pair_loss("instance_relation_graph", distil::instance_relation_graph);

}  // namespace
