#pragma once

#include <stdexcept>
#include <string>

namespace distil::testing {

/// The text with which `call` refuses its arguments; empty when it accepts them.
template <class Call>
std::string refusal_of(Call const& call) {
  try {
    call();
  } catch (std::invalid_argument const& error) {
    return error.what();
  }
  return {};
}

}  // namespace distil::testing
