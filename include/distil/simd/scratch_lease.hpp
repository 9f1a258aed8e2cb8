#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "distil/core/contract.hpp"
#include "distil/simd/scratch.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// A piece of every thread's memory that one term has to itself while a batch is evaluated, besides the row's
/// `scratch`. The evaluation's copy of the term takes it; what the user keeps holds none. It grows to the largest request
/// and is kept, so that nothing is allocated after a thread's first call.
class scratch_lease {
 public:
  static constexpr std::size_t most = 32;

  scratch_lease() = default;
  scratch_lease(scratch_lease const&) noexcept {}
  scratch_lease& operator=(scratch_lease const&) noexcept { return *this; }
  ~scratch_lease() {
    if (taken_) --leases();
  }

  void take(char const* where) {
    if (taken_) return;
    detail::require(leases() < most, where, "number of terms with memory of their own", most,
                    "less than that");
    number_ = leases()++;
    taken_ = true;
  }

  /// This thread's memory of at least `bytes`, at a cache line. Its contents last while nobody asks for more.
  [[nodiscard]] std::byte* memory(std::size_t bytes) const {
    struct piece {
      std::unique_ptr<std::byte[]> memory;
      std::size_t capacity = 0;
    };
    thread_local std::array<piece, most> pieces;
    piece& mine = pieces[number_];
    if (mine.capacity < bytes) {
      mine.capacity = 0;
      mine.memory.reset();  // not both at once
      mine.memory.reset(new std::byte[bytes + cache_line]);
      mine.capacity = bytes;
    }
    auto const address = reinterpret_cast<std::uintptr_t>(mine.memory.get());
    return mine.memory.get() + (cache_line - address % cache_line) % cache_line;
  }

 private:
  // Evaluations end in the order opposite to their beginning, so that a count names the free ones.
  static std::size_t& leases() {
    thread_local std::size_t count = 0;
    return count;
  }

  std::size_t number_ = 0;
  bool taken_ = false;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
