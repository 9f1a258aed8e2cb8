#include "digits.hpp"

#include <cstddef>
#include <iterator>

namespace trainer {
namespace {

// One line per image: the label, then its 64 pixels row by row, from a (0, background) to q (16, ink).
constexpr char const* digits[] = {
#include "data/digits.inc"
};
constexpr Eigen::Index side = 8;
constexpr Eigen::Index count = std::size(digits);
constexpr Eigen::Index test_period = 5;

void add(labelled_images& part, Eigen::Index row, char const* digit) {
  constexpr float brightest = 'q' - 'a';
  part.labels.push_back(digit[0] - '0');
  for (Eigen::Index pixel = 0; pixel < side * side; ++pixel) {
    part.images(row, pixel) = static_cast<float>(digit[1 + pixel] - 'a') / brightest;
  }
}

}  // namespace

dataset load_digits() {
  dataset data{"handwritten digits (UCI, 8x8)",
               "Embedded in the program.",
               side,
               side,
               {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
               {},
               {}};
  constexpr Eigen::Index test_count = count / test_period;
  data.train.images.resize(count - test_count, side * side);
  data.test.images.resize(test_count, side * side);
  for (Eigen::Index row = 0; row < count; ++row) {
    bool const for_test = row % test_period == test_period - 1;
    labelled_images& part = for_test ? data.test : data.train;
    add(part, static_cast<Eigen::Index>(part.labels.size()), digits[row]);
  }
  return data;
}

}  // namespace trainer
