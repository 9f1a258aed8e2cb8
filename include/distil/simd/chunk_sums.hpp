#pragma once

#include <algorithm>
#include <array>

#include "distil/core/execution.hpp"
#include "distil/simd/lanes.hpp"
#include "distil/simd/tuning.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// Cuts `count` things into chunks of a multiple of `least`, whatever the number of threads, and sums what
/// `body(first, last, chunk)` gives, in order. `elements`: the work, by which small batches stay on one thread.
template <class Policy, class Body>
double sum_chunks(Policy policy, index count, index least, index elements, Body const& body) {
  if (count == 0) return 0.0;
  std::array<double, static_cast<std::size_t>(most_chunks)> sums{};
  index const pieces = (count + least - 1) / least;
  index const width = (pieces + most_chunks - 1) / most_chunks * least;
  index const chunks = (count + width - 1) / width;
  auto const task = [&](index chunk) noexcept {
    sums[static_cast<std::size_t>(chunk)] = body(chunk * width, std::min((chunk + 1) * width, count), chunk);
  };
  detail::run_chunks(policy, chunks, elements, detail::chunk_task(task));
  double sum = 0.0;
  for (index chunk = 0; chunk < chunks; ++chunk) sum += sums[static_cast<std::size_t>(chunk)];
  return sum;
}

/// The same without a sum.
template <class Policy, class Body>
void for_chunks(Policy policy, index count, index least, index elements, Body const& body) {
  sum_chunks(policy, count, least, elements, [&](index first, index last, index) {
    body(first, last);
    return 0.0;
  });
}

/// So many things of `size` elements each are worth a chunk.
[[nodiscard]] constexpr index worth_a_chunk(index size) noexcept {
  return std::max<index>(1, least_chunk_elements / std::max<index>(1, size));
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
