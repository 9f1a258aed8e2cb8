#include "fashion_mnist.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "idx.hpp"

namespace trainer {
namespace {

constexpr std::size_t side = 28;
constexpr int classes = 10;
constexpr std::size_t label_header = 8;  // bytes before the first label: magic number and count
constexpr std::size_t first_dimension = 4;

std::filesystem::path find(std::filesystem::path const& folder, std::string const& name) {
  for (char const* const ending : {".gz", ""}) {
    if (auto file = folder / (name + ending); std::filesystem::exists(file)) return file;
  }
  throw std::runtime_error((folder / name).string() +
                           ": expected this file, with or without .gz; it is missing");
}

[[noreturn]] void fail(std::filesystem::path const& file, std::size_t byte, std::string const& what) {
  throw std::runtime_error(file.string() + ": byte " + std::to_string(byte) + ": " + what);
}

labelled_images load(std::filesystem::path const& folder, std::string const& part) {
  auto const image_file = find(folder, part + "-images-idx3-ubyte");
  auto const label_file = find(folder, part + "-labels-idx1-ubyte");
  idx_array const images = read_idx(image_file, 3);
  idx_array const labels = read_idx(label_file, 1);

  std::size_t const count = images.dimensions[0];
  if (images.dimensions[1] != side || images.dimensions[2] != side) {
    fail(image_file, 2 * first_dimension,
         "expected images of 28x28, found " + std::to_string(images.dimensions[1]) + "x" +
             std::to_string(images.dimensions[2]));
  }
  if (labels.dimensions[0] != count) {
    fail(label_file, first_dimension,
         "expected " + std::to_string(count) + " labels, one per image, found " +
             std::to_string(labels.dimensions[0]));
  }
  auto const wrong =
      std::find_if(labels.values.begin(), labels.values.end(), [](auto label) { return label >= classes; });
  if (wrong != labels.values.end()) {
    fail(label_file, label_header + static_cast<std::size_t>(wrong - labels.values.begin()),
         "expected a label from 0 to 9, found " + std::to_string(*wrong));
  }

  using bytes = Eigen::Matrix<std::uint8_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::Map<bytes const> const pixels(images.values.data(), static_cast<Eigen::Index>(count),
                                       static_cast<Eigen::Index>(side * side));
  return {pixels.cast<float>() / 255.0F, {labels.values.begin(), labels.values.end()}};
}

}  // namespace

dataset load_fashion_mnist(std::filesystem::path const& folder) {
  return {"Fashion-MNIST",
          "Read from " + folder.string() + ".",
          side,
          side,
          {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
           "Ankle boot"},
          load(folder, "train"),
          load(folder, "t10k")};
}

}  // namespace trainer
