#pragma once

#include <vector>

// GCC 12 warns of uninitialised values inside its own AVX-512 intrinsics wherever Eigen inlines them.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <Eigen/Core>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace trainer {

/// One sample a row: images, features, logits and their gradients alike.
using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Aligned, because Eigen's vector and scalar code may round differently: where the vectors begin must not
/// depend on what the allocator returns.
using aligned_floats = std::vector<float, Eigen::aligned_allocator<float>>;

}  // namespace trainer
