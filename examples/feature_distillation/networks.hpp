#pragma once

#include <distil/core/feature_map.hpp>

#include "trainer/convolution.hpp"
#include "trainer/dataset.hpp"
#include "trainer/network.hpp"

namespace feature_distillation {

/// Two blocks of convolution, ReLU and pooling, and a dense layer. The blocks' outputs are the features that teach.
struct design {
  trainer::image_shape input;
  Eigen::Index first_channels, second_channels;
  Eigen::Index classes;

  [[nodiscard]] trainer::image_shape first() const {
    return {input.height / 2, input.width / 2, first_channels};
  }
  [[nodiscard]] trainer::image_shape second() const {
    return {input.height / 4, input.width / 4, second_channels};
  }
};

inline constexpr std::size_t first_block = 2, second_block = 5;  // layers whose outputs are features

[[nodiscard]] design design_for(trainer::dataset const& data, Eigen::Index first_channels,
                                Eigen::Index second_channels);
[[nodiscard]] trainer::network make_network(design const& how, trainer::random_numbers& random);

/// Features as distil takes them: an image a row, channels last.
inline distil::feature_map<float const> as_map(trainer::matrix const& rows,
                                               trainer::image_shape const& shape) {
  return distil::channels_last(rows.data(), rows.rows(), shape.channels, shape.height, shape.width);
}
inline distil::feature_map<float> as_map(trainer::matrix& rows, trainer::image_shape const& shape) {
  return distil::channels_last(rows.data(), rows.rows(), shape.channels, shape.height, shape.width);
}

}  // namespace feature_distillation
