#include "distil/feature/solution_flow.hpp"

#include "../support/cases/solution_flow.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<solution_flow_case> const suites("solution_flow");

/// Layers of different widths.
struct two_layers {
  pair_batch<double> first{{{3, 3, 2, 2}, {3, 3, 1, 5}}};
  pair_batch<double> second{{{3, 4, 2, 2}, {3, 4, 1, 5}}, 2.0, map_layout::channels_last, map_layout::padded,
                            map_layout::padded,           7};

  loss_value with_grad(solution_flow_options const& options) {
    return solution_flow.with_grad(layers(first.student.map(), second.student.map()),
                                   layers(first.teacher.map(), second.teacher.map()),
                                   layers(first.gradient.map(), second.gradient.map()), options);
  }
  [[nodiscard]] long double exact(solution_flow_options const& options) const {
    return solution_flow_of(first.student.exact(), second.student.exact(), first.teacher.exact(),
                            second.teacher.exact(), 0, options);
  }
};

TEST(solution_flow, takes_layers_of_different_widths_and_weighs_samples) {
  std::vector<double> const weights = {0.5, 0.0, 2.0};
  for (auto const& s : solution_flow_case::settings()) {
    auto options = s.options;
    options.weights = weights;
    two_layers b;
    loss_value const found = b.with_grad(options);
    EXPECT_NEAR(found, static_cast<double>(b.exact(options)), 1e-12) << s.label;
    EXPECT_EQ(found.weight, 2.5);
    for (auto* const layer : {&b.first, &b.second}) {
      for_each_element(layer->student.shape(), [&](index n, index c, index y, index x) {
        double const before = layer->student.at(n, c, y, x), step = 1e-3;
        auto const at = [&](double moved) {
          layer->student.set(n, c, y, x, moved);
          return b.exact(options);
        };
        // The loss is a parabola in any single element.
        double const slope = static_cast<double>((at(before + step) - at(before - step)) / (2 * step));
        layer->student.set(n, c, y, x, before);
        EXPECT_NEAR(layer->gradient.at(n, c, y, x), slope, 1e-9) << s.label;
      });
    }
    b.first.student.set(1, 0, 0, 0, std::nan(""));
    EXPECT_EQ(b.with_grad(options).value, found.value);
    EXPECT_EQ(b.second.gradient.at(1, 0, 0, 0), 0.0);
  }
}

TEST(solution_flow, refuses) {
  two_layers b;
  pair_batch<double> other({{3, 4, 2, 3}, {3, 4, 5, 1}});
  auto const first = b.first.student.map(), second = b.second.student.map();
  auto const teacher = b.first.teacher.map(), teacher_second = b.second.teacher.map();
  EXPECT_EQ(refusal_of([&] {
              (void)solution_flow(layers(first, other.student.map()), layers(teacher, teacher_second));
            }),
            "distil::solution_flow: student's second layer is 3 x 4 x 2 x 3; it must be 3 x 3 x 2 x 2 as the "
            "student in samples, height, width");
  EXPECT_EQ(
      refusal_of([&] { (void)solution_flow(layers(first, second), layers(teacher, other.teacher.map())); }),
      "distil::solution_flow: teacher's second layer is 3 x 4 x 5 x 1; it must be 3 x 3 x 1 x 5 as the "
      "teacher's first layer in height, width");
  EXPECT_EQ(refusal_of([&] { (void)solution_flow(layers(first, second), layers(teacher, teacher)); }),
            "distil::solution_flow: teacher's second layer is 3 x 3 x 1 x 5; it must be 3 x 4 x 2 x 2 as the "
            "student in samples, channels");
  auto const gradient = b.first.gradient.map();
  EXPECT_EQ(
      refusal_of([&] {
        (void)solution_flow.with_grad(layers(first, first), layers(teacher, teacher),
                                      layers(gradient, gradient));
      }),
      "distil::solution_flow: gradient is overlapping that of the other layer; it must be apart from all "
      "but its own layer of the student");
  EXPECT_EQ(refusal_of([&] {
              (void)solution_flow.with_grad(layers(first, second), layers(teacher, teacher_second),
                                            layers(gradient, teacher_second));
            }).rfind("distil::solution_flow: gradient is ", 0),
            0U);
}

}  // namespace
}  // namespace distil::testing
