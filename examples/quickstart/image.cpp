#include "image.hpp"

#include <cstdint>
#include <string_view>

namespace quickstart {
namespace {

using std::uint32_t;

void append_big_endian(std::string& to, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) to += static_cast<char>(value >> shift & 0xFFU);
}

uint32_t crc32(std::string_view bytes) {
  uint32_t crc = 0xFFFFFFFFU;
  for (char const byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

uint32_t adler32(std::string_view bytes) {
  uint32_t sum = 1;
  uint32_t sum_of_sums = 0;
  for (char const byte : bytes) {
    sum = (sum + static_cast<unsigned char>(byte)) % 65521;
    sum_of_sums = (sum_of_sums + sum) % 65521;
  }
  return sum_of_sums << 16U | sum;
}

void append_chunk(std::string& to, std::string_view type, std::string_view content) {
  append_big_endian(to, static_cast<uint32_t>(content.size()));
  std::string const checked = std::string(type) + std::string(content);
  to += checked;
  append_big_endian(to, crc32(checked));
}

// A zlib stream of stored blocks: pictures of this size are not worth a compressor.
std::string stored(std::string_view bytes) {
  constexpr std::size_t block = 65535;
  std::string stream = "\x78\x01";
  std::size_t from = 0;
  do {
    std::string_view const part = bytes.substr(from, block);
    from += part.size();
    auto const size = static_cast<uint32_t>(part.size());
    stream += from == bytes.size() ? '\x01' : '\x00';
    for (uint32_t const half : {size, ~size}) {
      stream += static_cast<char>(half & 0xFFU);
      stream += static_cast<char>(half >> 8U & 0xFFU);
    }
    stream += part;
  } while (from < bytes.size());
  append_big_endian(stream, adler32(bytes));
  return stream;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::string_view const group = bytes.substr(at, 3);
    uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8U | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      text += i <= group.size() ? digits[bits >> (18 - 6 * i) & 0x3FU] : '=';
  }
  return text;
}

}  // namespace

std::string png_address(gray_image const& image) {
  if (image.width == 0 || image.pixels.size() != image.width * image.height) return {};
  std::string rows;
  for (std::size_t at = 0; at < image.pixels.size(); ++at) {
    if (at % image.width == 0) rows += '\0';  // every row begins with its filter: none
    rows += static_cast<char>(image.pixels[at]);
  }
  std::string header;
  append_big_endian(header, static_cast<uint32_t>(image.width));
  append_big_endian(header, static_cast<uint32_t>(image.height));
  header +=
      std::string_view("\x08\x00\x00\x00\x00", 5);  // 8 bits, gray, deflate, no filter method, not interlaced
  std::string png = "\x89PNG\r\n\x1a\n";
  append_chunk(png, "IHDR", header);
  append_chunk(png, "IDAT", stored(rows));
  append_chunk(png, "IEND", {});
  return "data:image/png;base64," + base64(png);
}

}  // namespace quickstart
