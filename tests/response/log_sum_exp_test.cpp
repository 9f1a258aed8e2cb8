#include "distil/response/log_sum_exp.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/log_sum_exp.hpp"

namespace distil::testing {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(log_sum_exp, response_suite, in_float_and_double<log_sum_exp_case>);
INSTANTIATE_TYPED_TEST_SUITE_P(log_sum_exp, behaviour_suite, in_float_and_double<log_sum_exp_case>);

}  // namespace
}  // namespace distil::testing
