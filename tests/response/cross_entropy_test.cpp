#include "distil/response/cross_entropy.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/cross_entropy.hpp"

namespace distil::testing {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(cross_entropy, response_suite, in_float_and_double<cross_entropy_case>);
INSTANTIATE_TYPED_TEST_SUITE_P(cross_entropy, behaviour_suite, in_float_and_double<cross_entropy_case>);

}  // namespace
}  // namespace distil::testing
