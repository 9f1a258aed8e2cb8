#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace trainer {

/// The content of an IDX file of unsigned bytes (the format of MNIST), last dimension fastest.
struct idx_array {
  std::vector<std::size_t> dimensions;
  std::vector<std::uint8_t> values;
};

/// Reads a whole IDX file, raw or compressed with gzip.
///
/// @param rank number of dimensions expected: 1 for labels, 3 for images.
/// @throws std::runtime_error that names the file, the byte (of the decompressed content, or of the file
/// where it cannot be decompressed) and the expectation when the file cannot be opened, is damaged, too
/// short, too long, or is not an array of bytes of this rank.
[[nodiscard]] idx_array read_idx(std::filesystem::path const& file, std::size_t rank);

}  // namespace trainer
