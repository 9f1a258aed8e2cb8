#include "adam.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace trainer {

adam::adam(std::span<float> parameters, adam_options options)
    : parameters_(parameters), options_(options), first_(parameters.size()), second_(parameters.size()) {}

void adam::step(std::span<float const> gradients, double share) {
  if (gradients.size() != parameters_.size()) {
    throw std::invalid_argument("trainer::adam: there are " + std::to_string(gradients.size()) +
                                " gradients; there must be one for each of the " +
                                std::to_string(parameters_.size()) + " parameters");
  }
  ++steps_;
  auto const steps = static_cast<double>(steps_);
  double const first_bias = 1.0 - std::pow(options_.first_decay, steps);
  double const second_bias = 1.0 - std::pow(options_.second_decay, steps);
  auto const rate = static_cast<float>(share * options_.learning_rate / first_bias);
  auto const second_scale = static_cast<float>(1.0 / std::sqrt(second_bias));
  auto const first_decay = static_cast<float>(options_.first_decay);
  auto const second_decay = static_cast<float>(options_.second_decay);
  auto const fresh_first = static_cast<float>(1.0 - options_.first_decay);
  auto const fresh_second = static_cast<float>(1.0 - options_.second_decay);
  auto const epsilon = static_cast<float>(options_.epsilon);

  // Blocks stay in the first-level cache between the three expressions.
  constexpr std::size_t block = 2048;
  for (std::size_t begin = 0; begin < parameters_.size(); begin += block) {
    auto const size = static_cast<Eigen::Index>(std::min(block, parameters_.size() - begin));
    Eigen::Map<Eigen::ArrayXf const> const gradient(gradients.data() + begin, size);
    Eigen::Map<Eigen::ArrayXf> parameter(parameters_.data() + begin, size);
    Eigen::Map<Eigen::ArrayXf> first(first_.data() + begin, size);
    Eigen::Map<Eigen::ArrayXf> second(second_.data() + begin, size);
    first = first_decay * first + fresh_first * gradient;
    second = second_decay * second + fresh_second * gradient.square();
    parameter -= rate * first / (second_scale * second.sqrt() + epsilon);
  }
}

}  // namespace trainer
