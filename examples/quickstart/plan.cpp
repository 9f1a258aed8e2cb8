#include "plan.hpp"

#include <algorithm>
#include <thread>

namespace quickstart {

plan make_plan(options const& chosen, trainer::dataset const& data) {
  Eigen::Index const pixels = data.train.images.cols();
  auto const classes = static_cast<Eigen::Index>(data.classes.size());
  std::size_t const images = data.train.labels.size();
  bool const small = images < 10'000;

  int const usual_epochs = chosen.quick ? (small ? 5 : 2) : (small ? 30 : 6);
  int const epochs = chosen.epochs.value_or(usual_epochs);
  auto const processors = static_cast<int>(std::max(std::thread::hardware_concurrency(), 1U));
  return {
      .teacher =
          small ? recipe{{pixels, 128, classes}, 32, 5e-3} : recipe{{pixels, 512, 256, classes}, 256, 2e-3},
      .student = small ? recipe{{pixels, 16, classes}, 32, 1e-2} : recipe{{pixels, 64, classes}, 128, 3e-3},
      .epochs = epochs,
      .few_images = std::min<std::size_t>(images / 10, 1000),
      .few_passes = small ? 10 : 20,
      .missing_class = 3,
      .seed = chosen.seed,
      .seeds = static_cast<std::size_t>(chosen.seeds.value_or(chosen.quick ? 2 : 5)),
      .threads = chosen.threads.value_or(processors),
      .temperature = schedule_of(chosen.temperature, epochs),
      .soft_weight = schedule_of(chosen.soft_weight, epochs),
  };
}

}  // namespace quickstart
