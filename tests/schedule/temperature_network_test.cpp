#include "distil/schedule/temperature_network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
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

/// One of each kind.
std::vector<temperature_network_options> kinds() {
  std::vector<temperature_network_options> result;
  for (auto const bounds : {temperature_bounds::sigmoid, temperature_bounds::softplus}) {
    result.push_back({.hidden = 0, .bounds = bounds});
    for (auto const unit : {hidden_unit::tanh, hidden_unit::relu})
      result.push_back({.hidden = 4, .unit = unit, .bounds = bounds, .seed = 7});
  }
  return result;
}

double softplus(double o) { return std::log(1 + std::exp(o)); }

TEST(temperature_network, gives_every_sample_the_start_before_it_has_learned) {
  numbers const x = random_numbers(12, 1);
  for (temperature_network_options options : kinds()) {
    options.minimum = 2, options.maximum = 9, options.start = 3.5;
    temperature_network const network(3, options);
    numbers temperatures(4);
    network.forward(matrix_view(x, 4, 3), temperatures);
    for (double const T : temperatures) EXPECT_NEAR(T, 3.5, 1e-14);
  }
}

/// By hand: w = (2, -3), b = 0.5, V = (1, 0; 0, 2), a = (0, -1) at x = (0.3, 0.1).
TEST(temperature_network, is_the_formula) {
  numbers const x{0.3, 0.1}, parameters{2, -3, 0.5, 1, 0, 0, 2, 0, -1};
  struct {
    hidden_unit unit;
    double o;
  } const cases[] = {{hidden_unit::tanh, 2 * std::tanh(0.3) - 3 * std::tanh(-0.8) + 0.5},
                     {hidden_unit::relu, 2 * 0.3 + 0.5}};
  for (auto const& [unit, o] : cases) {
    for (auto const bounds : {temperature_bounds::sigmoid, temperature_bounds::softplus}) {
      temperature_network network(2,
                                  {.hidden = 2, .unit = unit, .bounds = bounds, .minimum = 1, .maximum = 11});
      std::copy(parameters.begin(), parameters.end(), network.parameters().begin());
      numbers temperature(1);
      network.forward(matrix_view(x, 1, 2), temperature);
      double const above = bounds == temperature_bounds::sigmoid ? 10 / (1 + std::exp(-o)) : softplus(o);
      EXPECT_NEAR(temperature[0], 1 + above, 1e-14);
    }
  }
}

TEST(temperature_network, has_the_gradient_of_its_temperatures) {
  numbers const by_temperature = random_numbers(5, 3);
  for (temperature_network_options const& options : kinds()) {
    numbers x = random_numbers(15, 2);
    temperature_network network(3, options);
    numbers const start = random_numbers(network.parameters().size(), 5);
    std::copy(start.begin(), start.end(), network.parameters().begin());
    numbers temperatures(5), gradient(start.size(), 77), by_features(15, 77);
    network.backward(matrix_view(x, 5, 3), by_temperature, gradient, by_features);
    auto const sum = [&] {
      network.forward(matrix_view(x, 5, 3), temperatures);
      double total = 0;
      for (std::size_t row = 0; row < 5; ++row) total += by_temperature[row] * temperatures[row];
      return total;
    };
    auto const difference = [&](double& number) {
      constexpr double h = 1e-5;
      double const was = number;
      number = was + h;
      double const above = sum();
      number = was - h;
      double const below = sum();
      number = was;
      return (above - below) / (2 * h);
    };
    for (std::size_t i = 0; i < start.size(); ++i)
      EXPECT_NEAR(gradient[i], difference(network.parameters()[i]), 1e-8) << options.hidden << ", " << i;
    for (std::size_t i = 0; i < x.size(); ++i)
      EXPECT_NEAR(by_features[i], difference(x[i]), 1e-8) << options.hidden << ", " << i;
    numbers without(start.size());
    network.backward(matrix_view(x, 5, 3), by_temperature, without);
    EXPECT_EQ(without, gradient);
  }
}

TEST(temperature_network, draws_its_weights_by_seed) {
  auto const weights = [](std::uint64_t seed) {
    temperature_network const network(3, {.hidden = 2, .seed = seed});
    return numbers(network.parameters().begin(), network.parameters().end());
  };
  EXPECT_EQ(weights(1), weights(1));
  EXPECT_NE(weights(1), weights(2));
}

TEST(temperature_network, takes_features_of_any_type_and_no_rows) {
  std::vector<int> const whole{1, -2, 3, 4};
  numbers const same{1, -2, 3, 4};
  temperature_network network(2, {.hidden = 3});
  network.parameters()[0] = 1;
  numbers of_whole(2), of_same(2), gradient(network.parameters().size(), 77);
  network.forward(matrix_view(whole, 2, 2), of_whole);
  network.forward(matrix_view(same, 2, 2), of_same);
  EXPECT_EQ(of_whole, of_same);
  EXPECT_NE(of_whole[0], of_whole[1]);
  network.forward(matrix_view(same, 0, 2), {});
  network.backward(matrix_view(same, 0, 2), {}, gradient);
  EXPECT_EQ(gradient, numbers(gradient.size(), 0.0));
}

