#include <distil/relation/similarity_preserving.hpp>

#include "support/pair_loss.hpp"

namespace {

// Of features, and of feature maps: few samples with long rows.
bool const registered =
    bench::add_relation_loss("similarity_preserving", distil::similarity_preserving) &&
    bench::add_map_form("similarity_preserving",
                        [](auto policy, bench::map_operands const& maps, bool wants_gradient) -> double {
                          auto const flat = [](auto const& map) {
                            return distil::matrix_view(map.data, map.samples, map.channels * map.positions());
                          };
                          auto const student = flat(maps.student), teacher = flat(maps.teacher);
                          auto const& loss = distil::similarity_preserving;
                          return wants_gradient
                                     ? loss.with_grad(policy, student, teacher, flat(maps.gradient))
                                     : loss(policy, student, teacher);
                        },
                        {bench::map_sizes, 1});

}  // namespace
