#pragma once

#include <Eigen/Core>

#include "distil/simd/chunk_sums.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif

/// Matrix products by Eigen, cut into chunks by shape alone. All matrices are contiguous in their rows.
///
/// Eigen allocates the memory in which it packs the factors of a large product, at every call.
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

template <class T>
using eigen_rows =
    Eigen::Map<std::conditional_t<std::is_const_v<T>,
                                  Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, Eigen::Dynamic,
                                                Eigen::RowMajor> const,
                                  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>,
               Eigen::Unaligned, Eigen::OuterStride<>>;

/// A matrix of contiguous rows as Eigen's.
template <class T>
[[nodiscard]] eigen_rows<T> in_eigen(matrix_view<T> const& matrix) {
  return {matrix.data, matrix.rows, matrix.columns, Eigen::OuterStride<>(matrix.row_stride)};
}

/// Keeps Eigen's products on the calling thread, so that `serial` is serial and sums do not depend on the number of
/// threads. A number the program has set by `Eigen::setNbThreads` goes first.
class one_thread_in_eigen {
 public:
#if defined(_OPENMP)
  one_thread_in_eigen() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~one_thread_in_eigen() { omp_set_num_threads(before_); }
#else
  one_thread_in_eigen() = default;
#endif
  one_thread_in_eigen(one_thread_in_eigen const&) = delete;
  one_thread_in_eigen& operator=(one_thread_in_eigen const&) = delete;

 private:
#if defined(_OPENMP)
  int before_;
#endif
};

/// Rows of a product that one thread computes at a time: enough that packing the other factor is cheap beside them.
inline constexpr index product_rows = 256;

template <class T>
[[nodiscard]] matrix_view<T> some_rows(matrix_view<T> const& matrix, index first, index last) {
  return {matrix.data + first * matrix.row_stride, last - first, matrix.columns, matrix.row_stride};
}
template <class T>
[[nodiscard]] matrix_view<T> some_columns(matrix_view<T> const& matrix, index first, index last) {
  return {matrix.data + first, matrix.rows, last - first, matrix.row_stride};
}

/// Calls `compute(result's rows, first, last)` for chunks of the result.
template <class T, class Compute>
void product_in_chunks(detail::any_policy policy, matrix_view<T> result, index depth,
                       Compute const& compute) {
  simd::for_chunks(policy, result.rows, product_rows, result.rows * result.columns * depth,
                   [&](index first, index last) {
                     [[maybe_unused]] one_thread_in_eigen const alone;
                     compute(in_eigen(some_rows(result, first, last)), first, last);
                   });
}

/// What becomes of the result's elements.
enum class into { overwrite, add };

/// a b, the result apart from both.
template <class T>
void multiply(detail::any_policy policy, matrix_view<T const> a, matrix_view<T const> b,
              matrix_view<T> result, into how = into::overwrite) {
  product_in_chunks(policy, result, a.columns, [&](auto to, index first, index last) {
    auto const rows = in_eigen(some_rows(a, first, last));
    if (how == into::add) {
      to.noalias() += rows * in_eigen(b);
    } else {
      to.noalias() = rows * in_eigen(b);
    }
  });
}

/// a b'.
template <class T>
void multiply_by_transpose(detail::any_policy policy, matrix_view<T const> a, matrix_view<T const> b,
                           matrix_view<T> result, into how = into::overwrite) {
  product_in_chunks(policy, result, a.columns, [&](auto to, index first, index last) {
    auto const rows = in_eigen(some_rows(a, first, last));
    if (how == into::add) {
      to.noalias() += rows * in_eigen(b).transpose();
    } else {
      to.noalias() = rows * in_eigen(b).transpose();
    }
  });
}

/// a' b.
template <class T>
void multiply_transpose(detail::any_policy policy, matrix_view<T const> a, matrix_view<T const> b,
                        matrix_view<T> result, into how = into::overwrite) {
  product_in_chunks(policy, result, a.rows, [&](auto to, index first, index last) {
    auto const columns = in_eigen(some_columns(a, first, last));
    if (how == into::add) {
      to.noalias() += columns.transpose() * in_eigen(b);
    } else {
      to.noalias() = columns.transpose() * in_eigen(b);
    }
  });
}

/// The matrix with rows and columns exchanged, apart from the first.
template <class T>
void transpose(detail::any_policy policy, matrix_view<T const> from, matrix_view<T> to) {
  simd::for_chunks(
      policy, to.rows, simd::worth_a_chunk(to.columns), to.rows * to.columns, [&](index first, index last) {
        in_eigen(some_rows(to, first, last)) = in_eigen(some_columns(from, first, last)).transpose();
      });
}

/// a a', of which half is computed.
template <class T>
void gram(detail::any_policy policy, matrix_view<T const> a, matrix_view<T> result) {
  product_in_chunks(policy, result, a.columns, [&](auto to, index first, index last) {
    auto const rows = in_eigen(some_rows(a, first, last));
    if (first > 0) to.leftCols(first).noalias() = rows * in_eigen(some_rows(a, 0, first)).transpose();
    auto square = to.middleCols(first, last - first);
    square.template triangularView<Eigen::Lower>() = rows * rows.transpose();
    square.template triangularView<Eigen::StrictlyUpper>() = square.transpose();
  });
  simd::for_chunks(policy, result.rows, product_rows, result.rows * result.columns,
                   [&](index first, index last) {
                     auto whole = in_eigen(result);
                     index const size = last - first, rest = result.rows - last;
                     whole.block(first, last, size, rest) = whole.block(last, first, rest, size).transpose();
                   });
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
