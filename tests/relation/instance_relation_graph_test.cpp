#include "distil/relation/instance_relation_graph.hpp"

#include "../support/cases/instance_relation_graph.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<instance_relation_graph_case> const suites("instance_relation_graph");

TEST(instance_relation_graph, gives_its_terms) {
  pair_batch<double> b({{8, 3, 2, 2}, {8, 2, 3, 3}});
  auto const with = [&](instance_relation_graph_options const& options) {
    return instance_relation_graph_case::value(serial, b, {"", options});
  };
  auto const all = with({});
  EXPECT_DOUBLE_EQ(all.value, 5 * all.edges + 5 * all.transformation);
  EXPECT_EQ(with({.edge_weight = 1, .transformation_weight = 0}).value, all.edges);
  EXPECT_EQ(with({.edge_weight = 0, .transformation_weight = 1}).value, all.transformation);
}

TEST(instance_relation_graph, does_not_see_scale_nor_what_moves_both_layers) {
  pair_batch<double> b({{8, 3, 2, 2}, {8, 3, 2, 2}});
  b.teacher.fill([&](index n, index c, index y, index x) {
    return -3 * b.student.at(n, (c + 1) % 3, y, x) + static_cast<double>(c);
  });
  EXPECT_NEAR(instance_relation_graph_case::with_grad(serial, b, b.gradient, {}, false), 0.0, 1e-14);
  for_each_element(b.gradient.shape(), [&](index n, index c, index y, index x) {
    EXPECT_NEAR(b.gradient.at(n, c, y, x), 0.0, 1e-14);
  });
}

TEST(instance_relation_graph, takes_layers_of_different_shapes_without_transformation) {
  pair_batch<float> first({{4, 3, 2, 2}, {4, 2, 3, 3}}), second({{4, 5, 1, 1}, {4, 9, 1, 1}});
  auto const students = layers(first.student.map(), second.student.matrix());
  auto const teachers = layers(first.teacher.map(), second.teacher.matrix());
  auto const refusal = [&](instance_relation_graph_options const& options) {
    return refusal_of([&] { (void)instance_relation_graph(students, teachers, options); });
  };
  EXPECT_EQ(refusal({.transformation_weight = 0}), "");
  EXPECT_EQ(
      refusal({}),
      "distil::instance_relation_graph: student's second layer is 4 x 5 x 1 x 1; it must be 4 x 3 x 2 x 2 "
      "as the student in samples, channels, height, width");
  EXPECT_EQ(refusal({.edge_weight = -1}),
            "distil::instance_relation_graph: edge_weight is -1; it must be finite and >= 0");
}

}  // namespace
}  // namespace distil::testing
