#pragma once

#include "distil/attention/minilm_v2.hpp"

#include "attention_reference.hpp"

namespace distil::testing {

/// Three states a side are not for the suites: the test goes through them with `relation_of`.
struct minilm_v2_case {
  static constexpr char const* name = "minilm_v2";
  static constexpr error_bound bound = minilm_v2_loss::bound;
};

}  // namespace distil::testing
