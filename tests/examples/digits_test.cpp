#include "trainer/digits.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace {

TEST(digits, are_the_published_ones) {
  trainer::dataset const data = trainer::load_digits();
  ASSERT_EQ(data.train.images.rows() + data.test.images.rows(), 1797);
  ASSERT_EQ(data.train.labels.size(), 1438U);
  ASSERT_EQ(data.test.labels.size(), 359U);

  // Back in the order of the published table, as bytes: 64 pixels from 0 to 16, then the label.
  std::vector<std::uint8_t> table;
  Eigen::Index train = 0;
  Eigen::Index test = 0;
  for (int row = 0; row < 1797; ++row) {
    bool const from_test = row % 5 == 4;
    auto const& part = from_test ? data.test : data.train;
    Eigen::Index const at = from_test ? test++ : train++;
    for (float const pixel : part.images.row(at)) {
      table.push_back(static_cast<std::uint8_t>(std::lround(pixel * 16.0F)));
    }
    table.push_back(static_cast<std::uint8_t>(part.labels[static_cast<std::size_t>(at)]));
  }
  EXPECT_EQ(crc32(0, table.data(), static_cast<unsigned>(table.size())), 0xE7D89AA3U);
}

TEST(digits, have_pixels_from_0_to_1_and_every_class) {
  trainer::dataset const data = trainer::load_digits();
  EXPECT_EQ(data.train.images.minCoeff(), 0.0F);
  EXPECT_EQ(data.train.images.maxCoeff(), 1.0F);
  for (int label = 0; label < 10; ++label) {
    EXPECT_GT(std::count(data.train.labels.begin(), data.train.labels.end(), label), 100) << label;
    EXPECT_GT(std::count(data.test.labels.begin(), data.test.labels.end(), label), 20) << label;
  }
}

}  // namespace
