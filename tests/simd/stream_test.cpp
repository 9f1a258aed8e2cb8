#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

#include "distil/core/float16.hpp"
#include "distil/simd/scratch.hpp"

namespace distil::simd {
namespace {

template <class Storage>
class stream_test : public ::testing::Test {};
using storages = ::testing::Types<float, double, half, bfloat16>;
TYPED_TEST_SUITE(stream_test, storages);

TYPED_TEST(stream_test, copies_any_number_of_elements_to_any_address_and_nothing_else) {
  using Storage = TypeParam;
  constexpr std::size_t line = cache_line / sizeof(Storage);
  for (std::size_t offset = 0; offset <= line; ++offset) {
    for (std::size_t size = 0; size <= 3 * line + 1; ++size) {
      std::vector<Storage> from;
      for (std::size_t i = 0; i < size; ++i) from.push_back(Storage(static_cast<float>(i + 1)));
      std::vector<Storage> to(offset + size + 2, Storage(-7.0F));
      stream(from.data(), static_cast<index>(size), to.data() + offset + 1);
      finish_streams();
      for (std::size_t i = 0; i < to.size(); ++i) {
        bool const inside = i > offset && i <= offset + size;
        float const expected = inside ? static_cast<float>(i - offset) : -7.0F;
        ASSERT_EQ(static_cast<float>(to[i]), expected) << size << " elements after " << offset << ", " << i;
      }
    }
  }
}

}  // namespace
}  // namespace distil::simd
