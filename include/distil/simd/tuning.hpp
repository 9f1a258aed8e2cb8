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

/// Matrices of short rows are prefetched from so many bytes on; less is in the second cache anyway.
inline constexpr index prefetched_bytes = index{1} << 20;

/// With at most so many classes across rows, every register is compared with the labels; beyond, the label's element is
/// patched, for which each register that is touched must reach the cache before it is read again.
inline constexpr index compared_columns = 32;

/// Class-major matrices of at least so many bytes, which the second cache does not hold, move through windows of several
/// tiles. From so many classes on: fewer lines than the caches' sets have ways need none. So many rows: longer runs gain
/// nothing more, and student, teacher and gradient leave the first cache.
inline constexpr index windowed_bytes = index{1} << 20;
inline constexpr index least_window_columns = 16;
inline constexpr index most_window_rows = 96;
inline constexpr index window_elements = 4 * block_elements;

/// And their gradients go past the caches from so many on: a class-major matrix is one image of a batch, and the others
/// follow before anybody looks at its gradient.
inline constexpr index streamed_window_bytes = index{16} << 20;

/// A batch is cut into at most so many chunks, none of them under some thousand elements. Results are summed
/// by chunk.
inline constexpr index most_chunks = 128;
inline constexpr index least_chunk_elements = 4096;

/// Fewer rows than this, of at least two parts of so many classes, are cut into parts instead: at most so many.
inline constexpr index few_rows = 8;
inline constexpr index least_part_columns = 16384;
inline constexpr index most_parts = 16;

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
