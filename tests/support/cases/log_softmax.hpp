#pragma once

#include "distil/response/log_softmax.hpp"

#include "map_case.hpp"

namespace distil::testing {

struct log_softmax_case : map_case<distil::log_softmax, true> {
  static constexpr char const* name = "log_softmax";
  static constexpr error_bound bound{.value = 16, .gradient = log_softmax_function_object::bound.gradient};
};

}  // namespace distil::testing
