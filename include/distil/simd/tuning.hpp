#pragma once

#include "distil/core/matrix_view.hpp"
#include "distil/simd/architecture.hpp"

/// The constants that speed depends on, and nothing else but rounding. bench/README.md has the measurements that chose
/// them.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// Elements of one block: what a row shows between two looks at its maximum. Three operands in float take 12 KiB.
inline constexpr index block_elements = 1024;

/// Registers that are added one after the other before their sum joins that of the row: rounding grows with the
/// number of additions, and with equal classes all of it goes one way.
inline constexpr index longest_sum = 64;

/// Gradients of at least so many bytes are stored past the caches: nobody can find them there later, and a
/// plain store would first read what it overwrites.
inline constexpr index streamed_bytes = index{64} << 20;

/// Rows of at most this many registers run across rows: one register per class instead of a row that cannot
/// fill them.
inline constexpr index short_row_registers = 16;

/// A batch is cut into at most so many chunks, none of them under some thousand elements. Results are summed
/// by chunk.
inline constexpr index most_chunks = 128;
inline constexpr index least_chunk_elements = 4096;

/// Fewer rows than this, of at least two parts of so many classes, are cut into parts instead: at most so many.
inline constexpr index few_rows = 8;
inline constexpr index least_part_columns = 16384;
inline constexpr index most_parts = 16;

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
