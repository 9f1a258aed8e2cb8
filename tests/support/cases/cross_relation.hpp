#pragma once

#include "distil/attention/cross_relation.hpp"

#include "attention_reference.hpp"

namespace distil::testing {

/// The queries are the pair's student and teacher; the keys are others, and fixed. The gradient by the keys has a test of its
/// own.
struct cross_relation_case {
  static constexpr char const* name = "cross_relation";
  static constexpr error_bound bound = cross_relation_loss::bound;
};

}  // namespace distil::testing
