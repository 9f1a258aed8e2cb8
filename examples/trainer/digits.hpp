#pragma once

#include "dataset.hpp"

namespace trainer {

/// 1,797 handwritten digits of 8x8 pixels, embedded: needs no file. Every fifth one is for testing.
///
/// From "Optical Recognition of Handwritten Digits" (E. Alpaydin, C. Kaynak 1998, UCI Machine Learning
/// Repository, https://doi.org/10.24432/C50P49, CC BY 4.0), its test part, written by 13 people.
[[nodiscard]] dataset load_digits();

}  // namespace trainer
