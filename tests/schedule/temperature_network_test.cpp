#include "distil/schedule/temperature_network.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "../support/refusal.hpp"
#include "distil/response/forward_kl.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;
using numbers = std::vector<double>;

numbers random_numbers(std::size_t count, std::uint64_t seed) {
  random_stream random(seed);
  numbers result(count);
  for (double& x : result) x = random.normal();
  return result;
}

TEST(temperature_network, gives_every_sample_the_start_before_it_has_learned) {
  numbers const x = random_numbers(12, 1);
  for (index const hidden : {0, 5}) {
    temperature_network const network(3, {.hidden = hidden, .minimum = 2, .maximum = 9, .start = 3.5});
    numbers temperatures(4);
    network.forward(matrix_view(x, 4, 3), temperatures);
    for (double const T : temperatures) EXPECT_NEAR(T, 3.5, 1e-14);
  }
}

TEST(temperature_network, has_the_gradient_of_its_temperatures) {
  numbers const x = random_numbers(15, 2), by_temperature = random_numbers(5, 3);
  for (index const hidden : {0, 4}) {
    temperature_network network(3, {.hidden = hidden, .seed = 7});
    numbers const start = random_numbers(network.parameters().size(), 5);
    std::copy(start.begin(), start.end(), network.parameters().begin());
    numbers temperatures(5), gradient(start.size());
    network.backward(matrix_view(x, 5, 3), by_temperature, gradient);
    auto const sum = [&] {
      network.forward(matrix_view(x, 5, 3), temperatures);
      double total = 0;
      for (std::size_t row = 0; row < 5; ++row) total += by_temperature[row] * temperatures[row];
      return total;
    };
    constexpr double h = 1e-5;
    for (std::size_t i = 0; i < start.size(); ++i) {
      network.parameters()[i] = start[i] + h;
      double const above = sum();
      network.parameters()[i] = start[i] - h;
      double const below = sum();
      network.parameters()[i] = start[i];
      EXPECT_NEAR(gradient[i], (above - below) / (2 * h), 1e-8) << hidden << ", " << i;
    }
  }
}

/// Two kinds of samples: the loss of one kind falls with its temperature, that of the other rises.
TEST(temperature_network, learns_through_the_derivative_of_a_loss) {
  std::vector<float> const student{2, 0, -1, 0, 1, 3}, teacher{4, 0, -2, 1, 0.5F, 2};
  numbers const kind{1, -1};
  temperature_network network(1, {.descent = {.learning_rate = 0.3}});
  numbers temperatures(2), slopes(2), first(2);
  double before = 0, after = 0;
  for (int step = 0; step < 60; ++step) {
    network.forward(matrix_view(kind, 2, 1), temperatures);
    numbers values(2);
    (void)forward_kl(matrix_view(student, 2, 3), matrix_view(teacher, 2, 3),
                     {.temperature = temperatures,
                      .scale_by_temperature_squared = false,
                      .rows = {.reduce = reduction::sum, .values = values},
                      .temperature_gradient = slopes});
    after = values[0] - values[1];
    if (step == 0) before = after;
    slopes[1] = -slopes[1];
    network.step(matrix_view(kind, 2, 1), slopes);
  }
  EXPECT_LT(after, before - 0.01);
  EXPECT_GT(temperatures[0], temperatures[1] + 1);
}

TEST(temperature_network, continues_from_its_text) {
  numbers const x = random_numbers(6, 2), slopes{1, -1};
  temperature_network_options const options{.hidden = 2, .descent = {.learning_rate = 0.1, .momentum = 0.9}};
  temperature_network network(3, options), resumed(3, options);
  for (int step = 0; step < 3; ++step) network.step(matrix_view(x, 2, 3), slopes);
  resumed.restore(network.to_text());
  network.step(matrix_view(x, 2, 3), slopes);
  resumed.step(matrix_view(x, 2, 3), slopes);
  EXPECT_EQ(resumed.to_text(), network.to_text());
  std::string const text = network.to_text();
  network.step(matrix_view(x, 2, 3), numbers{std::nan(""), 1});
  EXPECT_EQ(network.to_text(), text);
}

TEST(temperature_network, refuses) {
  std::string const where = "distil::schedule::temperature_network";
  EXPECT_EQ(refusal_of([] { temperature_network(0); }), where + ": inputs is 0; it must be at least 1");
  EXPECT_EQ(refusal_of([] { temperature_network(1, {.start = 1}); }),
            where + ": start is 1; it must be between minimum and maximum");
  temperature_network network(3);
  numbers const x(6);
  numbers temperatures(3);
  EXPECT_EQ(refusal_of([&] { network.forward(matrix_view(x, 2, 3), temperatures); }),
            where + ": features is 2 x 3; it must be 3 x 3, a row for each of the temperatures");
  EXPECT_EQ(refusal_of([&] { network.restore("parameters=1 velocities=1"); }),
            where + "::restore: number of parameters is 1; it must be 4, as of this network");
}

}  // namespace
}  // namespace distil::schedule
