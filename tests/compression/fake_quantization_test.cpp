#include "distil/compression/fake_quantization.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "../support/refusal.hpp"

namespace distil {
namespace {

using testing::refusal_of;
using numbers = std::vector<double>;

template <class Numbers>
auto of(Numbers& all, index rows) {
  return matrix_view(all, rows, static_cast<index>(all.size()) / rows);
}

TEST(fake_quantization, has_the_codes_of_its_range) {
  fake_quantization const restricted({.bits = 3}),
      full({.bits = 3, .range = quantized_range::full_symmetric}),
      affine({.bits = 3, .range = quantized_range::affine});
  EXPECT_EQ(restricted.least_code(), -3);
  EXPECT_EQ(restricted.most_code(), 3);
  EXPECT_EQ(full.least_code(), -4);
  EXPECT_EQ(full.most_code(), 3);
  EXPECT_EQ(affine.least_code(), 0);
  EXPECT_EQ(affine.most_code(), 7);
}

TEST(fake_quantization, takes_its_steps_from_the_range) {
  numbers const x{-6, 1.2, 3, 0.9};
  EXPECT_EQ(fake_quantization({.bits = 3}).scales(of(x, 1))[0].step, 2.0);
  EXPECT_EQ(fake_quantization({.bits = 8}).scales(of(x, 1))[0].step, 6.0 / 127);
  EXPECT_EQ(fake_quantization({.bits = 8, .range = quantized_range::full_symmetric}).scales(of(x, 1))[0].step,
            6.0 / 127.5);
  auto const affine = fake_quantization({.bits = 2, .range = quantized_range::affine}).scales(of(x, 1))[0];
  EXPECT_EQ(affine.step, 3.0);
  EXPECT_EQ(affine.zero, 2.0);
  numbers const positive{2, 4};  // 0 has a code all the same
  EXPECT_EQ(fake_quantization({.bits = 2, .range = quantized_range::affine}).scales(of(positive, 1))[0].zero,
            0.0);
}

TEST(fake_quantization, rounds_to_the_nearest_code_and_to_even) {
  numbers const x{-6, 1.2, 3, 0.9, -1, 5}, expected{-6, 2, 4, 0, 0, 4};
  numbers rounded(6);
  fake_quantization const in_3_bits({.bits = 3});
  auto const scales = in_3_bits.scales(of(x, 1));
  in_3_bits.round(of(x, 1), scales, of(rounded, 1));
  // 3 / 2 is halfway and goes to 2, -1 / 2 to 0; 5 / 2 goes to 2.
  EXPECT_EQ(rounded, expected);
  EXPECT_EQ(in_3_bits.code(3, scales[0]), 2);
  numbers again = rounded;
  in_3_bits.round(of(again, 1), scales, of(again, 1));
  EXPECT_EQ(again, rounded);
}

TEST(fake_quantization, is_within_half_a_step_of_what_it_can_hold) {
  for (auto const range :
       {quantized_range::symmetric, quantized_range::full_symmetric, quantized_range::affine}) {
    for (int bits = 2; bits <= 8; ++bits) {
      std::vector<float> x, rounded(101);
      for (int i = 0; i <= 100; ++i) x.push_back(0.07F * static_cast<float>(i - 35));
      fake_quantization const quantization({.bits = bits, .range = range});
      auto const scale = quantization.scales(of(x, 1))[0];
      quantization.round(of(x, 1), std::vector{scale}, of(rounded, 1));
      for (std::size_t i = 0; i < x.size(); ++i) {
        double const most =
            static_cast<double>(x[i]) > scale.step * (quantization.most_code() - scale.zero) ? 1.0 : 0.5001;
        EXPECT_LE(std::abs(rounded[i] - x[i]), most * scale.step) << bits;
      }
      EXPECT_EQ(rounded[35], 0.0F);
    }
  }
}

TEST(fake_quantization, shares_scales_by_rows_or_columns) {
  numbers const x{1, -2, /**/ 30, 3}, by_row{2.0 / 127, 30.0 / 127}, by_column{30.0 / 127, 3.0 / 127};
  auto const rows = fake_quantization({.share = quantized_by::row}).scales(of(x, 2));
  auto const columns = fake_quantization({.share = quantized_by::column}).scales(of(x, 2));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(rows[i].step, by_row[i]);
    EXPECT_EQ(columns[i].step, by_column[i]);
  }
}

TEST(fake_quantization, hands_on_the_gradient_as_it_is_told) {
  numbers const x{-7.1, -6.9, -6, 0, 6, 6.9, 7.1}, gradient{1, 2, 3, 4, 5, 6, 7};
  std::vector<quantized_scale> const scale{{2, 0}};
  auto const with = [&](straight_through how) {
    numbers result(7);
    fake_quantization({.bits = 3, .gradient = how})
        .pull_back(of(x, 1), scale, of(gradient, 1), of(result, 1));
    return result;
  };
  EXPECT_EQ(with(straight_through::inside), (numbers{0, 2, 3, 4, 5, 6, 0}));
  EXPECT_EQ(with(straight_through::clamped), (numbers{0, 0, 3, 4, 5, 0, 0}));
  EXPECT_EQ(with(straight_through::everywhere), gradient);
}

TEST(fake_quantization, survives_what_is_no_number_and_zeros) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  numbers const x{std::nan(""), infinity, -infinity, 1, -1}, zeros{0, 0};
  fake_quantization const in_4_bits({.bits = 4});
  auto const scales = in_4_bits.scales(of(x, 1));
  EXPECT_EQ(scales[0].step, 1.0 / 7);
  numbers rounded(5), same(2);
  in_4_bits.round(of(x, 1), scales, of(rounded, 1));
  EXPECT_TRUE(std::isnan(rounded[0]));
  EXPECT_NEAR(rounded[1], 1.0, 1e-15);
  EXPECT_NEAR(rounded[2], -1.0, 1e-15);
  in_4_bits.round(of(zeros, 1), in_4_bits.scales(of(zeros, 1)), of(same, 1));
  EXPECT_EQ(same, zeros);
  numbers gradient{1, 2};
  in_4_bits.pull_back(of(zeros, 1), in_4_bits.scales(of(zeros, 1)), of(gradient, 1), of(gradient, 1));
  EXPECT_EQ(gradient, (numbers{1, 2}));
}

TEST(fake_quantization, refuses) {
  EXPECT_EQ(refusal_of([] { fake_quantization({.bits = 9}); }),
            "distil::fake_quantization: bits is 9; it must be within [2, 8]");
  numbers x{1, 2};
  fake_quantization const quantization;
  EXPECT_EQ(refusal_of([&] { quantization.round(of(x, 1), std::vector<quantized_scale>(2), of(x, 1)); }),
            "distil::fake_quantization: number of scales is 2; it must be 1, one for what shares it");
  EXPECT_EQ(refusal_of([&] {
              quantization.round(of(x, 1), std::vector<quantized_scale>{{-1, 0}}, of(x, 1));
            }),
            "distil::fake_quantization: step is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] {
              quantization.round(of(x, 1), std::vector<quantized_scale>{{1, 0.5}}, of(x, 1));
            }),
            "distil::fake_quantization: zero is 0.5; it must be a code");
}

}  // namespace
}  // namespace distil
