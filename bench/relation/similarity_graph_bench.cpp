#include <distil/relation/similarity_graph.hpp>
#include <distil/response/forward_kl.hpp>

#include "support/pair_loss.hpp"

namespace {

bool const registered =
    bench::add_relation_loss("similarity_graph", distil::similarity_graph<distil::forward_kl>);

}  // namespace
