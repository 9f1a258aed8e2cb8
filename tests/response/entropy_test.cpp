#include "distil/response/entropy.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/entropy.hpp"

namespace distil::testing {
namespace {

row_suites<entropy_case> const suites("entropy");

}  // namespace
}  // namespace distil::testing
