#include <distil/attention/self_relation.hpp>

#include "support/attention.hpp"

namespace {

bool const registered = bench::add_map_form(
    "self_relation",
    [](auto policy, bench::map_operands const& maps, bool wants_gradient) -> double {
      auto const student = bench::states_of(maps.student), teacher = bench::states_of(maps.teacher);
      return wants_gradient
                 ? distil::self_relation.with_grad(policy, student, teacher, bench::states_of(maps.gradient))
                 : distil::self_relation(policy, student, teacher);
    },
    bench::state_sizes);

}  // namespace
