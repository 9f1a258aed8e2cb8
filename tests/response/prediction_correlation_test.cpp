#include "distil/response/prediction_correlation.hpp"

#include "../support/batch_suite.hpp"
#include "../support/cases/prediction_correlation.hpp"
#include "../support/refusal.hpp"

namespace distil::testing {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(prediction_correlation, batch_suite,
                               in_float_and_double<prediction_correlation_case>);

}  // namespace
}  // namespace distil::testing
