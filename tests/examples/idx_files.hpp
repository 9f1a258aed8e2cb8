#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

/// Small IDX files, whole or damaged on purpose.
namespace idx_files {

using bytes = std::vector<std::uint8_t>;

/// The header and as many values as the dimensions say, counting up.
inline bytes idx(std::vector<std::uint32_t> const& dimensions) {
  bytes file{0, 0, 8, static_cast<std::uint8_t>(dimensions.size())};
  std::size_t size = 1;
  for (std::uint32_t const length : dimensions) {
    for (unsigned shift : {24U, 16U, 8U, 0U}) file.push_back(static_cast<std::uint8_t>(length >> shift));
    size *= length;
  }
  for (std::size_t at = 0; at < size; ++at) file.push_back(static_cast<std::uint8_t>(at % 251));
  return file;
}

/// A folder of its own for each test, removed at its end.
class folder {
 public:
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "distil-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  folder(folder const&) = delete;
  folder& operator=(folder const&) = delete;
  ~folder() { std::filesystem::remove_all(path_); }

  [[nodiscard]] std::filesystem::path const& path() const { return path_; }

  std::filesystem::path write(std::string const& name, bytes const& content) const {
    std::ofstream file(path_ / name, std::ios::binary);
    for (std::uint8_t const byte : content) file.put(static_cast<char>(byte));
    return path_ / name;
  }

  std::filesystem::path write_compressed(std::string const& name, bytes const& content) const {
    gzFile const file = gzopen((path_ / name).c_str(), "wb");
    gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    gzclose(file);
    return path_ / name;
  }

  [[nodiscard]] bytes read(std::string const& name) const {
    std::ifstream file(path_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

 private:
  std::filesystem::path path_;
};

}  // namespace idx_files
