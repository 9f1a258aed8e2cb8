#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "matrix.hpp"

namespace trainer {

/// Labelled grayscale images, one a row, pixels from 0 (black) to 1 (white).
struct labelled_images {
  matrix images;
  std::vector<int> labels;  ///< in [0, classes)
};

/// A classification task: what to learn from and what to be judged by.
struct dataset {
  std::string name;
  std::string source;  ///< a sentence: where it came from
  std::size_t image_width = 0;
  std::size_t image_height = 0;
  std::vector<std::string> classes;  ///< one name per class
  labelled_images train;
  labelled_images test;
};

}  // namespace trainer
