#include "fit.hpp"

#include "adam.hpp"

namespace trainer {

void fit(network& network, batches& samples, batch_loss const& loss, fit_options const& options) {
  adam optimizer(network.parameters(), {.learning_rate = options.learning_rate});
  matrix gradient;
  Eigen::Index const steps = options.passes * samples.per_pass();
  for (Eigen::Index step = 0; step < steps;) {
    double const progress = static_cast<double>(step) / static_cast<double>(steps);
    batch const& drawn = samples.next();
    matrix const& logits = network.forward(drawn.inputs);
    gradient.resize(logits.rows(), logits.cols());
    loss(drawn, logits, progress, gradient);
    optimizer.step(network.backward(gradient), 1.0 - progress);
    options.after_batch(drawn);
    if (++step % samples.per_pass() == 0) options.after_pass(static_cast<int>(step / samples.per_pass()));
  }
}

}  // namespace trainer
