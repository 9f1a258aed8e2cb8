#include "trainer/fashion_mnist.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "idx_files.hpp"

namespace {

using idx_files::bytes;

/// A folder with a few images in each part, the labels compressed.
class fashion_mnist : public testing::Test {
 protected:
  fashion_mnist() {
    write_part("train", 20);
    write_part("t10k", 5);
  }

  void write_part(std::string const& part, std::uint32_t images) const {
    folder.write(part + "-images-idx3-ubyte", idx_files::idx({images, 28, 28}));
    bytes labels = idx_files::idx({images});
    for (std::size_t at = 8; at < labels.size(); ++at) labels[at] %= 10;
    folder.write_compressed(part + "-labels-idx1-ubyte.gz", labels);
  }

  void expect_refusal(std::string const& what) const {
    try {
      static_cast<void>(trainer::load_fashion_mnist(folder.path()));
      FAIL() << "it was taken";
    } catch (std::runtime_error const& error) {
      EXPECT_EQ(std::string(error.what()).rfind((folder.path() / what).string(), 0), 0U) << error.what();
    }
  }

  idx_files::folder const folder;
};

TEST_F(fashion_mnist, loads_pixels_from_0_to_1_and_labels) {
  trainer::dataset const data = trainer::load_fashion_mnist(folder.path());
  EXPECT_EQ(data.train.images.rows(), 20);
  EXPECT_EQ(data.test.images.rows(), 5);
  EXPECT_EQ(data.train.images.cols(), 784);
  EXPECT_EQ(data.train.images(0, 250), 250.0F / 255.0F);
  EXPECT_EQ(data.train.images(0, 251), 0.0F);
  EXPECT_EQ(data.train.labels[13], 3);
  EXPECT_EQ(data.classes.size(), 10U);
}

TEST_F(fashion_mnist, names_a_missing_file) {
  std::filesystem::remove(folder.path() / "t10k-labels-idx1-ubyte.gz");
  expect_refusal("t10k-labels-idx1-ubyte: expected this file, with or without .gz; it is missing");
}

TEST_F(fashion_mnist, refuses_images_of_another_size) {
  folder.write("train-images-idx3-ubyte", idx_files::idx({20, 32, 28}));
  expect_refusal("train-images-idx3-ubyte: byte 8: expected images of 28x28, found 32x28");
}

TEST_F(fashion_mnist, refuses_more_labels_than_images) {
  folder.write_compressed("train-labels-idx1-ubyte.gz", idx_files::idx({21}));
  expect_refusal("train-labels-idx1-ubyte.gz: byte 4: expected 20 labels, one per image, found 21");
}

TEST_F(fashion_mnist, refuses_a_label_that_is_no_class) {
  folder.write_compressed("train-labels-idx1-ubyte.gz", idx_files::idx({20}));
  expect_refusal("train-labels-idx1-ubyte.gz: byte 18: expected a label from 0 to 9, found 10");
}

TEST_F(fashion_mnist, refuses_images_where_labels_should_be) {
  folder.write_compressed("train-labels-idx1-ubyte.gz", idx_files::idx({20, 28, 28}));
  expect_refusal("train-labels-idx1-ubyte.gz: byte 0: expected the magic number 0 0 8 1");
}

TEST(fashion_mnist_installed, has_the_known_content) {
  if (!std::filesystem::exists(trainer::fashion_mnist_folder))
    GTEST_SKIP() << "dataset-fashion-mnist is absent";
  trainer::dataset const data = trainer::load_fashion_mnist();
  EXPECT_EQ(data.train.labels.size(), 60'000U);
  EXPECT_EQ(data.test.labels.size(), 10'000U);
  // First labels of the published files: ankle boot, T-shirt, T-shirt, dress.
  EXPECT_EQ((std::vector<int>{data.train.labels.begin(), data.train.labels.begin() + 4}),
            (std::vector<int>{9, 0, 0, 3}));
  // Mean pixel of the training images as published: 0.2860.
  EXPECT_NEAR(data.train.images.cast<double>().mean(), 0.2860, 5e-5);
}

}  // namespace
