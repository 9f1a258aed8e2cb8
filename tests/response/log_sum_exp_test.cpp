#include "distil/response/log_sum_exp.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/log_sum_exp.hpp"

namespace distil::testing {
namespace {

row_suites<log_sum_exp_case> const suites("log_sum_exp");

}  // namespace
}  // namespace distil::testing
