#include <gtest/gtest.h>

#include <array>

#include "../support/refusal.hpp"
#include "distil/relation/correlation_congruence.hpp"
#include "distil/relation/cross_modal_relation.hpp"
#include "distil/relation/instance_relation_graph.hpp"
#include "distil/relation/locality_preserving.hpp"
#include "distil/relation/probabilistic_transfer.hpp"
#include "distil/relation/relational_distance.hpp"
#include "distil/relation/similarity_graph.hpp"
#include "distil/response/forward_kl.hpp"

/// Options that are out of range in the type a loss computes in, though not in double.
namespace distil::testing {
namespace {

class relation_refusals : public ::testing::Test {
 protected:
  std::array<float, 8> student_values = {1, 2, 3, 4, 5, 6, 7, 8}, teacher_values = {1, 0, 0, 1, 1, 1, 0, 0};
  matrix_view<float> student{student_values.data(), 2, 4}, teacher{teacher_values.data(), 2, 4};

  template <class Loss, class Options>
  std::string refusal(Loss const& loss, Options const& options) {
    return refusal_of([&] { (void)loss(student, teacher, options); });
  }
};

TEST_F(relation_refusals, of_numbers_that_vanish_in_float) {
  EXPECT_EQ(refusal(relational_distance, relational_distance_options{.least_squared_distance = 1e-50}),
            "distil::relational_distance: least_squared_distance is 1e-50, which is 0 in float; it must be "
            "finite and >= 0");
  EXPECT_EQ(refusal(probabilistic_transfer, probabilistic_transfer_options{.epsilon = 1e-50}),
            "distil::probabilistic_transfer: epsilon is 1e-50, which is 0 in float; it must be finite and >= "
            "0");
  EXPECT_EQ(
      refusal(correlation_congruence, correlation_congruence_options{.gamma = 100}),
      "distil::correlation_congruence: gamma is 100, and exp(-2 gamma) is 0 in float; it must be finite "
      "and > 0");
  EXPECT_EQ(refusal(locality_preserving, locality_preserving_options{.neighbours = 1, .bandwidth = 1e50}),
            "distil::locality_preserving: bandwidth is 1e+50, and its inverse is 0 in float; it must be "
            "finite and >= 0");
}

TEST_F(relation_refusals, of_numbers_that_overflow_in_float) {
  EXPECT_EQ(refusal(cross_modal_relation, cross_modal_relation_options{.temperature = 1e-50}),
            "distil::cross_modal_relation: temperature is 1e-50, and its inverse is inf in float; it must "
            "be finite and > 0");
  EXPECT_EQ(
      refusal(cross_modal_relation, cross_modal_relation_options{.cross_weight = 1e50}),
      "distil::cross_modal_relation: cross_weight is 1e+50, which is inf in float; it must be finite and >= "
      "0");
  EXPECT_EQ(refusal_of([&] {
              (void)instance_relation_graph(layers(student, student), layers(teacher, teacher),
                                            {.edge_weight = 1e50});
            }),
            "distil::instance_relation_graph: edge_weight is 1e+50, which is inf in float; it must be finite "
            "and >= 0");
  auto const with_kernel = [&](auto const& kernel) {
    using kernel_type = std::remove_cvref_t<decltype(kernel)>;
    return refusal_of(
        [&] { (void)similarity_graph<forward_kl, kernel_type>(student, teacher, {.kernel = kernel}); });
  };
  EXPECT_EQ(with_kernel(gaussian_similarity{.width = 1e-30}),
            "distil::similarity_graph: kernel.width is 1e-30, and 0.5 / width^2 is inf in float; it must be "
            "finite and > 0");
  EXPECT_EQ(with_kernel(polynomial_similarity{.scale = 1e50}),
            "distil::similarity_graph: kernel.scale is 1e+50, which is inf in float; it must be finite");
}

}  // namespace
}  // namespace distil::testing
