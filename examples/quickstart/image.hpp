#pragma once

#include <string>

#include "report.hpp"

namespace quickstart {

/// The image as a PNG in a `data:` address, ready for `<img src="...">`; empty when the size does not fit the
/// pixels.
[[nodiscard]] std::string png_address(gray_image const& image);

}  // namespace quickstart
