#include "distil/core/random_stream.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>

#include "../support/refusal.hpp"

namespace distil {
namespace {

using testing::refusal_of;

/// The first numbers of SplitMix64 for the seed 1234567, which its published code gives.
TEST(random_stream, is_splitmix64) {
  random_stream stream(1234567);
  for (std::uint64_t const expected :
       {6457827717110365317U, 3203168211198807973U, 9817491932198370423U, 4593380528125082431U}) {
    EXPECT_EQ(stream.bits(), expected);
  }
}

TEST(random_stream, continues_from_its_state) {
  random_stream stream(7);
  stream.normal();
  random_stream copy(stream.state());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(stream.uniform(), copy.uniform());
}

TEST(random_stream, has_the_moments_of_its_distributions) {
  random_stream stream(1);
  constexpr int count = 100000;
  double uniform = 0, uniform_squares = 0, normal = 0, normal_squares = 0, fourth = 0;
  std::array<int, 7> drawn{};
  for (int i = 0; i < count; ++i) {
    double const u = stream.uniform(), z = stream.normal();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    uniform += u;
    uniform_squares += u * u;
    normal += z;
    normal_squares += z * z;
    fourth += z * z * z * z;
    ++drawn.at(static_cast<std::size_t>(stream.below(7)));
  }
  // Five deviations of a mean of so many.
  EXPECT_NEAR(uniform / count, 0.5, 0.005);
  EXPECT_NEAR(uniform_squares / count, 1.0 / 3, 0.005);
  EXPECT_NEAR(normal / count, 0.0, 0.016);
  EXPECT_NEAR(normal_squares / count, 1.0, 0.023);
  EXPECT_NEAR(fourth / count, 3.0, 0.16);
  for (int const times : drawn) EXPECT_NEAR(times, count / 7.0, 560.0);
}

TEST(random_stream, refuses_to_draw_from_nothing) {
  EXPECT_EQ(refusal_of([] { random_stream(1).below(0); }),
            "distil::random_stream: count is 0; it must be within [1, 2^53]");
}

}  // namespace
}  // namespace distil
