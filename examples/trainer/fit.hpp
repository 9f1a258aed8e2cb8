#pragma once

#include <functional>

#include "batches.hpp"
#include "network.hpp"

namespace trainer {

/// Writes dL/d(logits) for one batch; `progress` is the share of the run that is done, from 0 to below 1.
using batch_loss =
    std::function<void(batch const& samples, matrix const& logits, double progress, matrix& gradient)>;

struct fit_options {
  int passes = 1;               ///< over the rows of the batches
  double learning_rate = 2e-3;  ///< of Adam; falls linearly to 0 over the run
  std::function<void(batch const& samples)> after_batch = [](batch const&) {};
  std::function<void(int passes)> after_pass = [](int) {};  ///< with the number of passes done
};

/// Trains the network: forward, loss, backward, step.
void fit(network& network, batches& samples, batch_loss const& loss, fit_options const& options);

}  // namespace trainer
