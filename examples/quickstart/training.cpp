#include "training.hpp"

#include <chrono>

#include "trainer/metrics.hpp"

namespace quickstart {

outcome train(trainer::network& network, trainer::random_numbers const& random, trainer::dataset const& data,
              recipe const& how, lesson const& what, trainer::progress_bar& progress) {
  using clock = std::chrono::steady_clock;
  outcome result;
  trainer::batches samples(data.train, what.rows, how.batch_size, random);
  auto started = clock::now();

  auto const advance = [&](trainer::batch const& drawn) {
    progress.advance(static_cast<std::int64_t>(drawn.rows.size()));
  };
  auto const test = [&](int passes) {
    if (passes % what.passes_per_epoch != 0) return;
    result.seconds += std::chrono::duration<double>(clock::now() - started).count();
    result.test_logits = network.predict(data.test.images);
    result.curve.push_back(trainer::accuracy(result.test_logits, data.test.labels));
    started = clock::now();
  };
  trainer::fit(network, samples, what.loss,
               {.passes = what.epochs * what.passes_per_epoch,
                .learning_rate = how.learning_rate,
                .after_batch = advance,
                .after_pass = test});
  return result;
}

}  // namespace quickstart
