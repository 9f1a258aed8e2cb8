#include "distil/feature/linear_projector.hpp"

#include "../support/element_types.hpp"
#include "../support/owned_map.hpp"
#include "../support/refusal.hpp"

namespace distil::testing {
namespace {

template <class T>
struct projection {
  owned_map<T> input, output, upstream, gradient;
  owned_matrix<T> weight, weight_gradient;

  projection(map_shape const& shape, index outputs, map_layout order)
      : input(shape, order),
        output({shape[0], outputs, shape[2], shape[3]}, order),
        upstream(output.shape(), order),
        gradient(shape, order),
        weight(outputs, shape[1], layout::padded),
        weight_gradient(outputs, shape[1], layout::class_major) {
    numbers random(3);
    auto const draw = [&](index, index, index, index) { return random.next(); };
    input.fill(draw), upstream.fill(draw), gradient.fill(0.25);
    for (index k = 0; k < outputs; ++k) {
      for (index c = 0; c < shape[1]; ++c) weight.set(k, c, random.next()), weight_gradient.set(k, c, 0.5);
    }
  }
};

template <class T>
void expect_products(map_shape const& shape, map_layout order) {
  constexpr index outputs = 4;
  std::vector<double> const bias = {0.5, -1, 0, 2};
  projection<T> p(shape, outputs, order);
  std::vector<double> bias_gradient(outputs, 1.0);
  linear_projector(parallel, p.input.map(), p.weight.view(), p.output.map(), {.bias = bias});
  linear_projector.pull_back(p.upstream.map(), p.weight.view(), p.gradient.map(), {.accumulate = true});
  linear_projector.pull_back_weight(p.input.map(), p.upstream.map(), p.weight_gradient.view(),
                                    {.accumulate = true});
  linear_projector.pull_back_bias(p.upstream.map(), bias_gradient, {.accumulate = true});

  exact_map of_input(shape);
  std::vector<long double> of_weight(static_cast<std::size_t>(outputs * shape[1]), 0), of_bias(outputs, 0);
  double const allowed = linear_projector_function::bound.value *
                         static_cast<double>(std::numeric_limits<arithmetic_t<T>>::epsilon()) *
                         static_cast<double>(std::max<index>(shape[0] * shape[2] * shape[3], 4));
  for_each_element(p.output.shape(), [&](index n, index k, index y, index x) {
    long double sum = bias[static_cast<std::size_t>(k)];
    of_bias[static_cast<std::size_t>(k)] += p.upstream.at(n, k, y, x);
    for (index c = 0; c < shape[1]; ++c) {
      sum += p.weight.at(k, c) * p.input.at(n, c, y, x);
      of_input(n, c, y, x) += p.weight.at(k, c) * p.upstream.at(n, k, y, x);
      of_weight[static_cast<std::size_t>(k * shape[1] + c)] +=
          p.upstream.at(n, k, y, x) * p.input.at(n, c, y, x);
    }
    ASSERT_NEAR(p.output.at(n, k, y, x), static_cast<double>(sum),
                allowed + storage_rounding<T>(static_cast<double>(sum)));
  });
  for_each_element(shape, [&](index n, index c, index y, index x) {
    auto const expected = static_cast<double>(0.25L + of_input(n, c, y, x));
    ASSERT_NEAR(p.gradient.at(n, c, y, x), expected, allowed + storage_rounding<T>(expected));
  });
  for (index k = 0; k < outputs; ++k) {
    EXPECT_NEAR(bias_gradient[static_cast<std::size_t>(k)],
                static_cast<double>(1 + of_bias[static_cast<std::size_t>(k)]), 1e-12);
    for (index c = 0; c < shape[1]; ++c) {
      auto const expected = static_cast<double>(0.5L + of_weight[static_cast<std::size_t>(k * shape[1] + c)]);
      ASSERT_NEAR(p.weight_gradient.at(k, c), expected, allowed + storage_rounding<T>(expected));
    }
  }
  EXPECT_EQ(p.output.damaged_guards() + p.gradient.damaged_guards() + p.weight_gradient.damaged_guards(), 0);
}

TEST(linear_projector, multiplies_in_every_layout) {
  for (map_layout const order : every_layout) {
    for (map_shape const& shape : {map_shape{3, 5, 4, 3}, map_shape{6, 5, 1, 1}, map_shape{2, 1, 1, 9}}) {
      expect_products<double>(shape, order);
      expect_products<float>(shape, order);
    }
  }
  expect_products<bfloat16>({3, 5, 4, 3}, map_layout::channels_last);
}

TEST(linear_projector, is_nothing_without_samples) {
  projection<float> p({0, 5, 4, 3}, 4, map_layout::channels_first);
  linear_projector(p.input.map(), p.weight.view(), p.output.map());
  linear_projector.pull_back_weight(p.input.map(), p.upstream.map(), p.weight_gradient.view());
  EXPECT_EQ(p.weight_gradient.at(3, 4), 0.0);
}

TEST(linear_projector, refuses) {
  projection<float> p({3, 5, 4, 3}, 4, map_layout::channels_first),
      q({3, 6, 4, 3}, 4, map_layout::channels_first);
  EXPECT_EQ(refusal_of([&] { linear_projector(p.input.map(), q.weight.view(), p.output.map()); }),
            "distil::linear_projector: weight is 4 x 6; it must be 4 x 5, outputs x inputs");
  EXPECT_EQ(refusal_of([&] { linear_projector(p.input.map(), p.weight.view(), p.input.map()); }),
            "distil::linear_projector: weight is 4 x 5; it must be 5 x 5, outputs x inputs");
  owned_map<float> small({3, 4, 3, 3}, map_layout::channels_first);
  EXPECT_EQ(refusal_of([&] { linear_projector(p.input.map(), p.weight.view(), small.map()); }),
            "distil::linear_projector: output is 3 x 4 x 3 x 3; it must be of the samples, height and width "
            "of input");
  EXPECT_EQ(refusal_of([&] {
              linear_projector(p.input.map(), p.weight.view(), p.output.map(), {.bias = std::nan("")});
            }),
            "distil::linear_projector: bias is nan at 0; it must be finite");
  std::vector<double> bias(3);
  EXPECT_EQ(refusal_of([&] { linear_projector.pull_back_bias(p.upstream.map(), bias); }),
            "distil::linear_projector: gradient is of size 3; it must be 4, one per channel");
}

}  // namespace
}  // namespace distil::testing
