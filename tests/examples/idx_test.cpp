#include "trainer/idx.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <string>

#include "idx_files.hpp"

namespace {

using idx_files::bytes;

/// What the reader says of a file it refuses; empty when it takes it.
std::string refusal(std::filesystem::path const& file, std::size_t rank) {
  try {
    static_cast<void>(trainer::read_idx(file, rank));
  } catch (std::runtime_error const& error) {
    return error.what();
  }
  return "";
}

void expect_refusal(std::filesystem::path const& file, std::size_t rank, std::string const& byte,
                    std::string const& what) {
  std::string const text = refusal(file, rank);
  EXPECT_EQ(text.rfind(file.string() + ": " + byte + ": " + what, 0), 0U) << "it says: " << text;
}

TEST(idx, reads_raw_and_compressed_files_alike) {
  idx_files::folder const folder;
  bytes const content = idx_files::idx({3, 2, 4});
  for (auto const& file : {folder.write("raw", content), folder.write_compressed("packed.gz", content)}) {
    trainer::idx_array const array = trainer::read_idx(file, 3);
    EXPECT_EQ(array.dimensions, (std::vector<std::size_t>{3, 2, 4}));
    EXPECT_EQ(array.values, bytes(content.begin() + 16, content.end()));
  }
}

TEST(idx, reads_more_than_one_piece) {
  idx_files::folder const folder;
  bytes const content = idx_files::idx({5'000'003});
  EXPECT_EQ(trainer::read_idx(folder.write_compressed("large.gz", content), 1).values,
            bytes(content.begin() + 8, content.end()));
}

TEST(idx, names_a_file_that_is_not_there) {
  idx_files::folder const folder;
  EXPECT_EQ(refusal(folder.path() / "missing", 1),
            (folder.path() / "missing").string() + ": cannot be opened: No such file or directory");
}

TEST(idx, refuses_an_empty_file) {
  idx_files::folder const folder;
  expect_refusal(folder.write("file", {}), 1, "byte 0", "expected the magic number");
}

TEST(idx, refuses_a_wrong_magic_number) {
  idx_files::folder const folder;
  bytes content = idx_files::idx({4});
  content[0] = 1;
  expect_refusal(folder.write("first", content), 1, "byte 0", "expected the magic number 0 0 8 1");
  content[0] = 0;
  content[2] = 0x0D;  // floats
  expect_refusal(folder.write("type", content), 1, "byte 0", "expected the magic number 0 0 8 1");
  expect_refusal(folder.write("rank", idx_files::idx({4})), 3, "byte 0", "expected the magic number 0 0 8 3");
}

TEST(idx, refuses_a_header_that_ends_early) {
  idx_files::folder const folder;
  bytes content = idx_files::idx({3, 2, 4});
  content.resize(10);
  expect_refusal(folder.write("file", content), 3, "byte 10", "expected the size of dimension 1");
}

TEST(idx, refuses_dimensions_that_are_empty_or_absurd) {
  idx_files::folder const folder;
  expect_refusal(folder.write("none", {0, 0, 8, 1, 0, 0, 0, 0}), 1, "byte 4", "expected a dimension above 0");
  bytes const absurd{0, 0, 8, 2, 0, 0, 255, 255, 255, 255, 255, 255};
  expect_refusal(folder.write("absurd", absurd), 2, "byte 8",
                 "expected a dimension above 0 and less than 4 GiB");
}

TEST(idx, refuses_a_count_above_what_follows) {
  idx_files::folder const folder;
  bytes content = idx_files::idx({4});
  content[4] = 200;  // 3.4 billion values promised, four there
  expect_refusal(folder.write("file", content), 1, "byte 12", "expected 3355443204 values, found the end");
}

TEST(idx, refuses_a_truncated_file_at_every_length) {
  idx_files::folder const folder;
  bytes const whole = idx_files::idx({2, 3, 3});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    auto const file = folder.write("raw", bytes(whole.begin(), whole.begin() + static_cast<long>(length)));
    EXPECT_NE(refusal(file, 3), "") << length;
  }
}

TEST(idx, refuses_more_than_the_header_promises) {
  idx_files::folder const folder;
  bytes content = idx_files::idx({4});
  content.push_back(9);
  expect_refusal(folder.write("file", content), 1, "byte 12", "expected the end of the file");
}

TEST(idx, refuses_a_truncated_compressed_file_at_every_length) {
  idx_files::folder const folder;
  folder.write_compressed("whole.gz", idx_files::idx({40}));
  bytes const whole = folder.read("whole.gz");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    auto const file = folder.write("cut.gz", bytes(whole.begin(), whole.begin() + static_cast<long>(length)));
    EXPECT_NE(refusal(file, 1), "") << length;
  }
}

TEST(idx, refuses_damaged_compressed_data) {
  idx_files::folder const folder;
  folder.write_compressed("whole.gz", idx_files::idx({400}));
  bytes damaged = folder.read("whole.gz");
  std::string const end = std::to_string(damaged.size() - 4);  // the sum ends four bytes before the file does
  damaged[damaged.size() - 6] ^= 0xFFU;
  expect_refusal(folder.write("sum.gz", damaged), 1, "compressed byte " + end,
                 "expected valid gzip data, found damage: incorrect data check");
  damaged = folder.read("whole.gz");
  damaged[10] = 0xFF;  // the first compressed byte: a block type that does not exist
  expect_refusal(folder.write("data.gz", damaged), 1, "compressed byte 11",
                 "expected valid gzip data, found damage: invalid block type");
}

}  // namespace
