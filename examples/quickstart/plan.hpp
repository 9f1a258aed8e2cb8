#pragma once

#include <cstdint>
#include <distil/schedule.hpp>

#include "options.hpp"
#include "training.hpp"

namespace quickstart {

/// Everything that is decided before the first training starts.
struct plan {
  recipe teacher;
  recipe student;
  int epochs;
  std::size_t few_images;  ///< that have labels, where labels are few
  int few_passes;          ///< over them in an epoch: so few are seen more often
  int missing_class;       ///< that no student is shown, in one setting
  std::uint64_t seed;
  std::size_t seeds;
  int threads;
  distil::any_schedule temperature;
  distil::any_schedule soft_weight;
};

[[nodiscard]] plan make_plan(options const& chosen, trainer::dataset const& data);

}  // namespace quickstart
