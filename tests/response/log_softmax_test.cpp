#include "distil/response/log_softmax.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/log_softmax.hpp"

namespace distil::testing {
namespace {

row_suites<log_softmax_case> const suites("log_softmax");

}  // namespace
}  // namespace distil::testing
