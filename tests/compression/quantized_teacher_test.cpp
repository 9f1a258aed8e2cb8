#include "distil/compression/quantized_teacher.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "../support/refusal.hpp"
#include "distil/core/random_stream.hpp"

namespace distil {
namespace {

using testing::refusal_of;
constexpr double infinity = std::numeric_limits<double>::infinity();

double divergence(double const* t, double const* other, index classes, double T) {
  double sum = 0, other_sum = 0, result = 0;
  for (index i = 0; i < classes; ++i) {
    sum += std::exp(t[i] / T);
    other_sum += std::exp(other[i] / T);
  }
  for (index i = 0; i < classes; ++i) {
    double const p = std::exp(t[i] / T) / sum;
    if (p > 0) result += p * (t[i] / T - std::log(sum) - other[i] / T + std::log(other_sum));
  }
  return result;
}

TEST(quantized_teacher, keeps_what_it_says_within_its_bound) {
  random_stream random(2);
  constexpr index rows = 50, classes = 101;
  std::vector<double> logits(rows * classes), decoded(logits.size());
  for (int const bits : {4, 8}) {
    for (double const scale : {0.5, 2.0, 5.0}) {
      for (double& z : logits) z = scale * random.normal();
      quantized_teacher const code({.bits = bits, .range = 10});
      std::vector<std::uint8_t> bytes(rows * code.row_bytes(classes));
      index const clipped = code.encode(matrix_view(logits, rows, classes), bytes);
      code.decode(bytes, matrix_view(decoded, rows, classes));
      for (double const T : {1.0, 2.0, 4.0}) {
        double worst = 0;
        for (index r = 0; r < rows; ++r) {
          worst = std::max(worst, divergence(&logits[static_cast<std::size_t>(r * classes)],
                                             &decoded[static_cast<std::size_t>(r * classes)], classes, T));
        }
        EXPECT_LE(worst, code.divergence_bound(T, clipped)) << bits << ", " << scale << ", " << T;
        EXPECT_GT(worst, 0.0);
        if (clipped == 0) {  // it is no idle bound
          EXPECT_GT(worst, code.divergence_bound(T, 0) / 20);
        }
      }
    }
  }
}

TEST(quantized_teacher, has_two_codes_a_byte) {
  std::vector<float> const logits{0, -1, -2, 3, -100};
  quantized_teacher const code({.bits = 4, .range = 14});
  EXPECT_EQ(code.step(), 1.0);
  std::vector<std::uint8_t> bytes(3);
  EXPECT_EQ(code.encode(matrix_view(logits, 1, 5), bytes), 1);
  EXPECT_EQ(bytes, (std::vector<std::uint8_t>{0x43, 0x05, 0x0E}));
  std::vector<float> decoded(5);
  code.decode(bytes, matrix_view(decoded, 1, 5));
  EXPECT_EQ(decoded, (std::vector<float>{-3, -4, -5, 0, -14}));
}

TEST(quantized_teacher, keeps_masks_and_gives_up_rows_that_are_no_numbers) {
  std::vector<double> const logits{1, -infinity,      0,         /**/ std::nan(""), 1, 2, /**/ infinity, 1,
                                   2, /**/ -infinity, -infinity, -infinity};
  for (int const bits : {4, 8}) {
    quantized_teacher const code({.bits = bits});
    std::vector<std::uint8_t> bytes(4 * code.row_bytes(3));
    code.encode(matrix_view(logits, 4, 3), bytes);
    std::vector<double> decoded(12);
    code.decode(bytes, matrix_view(decoded, 4, 3));
    EXPECT_EQ(decoded[0], 0.0);
    EXPECT_EQ(decoded[1], -infinity);
    for (std::size_t i = 3; i < 12; ++i) EXPECT_EQ(decoded[i], -infinity);
  }
}

TEST(quantized_teacher, refuses) {
  EXPECT_EQ(refusal_of([] { quantized_teacher({.bits = 5}); }),
            "distil::quantized_teacher: bits is 5; it must be 4 or 8");
  std::vector<float> logits{1, 2, 3};
  std::vector<std::uint8_t> bytes(3);
  EXPECT_EQ(refusal_of([&] { quantized_teacher().encode(matrix_view(logits, 1, 3), bytes); }),
            "distil::quantized_teacher: number of bytes is 3; it must be 2, 2 a row");
}

TEST(least_lossy_temperature, loses_least_there) {
  random_stream random(4);
  std::vector<double> logits(40 * 20);
  for (double& z : logits) z = 6 * random.normal();
  auto const at = [&](double T) {
    return least_lossy_temperature(matrix_view(logits, 40, 20), {.minimum = T, .maximum = T * (1 + 1e-9)})
        .divergence;
  };
  quantized_temperature const found =
      least_lossy_temperature(matrix_view(logits, 40, 20), {.minimum = 2, .maximum = 30});
  for (double T = 2; T <= 30; T *= 1.2) EXPECT_GE(at(T), found.divergence - 1e-9) << T;
  EXPECT_NEAR(at(found.temperature), found.divergence, 1e-9);
  EXPECT_EQ(refusal_of([&] { (void)least_lossy_temperature(matrix_view(logits, 40, 20), {.minimum = 0}); }),
            "distil::least_lossy_temperature: minimum is 0; it must be finite and > 0");
}

/// Of probabilities 0.5, 0.3, 0.2 in two bits: 3, 2 and 1 of 6.
TEST(least_lossy_temperature, states_the_divergence) {
  std::vector<double> const logits{std::log(0.5), std::log(0.3), std::log(0.2)};
  double const expected =
      0.5 * std::log(0.5 * 6 / 3) + 0.3 * std::log(0.3 * 6 / 2) + 0.2 * std::log(0.2 * 6 / 1);
  EXPECT_NEAR(
      least_lossy_temperature(matrix_view(logits, 1, 3), {.bits = 2, .minimum = 1, .maximum = 1 + 1e-9})
          .divergence,
      expected, 1e-8);
}

}  // namespace
}  // namespace distil
