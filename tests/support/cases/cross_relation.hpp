#pragma once

#include "distil/attention/cross_relation.hpp"

#include "attention_reference.hpp"

namespace distil::testing {

/// Two states a side and two gradients are not for the suites: the test goes through them with `relation_of`.
struct cross_relation_case {
  static constexpr char const* name = "cross_relation";
  static constexpr error_bound bound = cross_relation_loss::bound;
};

}  // namespace distil::testing
