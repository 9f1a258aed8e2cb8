#include "distil/response/soft_cross_entropy.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/soft_cross_entropy.hpp"

namespace distil::testing {
namespace {

row_suites<soft_cross_entropy_case> const suites("soft_cross_entropy");

}  // namespace
}  // namespace distil::testing
