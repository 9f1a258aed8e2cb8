#pragma once

#include <filesystem>

#include "dataset.hpp"

namespace trainer {

/// Where Debian's package dataset-fashion-mnist installs it.
inline constexpr char const* fashion_mnist_folder = "/usr/share/datasets/fashion-mnist";

/// Fashion-MNIST (Xiao, Rasul, Vollgraf 2017): 60,000 + 10,000 images of 28x28, ten kinds of clothing.
///
/// Reads {train,t10k}-images-idx3-ubyte and {train,t10k}-labels-idx1-ubyte, each with or without .gz.
/// @throws std::runtime_error that names file, byte and expectation when one is missing or is not what it
/// should be.
[[nodiscard]] dataset load_fashion_mnist(std::filesystem::path const& folder = fashion_mnist_folder);

}  // namespace trainer
