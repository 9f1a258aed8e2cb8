#include "idx.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

namespace trainer {
namespace {

/// A file read front to back through zlib, which passes on raw files as they are.
class reader {
 public:
  explicit reader(std::filesystem::path const& file) : name_(file.string()) {
    errno = 0;
    handle_.reset(gzopen(name_.c_str(), "rb"));
    if (handle_ == nullptr) throw std::runtime_error(name_ + ": cannot be opened: " + std::strerror(errno));
  }

  [[noreturn]] void fail(std::size_t byte, std::string const& what) const {
    throw std::runtime_error(name_ + ": byte " + std::to_string(byte) + ": " + what);
  }

  /// Fills `to`, or fails saying that `what` was expected.
  void read(std::span<std::uint8_t> to, std::string const& what) {
    std::size_t const got = read_some(to);
    if (got < to.size()) {
      fail(at_, "expected " + what + ", found the end of the file, " + std::to_string(to.size() - got) +
                    " bytes short");
    }
  }

  void expect_end() {
    std::array<std::uint8_t, 1> extra{};
    if (read_some(extra) != 0) fail(at_ - 1, "expected the end of the file, found more bytes");
  }

  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  std::size_t read_some(std::span<std::uint8_t> to) {
    int const got = gzread(handle_.get(), to.data(), static_cast<unsigned>(to.size()));
    at_ += static_cast<std::size_t>(std::max(got, 0));
    int status = Z_OK;
    std::string const text = gzerror(handle_.get(), &status);
    if (status == Z_BUF_ERROR) fail_compressed("expected more compressed data, found the end of the file");
    if (status == Z_ERRNO) fail_compressed(std::string("expected to read on: ") + std::strerror(errno));
    if (status != Z_OK) {
      fail_compressed("expected valid gzip data, found damage" + text.substr(text.rfind(": ")));
    }
    return static_cast<std::size_t>(got);
  }

  /// Where decompression itself stops, only the place in the file as it is stored is known.
  [[noreturn]] void fail_compressed(std::string const& what) const {
    throw std::runtime_error(name_ + ": compressed byte " + std::to_string(gzoffset(handle_.get())) + ": " +
                             what);
  }

  struct closer {
    void operator()(gzFile handle) const { gzclose(handle); }
  };
  std::string name_;
  std::unique_ptr<gzFile_s, closer> handle_;
  std::size_t at_ = 0;
};

}  // namespace

idx_array read_idx(std::filesystem::path const& file, std::size_t rank) {
  reader source(file);
  constexpr unsigned unsigned_bytes = 8;  // the type code of IDX
  std::array<std::uint8_t, 4> word{};
  source.read(word, "the magic number of an IDX file");
  if (word[0] != 0 || word[1] != 0 || word[2] != unsigned_bytes || word[3] != rank) {
    source.fail(0, "expected the magic number 0 0 8 " + std::to_string(rank) + " (bytes, " +
                       std::to_string(rank) + " dimensions), found " + std::to_string(word[0]) + " " +
                       std::to_string(word[1]) + " " + std::to_string(word[2]) + " " +
                       std::to_string(word[3]));
  }

  idx_array array;
  std::size_t size = 1;
  for (std::size_t dimension = 0; dimension < rank; ++dimension) {
    source.read(word, "the size of dimension " + std::to_string(dimension));
    std::size_t const length = std::size_t{word[0]} << 24U | std::size_t{word[1]} << 16U |
                               std::size_t{word[2]} << 8U | std::size_t{word[3]};
    if (length == 0 || size > std::numeric_limits<std::uint32_t>::max() / length) {
      source.fail(source.at() - word.size(),
                  "expected a dimension above 0 and less than 4 GiB in all, found " + std::to_string(length));
    }
    size *= length;
    array.dimensions.push_back(length);
  }

  // Piece by piece, so that a damaged size is found out before memory for it is taken.
  constexpr std::size_t piece = std::size_t{1} << 22U;
  while (array.values.size() < size) {
    std::size_t const begin = array.values.size();
    array.values.resize(std::min(size, begin + piece));
    source.read(std::span(array.values).subspan(begin), std::to_string(size) + " values");
  }
  source.expect_end();
  return array;
}

}  // namespace trainer
