#include "distil/response/log_softmax.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/log_softmax.hpp"

namespace distil::testing {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(log_softmax, response_suite, in_float_and_double<log_softmax_case>);
INSTANTIATE_TYPED_TEST_SUITE_P(log_softmax, behaviour_suite, in_float_and_double<log_softmax_case>);

}  // namespace
}  // namespace distil::testing
