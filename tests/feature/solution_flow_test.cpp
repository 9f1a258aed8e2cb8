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

/// Value and gradients against the reference, a parabola in any single element.
void expect_exact(two_layers& b, solution_flow_options const& options, double weight,
                  std::string const& what) {
  loss_value const found = b.with_grad(options);
  EXPECT_NEAR(found, static_cast<double>(b.exact(options)), 1e-12) << what;
  EXPECT_EQ(found.weight, weight) << what;
  for (auto* const layer : {&b.first, &b.second}) {
    for_each_element(layer->student.shape(), [&](index n, index c, index y, index x) {
      double const before = layer->student.at(n, c, y, x), step = 1e-3;
      auto const at = [&](double moved) {
        layer->student.set(n, c, y, x, moved);
        return b.exact(options);
      };
      double const slope = static_cast<double>((at(before + step) - at(before - step)) / (2 * step));
      layer->student.set(n, c, y, x, before);
      EXPECT_NEAR(layer->gradient.at(n, c, y, x), slope, 1e-9) << what;
    });
  }
}

TEST(solution_flow, takes_layers_of_different_widths_and_weighs_samples) {
  std::vector<double> const weights = {0.5, 0.0, 2.0};
  for (auto const& s : solution_flow_case::settings()) {
    auto options = s.options;
    options.weights = weights;
    two_layers b;
    expect_exact(b, options, 2.5, s.label);
    double const found = b.with_grad(options);
    b.first.student.set(1, 0, 0, 0, std::nan(""));
    EXPECT_EQ(b.with_grad(options).value, found);
    EXPECT_EQ(b.second.gradient.at(1, 0, 0, 0), 0.0);
  }
}

TEST(solution_flow, weighs_positions) {
  std::vector<double> const ours = {1, 0.5, 0, 2, 0, 0, 0, 0, 0.25, 1, 1, 0};
  std::vector<float> const theirs = {1, 1, 0, 0.5F, 0, 1, 2, 3, 4, 5, 0, 0, 0, 0, 7};
  for (auto const& s : solution_flow_case::settings()) {
    auto options = s.options;
    options.position_weights = ours;
    options.teacher_position_weights = theirs;
    options.weights = 0.5;
    two_layers b;
    expect_exact(b, options, 1.0, s.label);  // the second sample has nothing that counts
    double const found = b.with_grad(options);
    for (pair_batch<double>* const layer : {&b.first, &b.second}) {  // what does not count is not seen
      layer->student.set(0, 1, 1, 0, std::nan(""));
      layer->student.set(1, 0, 0, 0, std::nan(""));
      layer->teacher.set(0, 2, 0, 2, std::nan(""));
    }
    EXPECT_EQ(b.with_grad(options).value, found);
    for (pair_batch<double>* const layer : {&b.first, &b.second}) {
      for (index c = 0; c < 3; ++c) EXPECT_EQ(layer->gradient.at(0, c, 1, 0), 0.0);
      EXPECT_EQ(layer->gradient.at(1, 0, 0, 0), 0.0);
    }
  }
}

TEST(solution_flow, weighs_positions_of_the_teacher_alone) {
  std::vector<double> const theirs = {1, 1, 0, 0.5, 0, 1, 2, 3, 4, 5, 0, 0, 0, 0, 7};
  two_layers b;
  solution_flow_options options{.position_weights = 3, .teacher_position_weights = theirs};
  expect_exact(b, options, 3.0, "all positions of the student alike");
  options.position_weights = 0;
  EXPECT_EQ(b.with_grad(options).weight, 0.0);
}

/// Padding changes nothing, in both networks.
TEST(solution_flow, is_that_of_the_tokens_that_count) {
  std::vector<double> const mask = {1, 1, 1, 0, 1, 1, 0, 0};
  pair_batch<double> b({{4, 3, 1, 4}, {4, 3, 1, 4}});
  auto const part = [&](owned_map<double>& map, index first, index samples, index tokens) {
    auto result = map.map();
    result.data += first * result.strides.sample;
    result.samples = samples, result.width = tokens;
    return result;
  };
  auto const loss = [&](index first, index samples, index tokens, solution_flow_options const& options) {
    return solution_flow(
        layers(part(b.student, first, samples, tokens), part(b.student, first + 2, samples, tokens)),
        layers(part(b.teacher, first, samples, tokens), part(b.teacher, first + 2, samples, tokens)),
        options);
  };
  double const found = loss(0, 2, 4, {.position_weights = mask});
  EXPECT_NEAR(found, (loss(0, 1, 3, {}) + loss(1, 1, 2, {})) / 2, 1e-14);
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
  auto const with = [&](solution_flow_options const& options) {
    return refusal_of(
        [&] { (void)solution_flow(layers(first, second), layers(teacher, teacher_second), options); });
  };
  std::vector<double> mask(12, 1.0);
  EXPECT_EQ(
      with({.position_weights = mask}),
      "distil::solution_flow: teacher without teacher_position_weights is 3 x 3 x 1 x 5; it must be 3 x "
      "3 x 2 x 2 as the student in samples, channels, height, width");
  EXPECT_EQ(with({.teacher_position_weights = mask}),
            "distil::solution_flow: teacher_position_weights is of size 12; it must be one per position, 15");
  mask[4] = -1;
  EXPECT_EQ(with({.position_weights = mask, .teacher_position_weights = 1}),
            "distil::solution_flow: position_weights is -1 at 4; it must be finite and >= 0");
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
