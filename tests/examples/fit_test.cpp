#include "trainer/fit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <distil/distil.hpp>
#include <numeric>

#include "trainer/digits.hpp"
#include "trainer/metrics.hpp"

namespace {

using trainer::matrix;

/// The logits for the test images after three passes over the digits.
matrix trained_logits(std::uint64_t seed) {
  trainer::dataset const data = trainer::load_digits();
  std::vector<Eigen::Index> rows(data.train.labels.size());
  std::iota(rows.begin(), rows.end(), 0);
  trainer::random_numbers random(seed);
  trainer::network network = trainer::multilayer_perceptron({64, 32, 10}, random);
  trainer::batches samples(data.train, rows, 32, random);
  auto const loss = [](trainer::batch const& drawn, matrix const& logits, double, matrix& gradient) {
    distil::cross_entropy.with_grad(logits, drawn.labels, gradient);
  };
  trainer::fit(network, samples, loss, {.passes = 3, .learning_rate = 1e-2});
  return network.predict(data.test.images);
}

TEST(fit, learns_the_digits) {
  trainer::dataset const data = trainer::load_digits();
  EXPECT_GT(trainer::accuracy(trained_logits(1), data.test.labels), 0.9);
}

TEST(fit, gives_the_same_network_for_the_same_seed) {
  EXPECT_EQ(trained_logits(2), trained_logits(2));
  EXPECT_NE(trained_logits(2), trained_logits(3));
}

TEST(fit, tells_of_every_batch_and_pass_and_of_progress) {
  trainer::labelled_images const images{matrix::Ones(7, 2), {0, 1, 0, 1, 0, 1, 0}};
  trainer::random_numbers random(1);
  trainer::network network = trainer::multilayer_perceptron({2, 2}, random);
  trainer::batches samples(images, {0, 1, 2, 3, 4, 5, 6}, 4, random);
  std::vector<double> progress;
  std::vector<std::size_t> batch_sizes;
  std::vector<int> passes;
  trainer::fit(network, samples,
               [&](trainer::batch const&, matrix const&, double done, matrix& gradient) {
                 progress.push_back(done);
                 gradient.setZero();
               },
               {.passes = 2,
                .after_batch = [&](trainer::batch const& drawn) { batch_sizes.push_back(drawn.rows.size()); },
                .after_pass = [&](int done) { passes.push_back(done); }});
  EXPECT_EQ(progress, (std::vector<double>{0, 0.25, 0.5, 0.75}));
  EXPECT_EQ(batch_sizes, (std::vector<std::size_t>{4, 3, 4, 3}));
  EXPECT_EQ(passes, (std::vector<int>{1, 2}));
}

}  // namespace
