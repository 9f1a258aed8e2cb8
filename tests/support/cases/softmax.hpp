#pragma once

#include "distil/response/softmax.hpp"

#include "map_case.hpp"

namespace distil::testing {

struct softmax_case : map_case<distil::softmax, false> {
  static constexpr char const* name = "softmax";
  static constexpr error_bound bound{.value = 16, .gradient = softmax_function_object::bound.gradient};
};

}  // namespace distil::testing
