#include "distil/schedule/entropy_matched_temperatures.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "../support/refusal.hpp"
#include "distil/core/random_stream.hpp"

namespace distil::schedule {
namespace {

using distil::testing::refusal_of;
constexpr double infinity = std::numeric_limits<double>::infinity();

double entropy_of(std::vector<double> const& logits, double T) {
  double sum = 0, entropy = 0;
  for (double const z : logits) sum += std::exp(z / T);
  for (double const z : logits) {
    double const p = std::exp(z / T) / sum;
    if (p > 0) entropy -= p * std::log(p);
  }
  return entropy;
}

std::vector<double> random_logits(std::size_t count, std::uint64_t seed, double scale) {
  random_stream random(seed);
  std::vector<double> result(count);
  for (double& z : result) z = scale * random.normal();
  return result;
}

TEST(entropy_matched_temperatures, the_slope_is_the_variance) {
  std::vector<double> const z = random_logits(7, 1, 3.0);
  for (double const T : {0.3, 1.0, 6.0}) {
    constexpr double h = 1e-5;
    double const expected = (entropy_of(z, T * std::exp(h)) - entropy_of(z, T * std::exp(-h))) / (2 * h);
    auto const here = detail::matching::of_row(z.data(), 7, T);
    EXPECT_NEAR(here.slope, expected, 1e-9);
    EXPECT_NEAR(here.entropy, entropy_of(z, T), 1e-14);
  }
}

TEST(entropy_matched_temperatures, have_the_wanted_entropy) {
  constexpr std::size_t rows = 40, classes = 10;
  for (double const scale : {0.01, 1.0, 30.0}) {
    std::vector<double> const logits = random_logits(rows * classes, 3, scale);
    std::vector<double> temperatures(rows), wanted(rows);
    for (std::size_t r = 0; r < rows; ++r) wanted[r] = 0.05 + 2.2 * static_cast<double>(r) / rows;
    matched_rows const found =
        entropy_matched_temperatures(matrix_view(logits, rows, classes), wanted, temperatures,
                                     entropy_unit::nats, {.minimum = 1e-6, .maximum = 1e6});
    EXPECT_EQ(found, matched_rows{.reached = rows});
    for (std::size_t r = 0; r < rows; ++r) {
      std::vector<double> const row(logits.begin() + static_cast<std::ptrdiff_t>(r * classes),
                                    logits.begin() + static_cast<std::ptrdiff_t>((r + 1) * classes));
      EXPECT_NEAR(entropy_of(row, temperatures[r]), wanted[r], 1e-12) << scale;
    }
  }
}

TEST(entropy_matched_temperatures, takes_shares_of_what_masked_classes_leave) {
  std::vector<float> const logits{1, -std::numeric_limits<float>::infinity(), 3, 2};
  std::array<double, 1> temperature{};
  entropy_matched_temperatures(matrix_view(logits, 1, 4), 0.5, temperature, entropy_unit::share);
  EXPECT_NEAR(entropy_of({1, 3, 2}, temperature[0]), 0.5 * std::log(3.0), 1e-12);
}

TEST(entropy_matched_temperatures, ends_on_the_range_where_nothing_is_reached) {
  std::vector<double> const logits{0,
                                   0,
                                   0,
                                   /**/ 1,
                                   2,
                                   3,
                                   /**/ 1,
                                   2,
                                   3,
                                   /**/ std::nan(""),
                                   1,
                                   1,
                                   /**/ -infinity,
                                   -infinity,
                                   -infinity,
                                   /**/ infinity,
                                   1,
                                   1,
                                   /**/ 5,
                                   -infinity,
                                   -infinity};
  std::vector<double> const wanted{0.5, 0.001, 1.09861, 1, 1, 1, 0};
  std::vector<double> temperatures(7);
  temperature_range const range{.minimum = 0.5, .maximum = 8};
  matched_rows const found = entropy_matched_temperatures(matrix_view(logits, 7, 3), wanted, temperatures,
                                                          entropy_unit::nats, range);
  EXPECT_EQ(found, (matched_rows{.reached = 1, .at_minimum = 2, .at_maximum = 1, .undefined = 3}));
  EXPECT_EQ(temperatures, (std::vector<double>{0.5, 0.5, 8, 8, 8, 8, 0.5}));
}

TEST(entropy_matched_temperatures, survives_extremes) {
  std::vector<double> const logits{1e4, -1e4, 0, /**/ 1e-300, 0, 0};
  std::vector<double> temperatures(2);
  entropy_matched_temperatures(matrix_view(logits, 2, 3), 0.7, temperatures, entropy_unit::nats,
                               {.minimum = 1e-15, .maximum = 1e15});
  EXPECT_NEAR(entropy_of({1e4, -1e4, 0}, temperatures[0]), 0.7, 1e-12);
  EXPECT_EQ(temperatures[1], 1e-15);
}

TEST(entropy_matched_temperatures, refuses) {
  std::vector<float> const logits{1, 2, 3, 4};
  std::vector<double> temperatures{7, 7};
  auto const with = [&](row_parameter const& entropy, entropy_unit unit = entropy_unit::nats,
                        temperature_range const& range = {}) {
    return refusal_of(
        [&] { entropy_matched_temperatures(matrix_view(logits, 2, 2), entropy, temperatures, unit, range); });
  };
  std::string const where = "distil::schedule::entropy_matched_temperatures: ";
  EXPECT_EQ(with(-1), where + "entropy is -1; it must be finite and >= 0, in nats");
  EXPECT_EQ(with(1.5, entropy_unit::share),
            where + "entropy is 1.5; it must be within [0, 1], a share of log C");
  EXPECT_EQ(with(1, entropy_unit::nats, {.minimum = 0}), where + "minimum is 0; it must be finite and > 0");
  EXPECT_EQ(with(1, entropy_unit::nats, {.minimum = 2, .maximum = 2}),
            where + "maximum is 2; it must be finite and above the minimum");
  std::vector<double> const three(3);
  EXPECT_EQ(with(three), where + "entropy is of size 3; it must be one per row, 2");
  EXPECT_EQ(refusal_of([&] { entropy_matched_temperatures(matrix_view(logits, 4, 1), 1, temperatures); }),
            where + "temperatures is of size 2; it must be one per row, 4");
  EXPECT_EQ(temperatures, (std::vector<double>{7, 7}));
}

double mean_entropy(std::vector<double> const& all, std::size_t classes, double T) {
  double sum = 0;
  for (std::size_t r = 0; r < all.size(); r += classes) {
    sum += entropy_of({all.begin() + static_cast<std::ptrdiff_t>(r),
                       all.begin() + static_cast<std::ptrdiff_t>(r + classes)},
                      T);
  }
  return sum / static_cast<double>(all.size() / classes);
}

TEST(modality_temperatures, give_all_the_same_mean_entropy) {
  std::vector<double> const loud = random_logits(60, 5, 20.0), quiet = random_logits(40, 6, 0.5);
  std::array const logits{number_matrix(matrix_view(loud, 6, 10)), number_matrix(matrix_view(quiet, 10, 4))};
  std::array<double, 2> temperatures{};
  matched_rows report;
  double const wanted = modality_temperatures(logits, temperatures, {.report = &report});
  EXPECT_NEAR(wanted, 0.5 * (mean_entropy(loud, 10, 1) + mean_entropy(quiet, 4, 1)), 1e-13);
  EXPECT_NEAR(mean_entropy(loud, 10, temperatures[0]), wanted, 1e-12);
  EXPECT_NEAR(mean_entropy(quiet, 4, temperatures[1]), wanted, 1e-12);
  EXPECT_EQ(report, matched_rows{.reached = 2});
  EXPECT_GT(temperatures[0], 1.0);
  EXPECT_LT(temperatures[1], 1.0);
  EXPECT_EQ(modality_temperatures(logits, temperatures, {.entropy = 1.0}), 1.0);
  EXPECT_NEAR(mean_entropy(quiet, 4, temperatures[1]), 1.0, 1e-12);
}

/// 200 classes that know nothing have more nats than 4 can ever have; shares of log C are in common.
TEST(modality_temperatures, compare_different_numbers_of_classes_by_shares) {
  std::vector<double> const many = random_logits(600, 5, 1.0), few = random_logits(40, 6, 1.0);
  std::array const logits{number_matrix(matrix_view(many, 3, 200)), number_matrix(matrix_view(few, 10, 4))};
  std::array<double, 2> temperatures{};
  matched_rows report;
  modality_temperatures(logits, temperatures, {.report = &report});
  EXPECT_EQ(report, (matched_rows{.reached = 1, .at_maximum = 1}));
  double const wanted =
      modality_temperatures(logits, temperatures, {.unit = entropy_unit::share, .at = 2, .report = &report});
  EXPECT_EQ(report, matched_rows{.reached = 2});
  double const log_many = std::log(200.0), log_few = std::log(4.0);
  EXPECT_NEAR(wanted, 0.5 * (mean_entropy(many, 200, 2) / log_many + mean_entropy(few, 4, 2) / log_few),
              1e-13);
  EXPECT_NEAR(mean_entropy(many, 200, temperatures[0]) / log_many, wanted, 1e-12);
  EXPECT_NEAR(mean_entropy(few, 4, temperatures[1]) / log_few, wanted, 1e-12);
}

TEST(modality_temperatures, take_each_row_by_the_classes_it_has) {
  std::vector<double> const masked{1, 2, -infinity, /**/ 3, 1, 0, /**/ 7, -infinity, -infinity};
  std::array const logits{number_matrix(matrix_view(masked, 3, 3))};
  std::array<double, 1> temperature{};
  modality_temperatures(logits, temperature, {.entropy = 0.6, .unit = entropy_unit::share});
  double const T = temperature[0];  // the row of one class has no share
  EXPECT_NEAR(0.5 * (entropy_of({1, 2}, T) / std::log(2.0) + entropy_of({3, 1, 0}, T) / std::log(3.0)), 0.6,
              1e-12);
}

TEST(modality_temperatures, refuse_before_anything_is_written) {
  std::vector<double> const z{1, 2, 3, 4};
  std::array const logits{number_matrix(matrix_view(z, 2, 2))};
  std::array<double, 1> temperature{7};
  std::string const where = "distil::schedule::modality_temperatures: ";
  auto const with = [&](modality_temperature_options const& options) {
    return refusal_of([&] { modality_temperatures(logits, temperature, options); });
  };
  EXPECT_EQ(with({.entropy = -1}), where + "entropy is -1; it must be finite and >= 0, in nats");
  EXPECT_EQ(with({.entropy = 2, .unit = entropy_unit::share}),
            where + "entropy is 2; it must be within [0, 1], a share of log C");
  EXPECT_EQ(with({.at = 0}), where + "at is 0; it must be finite and > 0");
  EXPECT_EQ(with({.range = {.minimum = -1}}), where + "minimum is -1; it must be finite and > 0");
  EXPECT_EQ(temperature[0], 7);
  EXPECT_EQ(modality_temperatures({}, {}), 0);
}

TEST(modality_temperatures, leaves_out_rows_that_say_nothing) {
  std::vector<double> const first{1, 2, std::nan(""), 1}, none{std::nan(""), 0};
  std::array const logits{number_matrix(matrix_view(first, 2, 2)), number_matrix(matrix_view(none, 1, 2))};
  std::array<double, 2> temperatures{};
  matched_rows report;
  EXPECT_NEAR(modality_temperatures(logits, temperatures, {.range = {.maximum = 9}, .report = &report}),
              entropy_of({1, 2}, 1), 1e-15);
  EXPECT_NEAR(temperatures[0], 1.0, 1e-12);
  EXPECT_EQ(temperatures[1], 9.0);
  EXPECT_EQ(report, (matched_rows{.reached = 1, .undefined = 1}));
  std::array<double, 1> one{};
  EXPECT_EQ(
      refusal_of([&] { modality_temperatures(logits, one); }),
      "distil::schedule::modality_temperatures: temperatures is of size 1; it must be one per modality, 2");
}

}  // namespace
}  // namespace distil::schedule