TEST(temperature_network, keeps_to_its_bounds_and_to_the_row_of_a_nan) {
  numbers const x{1e4, -1e4, std::nan("")};
  for (temperature_network_options const& options : kinds()) {
    temperature_network network(1, options);
    numbers const start(network.parameters().size(), 1.0);
    std::copy(start.begin(), start.end(), network.parameters().begin());
    network.parameters()[0] = 1e4;
    numbers temperatures(3);
    network.forward(matrix_view(x, 3, 1), temperatures);
    EXPECT_EQ(temperatures[0], 20);
    EXPECT_GE(temperatures[1], 1);
    EXPECT_LE(temperatures[1], 20);
    EXPECT_TRUE(std::isnan(temperatures[2]));
  }
}

/// What is cut off does not go further, and a derivative that lowers it brings it back.
TEST(temperature_network, comes_back_from_its_maximum) {
  numbers const x{1};
  numbers temperature(1), gradient(2);
  temperature_network network(
      1, {.bounds = temperature_bounds::softplus, .maximum = 6, .descent = {.learning_rate = 0.5}});
  auto const after = [&](double by_temperature) {
    network.step(matrix_view(x, 1, 1), numbers{by_temperature});
    network.forward(matrix_view(x, 1, 1), temperature);
    return temperature[0];
  };
  for (int step = 0; step < 50; ++step) EXPECT_LE(after(-1), 6);
  EXPECT_EQ(temperature[0], 6);
  std::string const text = network.to_text();
  EXPECT_EQ(after(-1), 6);
  EXPECT_EQ(network.to_text(), text);
  double at = 6;
  for (int step = 0; step < 2; ++step) at = after(1);
  EXPECT_LT(at, 6);
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
  auto const with = [](temperature_network_options const& options) {
    return refusal_of([&] { temperature_network(3, options); });
  };
  EXPECT_EQ(refusal_of([] { temperature_network(0); }), where + ": inputs is 0; it must be at least 1");
  EXPECT_EQ(with({.hidden = -1}), where + ": hidden is -1; it must be >= 0");
  EXPECT_EQ(with({.minimum = 0}), where + ": minimum is 0; it must be a finite number above 0");
  EXPECT_EQ(with({.maximum = std::numeric_limits<double>::infinity()}),
            where + ": maximum is inf; it must be a finite number");
  EXPECT_EQ(with({.start = 1}), where + ": start is 1; it must be between minimum and maximum");
  EXPECT_EQ(with({.descent = {.learning_rate = 0}}),
            where + ": descent.learning_rate is 0; it must be a finite number above 0");
  temperature_network network(3);
  numbers const x(6), slopes(2);
  numbers temperatures{7, 7, 7}, gradient{7, 7, 7, 7}, by_features(5, 7);
  EXPECT_EQ(refusal_of([&] { network.forward(matrix_view(x, 2, 3), temperatures); }),
            where + ": features is 2 x 3; it must be 3 x 3, a row for each of the temperatures");
  EXPECT_EQ(refusal_of([&] { network.backward(matrix_view(x, 2, 3), slopes, temperatures); }),
            where + ": size of the gradient is 3; it must be 4, that of the parameters");
  EXPECT_EQ(refusal_of([&] { network.backward(matrix_view(x, 2, 3), slopes, gradient, by_features); }),
            where + ": size of the gradient by features is 5; it must be 6, that of the features, or 0");
  EXPECT_EQ(temperatures, numbers(3, 7.0));
  EXPECT_EQ(gradient, numbers(4, 7.0));
  EXPECT_EQ(by_features, numbers(5, 7.0));
}

/// One input and one hidden unit have as many parameters as three inputs.
TEST(temperature_network, refuses_the_text_of_another) {
  std::string const where = "distil::schedule::temperature_network::restore: ";
  temperature_network network(3);
  std::string const before = network.to_text();
  auto const from = [&](std::string const& text) { return refusal_of([&] { network.restore(text); }); };
  EXPECT_EQ(from(temperature_network(1, {.hidden = 1}).to_text()),
            where + "inputs is 1; it must be 3, as of this network");
  EXPECT_EQ(from(temperature_network(3, {.hidden = 1}).to_text()),
            where + "hidden is 1; it must be 0, as of this network");
  EXPECT_EQ(from("inputs=3 hidden=0 parameters=1 velocities=1,2,3,4"),
            where + "number of parameters is 1; it must be 4, as of this network");
  EXPECT_EQ(from("inputs=3 hidden=0 parameters=1,2,3,4 velocities=1"),
            where + "number of velocities is 1; it must be 4, as of this network");
  EXPECT_EQ(from("inputs=3 hidden=0 parameters=1,2,3,nan velocities=1,2,3,4"),
            where + "parameters is nan; it must be a finite number");
  EXPECT_NE(from("parameters=1,2,3,4 velocities=1,2,3,4"), "");
  EXPECT_EQ(network.to_text(), before);
}

}  // namespace
}  // namespace distil::schedule
