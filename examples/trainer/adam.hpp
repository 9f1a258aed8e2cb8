#pragma once

#include <cstdint>
#include <span>

#include "matrix.hpp"

namespace trainer {

struct adam_options {
  double learning_rate = 1e-3;
  double first_decay = 0.9;     ///< beta 1: memory of the gradient
  double second_decay = 0.999;  ///< beta 2: memory of its square
  double epsilon = 1e-8;
};

/// Adam (Kingma, Ba 2015, algorithm 1). Points at the parameters it steps; they must outlive it.
class adam {
 public:
  explicit adam(std::span<float> parameters, adam_options options = {});

  /// @param share of the learning rate, for learning rate schedules.
  /// @throws std::invalid_argument unless there is one gradient per parameter.
  void step(std::span<float const> gradients, double share = 1.0);

 private:
  std::span<float> parameters_;
  adam_options options_;
  aligned_floats first_;   // running mean of the gradient
  aligned_floats second_;  // running mean of its square
  std::int64_t steps_ = 0;
};

}  // namespace trainer
