#include "distil/response/soft_cross_entropy.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/soft_cross_entropy.hpp"

namespace distil::testing {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(soft_cross_entropy, response_suite,
                               in_float_and_double<soft_cross_entropy_case>);
INSTANTIATE_TYPED_TEST_SUITE_P(soft_cross_entropy, behaviour_suite,
                               in_float_and_double<soft_cross_entropy_case>);

}  // namespace
}  // namespace distil::testing
