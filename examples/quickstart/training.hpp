#pragma once

#include <cstdint>
#include <vector>

#include "trainer/dataset.hpp"
#include "trainer/fit.hpp"
#include "trainer/progress.hpp"

namespace quickstart {

/// How a network is built and trained, whatever it learns from.
struct recipe {
  std::vector<Eigen::Index> widths;  ///< from pixels to classes
  Eigen::Index batch_size = 128;
  double learning_rate = 3e-3;
};

/// What there is to learn, and how often it is gone through.
struct lesson {
  std::vector<Eigen::Index> rows;  ///< of the training images
  trainer::batch_loss loss;
  int epochs = 1;
  int passes_per_epoch = 1;  ///< over the rows; more than one where there are few

  /// Images that go through the network, again and again.
  [[nodiscard]] std::int64_t images() const {
    return static_cast<std::int64_t>(rows.size()) * epochs * passes_per_epoch;
  }
};

/// What came of one training.
struct outcome {
  std::vector<double> curve;    ///< test accuracy after each epoch
  trainer::matrix test_logits;  ///< at the end
  double seconds = 0;           ///< of training, without the tests
};

/// Trains the network, which `random` has just initialised and which now draws the batches.
[[nodiscard]] outcome train(trainer::network& network, trainer::random_numbers const& random,
                            trainer::dataset const& data, recipe const& how, lesson const& what,
                            trainer::progress_bar& progress);

}  // namespace quickstart
