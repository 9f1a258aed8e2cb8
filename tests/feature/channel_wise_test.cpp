#include "distil/feature/channel_wise.hpp"

#include "../support/cases/channel_wise.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<channel_wise_case> const suites("channel_wise");

template <class T>
void expect_slopes(double offset) {
  std::vector<double> const weights = {0.5, 0.0, 2.0};
  for (auto s : channel_wise_case::settings()) {
    for (bool const in_place : {false, true}) {
      pair_batch<T> b({{3, 2, 4, 3}, {3, 2, 4, 3}});
      for_each_element(b.student.shape(), [&](index n, index c, index y, index x) {
        b.student.set(n, c, y, x, b.student.at(n, c, y, x) + offset);
        b.teacher.set(n, c, y, x, b.teacher.at(n, c, y, x) - offset);
      });
      s.options.weights = weights;
      auto const student = b.student.exact(), teacher = b.teacher.exact();
      double found = 0;
      s.options.temperature_gradient = {&found, 1};
      (void)channel_wise_case::value(serial, b, s);
      double const whole = found;
      for (double const weight : {0.5, 0.0, 1.0}) {
        s.options.weight = weight;
        (void)channel_wise_case::value(serial, b, s);
        EXPECT_EQ(found, weight * whole) << s.label;
      }
      expect_pair<channel_wise_case>(b, s, "with a derivative by the temperature");
      found = 0;
      channel_wise_case::with_grad(serial, b, in_place ? b.student : b.gradient, s, false);
      double const range = 4;  // of the entries, but for what they all share
      double const t = s.options.temperature, squared = s.options.scale_by_temperature_squared ? t * t : 1;
      expect_slope(
          found, [&](long double moved) { return channel_wise_case::of(student, teacher, s, moved); }, t,
          channel_wise_case::bound, std::numeric_limits<T>::epsilon(), squared * (1 + range / t), s.label);
    }
  }
}

TEST(channel_wise, moves_by_temperature) {
  expect_slopes<double>(0);
  expect_slopes<float>(0);
}

TEST(channel_wise, moves_by_temperature_whatever_all_positions_share) { expect_slopes<float>(64); }

TEST(channel_wise, leaves_out_masked_positions) {
  pair_batch<double> b({{2, 3, 1, 5}, {2, 3, 1, 5}}), fewer({{2, 3, 1, 4}, {2, 3, 1, 4}});
  auto const take = [&](auto& from, auto& to) {
    to.fill([&](index n, index c, index y, index x) { return from.at(n, c, y, x); });
    for (index n = 0; n < 2; ++n) {
      for (index c = 0; c < 3; ++c) from.set(n, c, 0, 4, minus_infinity);
    }
  };
  take(b.student, fewer.student), take(b.teacher, fewer.teacher);
  double of_masked = 0, of_fewer = 0;
  double const expected =
      channel_wise.with_grad(fewer.student.map(), fewer.teacher.map(), fewer.gradient.map(),
                             {.temperature = 2, .temperature_gradient = {&of_fewer, 1}});
  EXPECT_NEAR(channel_wise.with_grad(b.student.map(), b.teacher.map(), b.gradient.map(),
                                     {.temperature = 2, .temperature_gradient = {&of_masked, 1}}),
              expected, 1e-15);
  EXPECT_NEAR(of_masked, of_fewer, 1e-14);
  EXPECT_EQ(b.gradient.at(1, 2, 0, 4), 0.0);
  EXPECT_NEAR(b.gradient.at(1, 2, 0, 3), fewer.gradient.at(1, 2, 0, 3), 1e-16);
  b.student.fill(minus_infinity);
  EXPECT_EQ(channel_wise.with_grad(b.student.map(), b.teacher.map(), b.gradient.map(),
                                   {.temperature_gradient = {&of_masked, 1}}),
            0.0);
  EXPECT_EQ(of_masked, 0.0);
}

TEST(channel_wise, keeps_its_precision_at_the_ends) {
  for (double const temperature : {0.05, 100.0}) {
    pair_batch<float> b({{2, 3, 4, 3}, {2, 3, 4, 3}});
    channel_wise_case::setting s;
    s.options.temperature = temperature;
    expect_pair<channel_wise_case>(b, s, "T=" + std::to_string(temperature));
  }
}

TEST(channel_wise, refuses) {
  pair_batch<float> b({{3, 5, 4, 3}, {3, 5, 4, 3}});
  auto const with = [&](channel_wise_options const& options) {
    return refusal_of([&] { (void)channel_wise(b.student.map(), b.teacher.map(), options); });
  };
  EXPECT_EQ(with({.temperature = 0}),
            "distil::channel_wise: temperature is 0; it must be within [1e-15, 1e15]");
  std::vector<double> two(2);
  EXPECT_EQ(with({.temperature_gradient = two}),
            "distil::channel_wise: temperature_gradient is of size 2; it must be empty or one");
  EXPECT_EQ(with({.weights = two}),
            "distil::channel_wise: weights is of size 2; it must be one per sample, 3");
}

}  // namespace
}  // namespace distil::testing
