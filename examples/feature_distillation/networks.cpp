#include "networks.hpp"

#include "trainer/dense.hpp"
#include "trainer/pooling.hpp"
#include "trainer/relu.hpp"

namespace feature_distillation {

design design_for(trainer::dataset const& data, Eigen::Index first_channels, Eigen::Index second_channels) {
  return {{static_cast<Eigen::Index>(data.image_height), static_cast<Eigen::Index>(data.image_width), 1},
          first_channels,
          second_channels,
          static_cast<Eigen::Index>(data.classes.size())};
}

trainer::network make_network(design const& how, trainer::random_numbers& random) {
  std::vector<std::unique_ptr<trainer::layer const>> layers;
  auto const add_block = [&](trainer::image_shape const& input, Eigen::Index channels) {
    layers.push_back(std::make_unique<trainer::convolution>(input, channels));
    trainer::image_shape const output{input.height, input.width, channels};
    layers.push_back(std::make_unique<trainer::relu>(output.size()));
    layers.push_back(std::make_unique<trainer::average_pooling>(output));
  };
  add_block(how.input, how.first_channels);
  add_block(how.first(), how.second_channels);
  layers.push_back(std::make_unique<trainer::dense>(how.second().size(), how.classes));
  return trainer::network(std::move(layers), random);
}

}  // namespace feature_distillation
