#include "distil/response/entropy.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/entropy.hpp"

namespace distil::testing {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(entropy, response_suite, in_float_and_double<entropy_case>);
INSTANTIATE_TYPED_TEST_SUITE_P(entropy, behaviour_suite, in_float_and_double<entropy_case>);

}  // namespace
}  // namespace distil::testing
