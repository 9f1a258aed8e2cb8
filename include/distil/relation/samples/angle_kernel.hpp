#pragma once

#include <algorithm>

#include "distil/relation/samples/relational_features.hpp"
#include "distil/simd/scratch.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// 1 / D_ij of squared distances; 0 of samples that coincide.
template <class T>
void invert_distances(detail::any_policy policy, matrix_view<T const> squared, matrix_view<T> inverse) {
  index const rows = squared.rows;
  simd::for_chunks(policy, rows, simd::worth_a_chunk(rows), rows * rows, [&](index first, index last) {
    for (index i = first; i < last; ++i) {
      simd::for_each_register<T>(rows, [&](auto place) {
        lanes<T> const q = place.load(&squared(i, 0));
        simd::mask<T> const none = q == lanes<T>(0);
        place.store(select(none, lanes<T>(0), lanes<T>(1) / sqrt(select(none, lanes<T>(1), q))),
                    &inverse(i, 0));
      });
    }
  });
}

/// Smooth L1 distances between a student's and a teacher's angles over all triples of samples. At the anchor i, by the law
/// of cosines,
///
///   cos_ijk = (q_ij + q_ik - q_jk) r_ij r_ik / 2,    q squared distances, r = 1 / D,
///
/// which takes some twenty operations for a triple, where products of unit differences take as many multiplications as
/// there are features. A chunk has the rows j of the result to itself and sums over the anchors in order.
template <class T>
class angle_kernel {
 public:
  struct side {
    matrix_view<T const> squared, inverse;
  };

  angle_kernel(side const& student, side const& teacher) : student_(student), teacher_(teacher) {}

  /// The sum over all triples; `slopes` z becomes such that z + z' is the derivative by the squared distances of pairs
  /// {i, j}, times `factor`. Without it the value alone.
  double sum(detail::any_policy policy, T factor, matrix_view<T> slopes) const {
    index const rows = student_.squared.rows;
    bool const wanted = slopes.data != nullptr;
    return simd::sum_chunks(
        policy, rows, block_rows, rows * rows * rows, [&](index first, index last, index) {
          if (wanted) {
            for (index j = first; j < last; ++j) std::fill(&slopes(j, 0), &slopes(j, 0) + rows, T(0));
          }
          double total = 0.0;
          for (index j = first; j < last; j += block_rows) {
            index const end = std::min(j + block_rows, last);
            total += wanted ? sum_of_block<true>(j, end, slopes) : sum_of_block<false>(j, end, slopes);
          }
          if (wanted) {
            lanes<T> const by(factor);
            for (index j = first; j < last; ++j) {
              T* const row = &slopes(j, 0);
              simd::for_each_register<T>(rows, [&](auto place) { place.store(place.load(row) * by, row); });
            }
          }
          return total;
        });
  }

 private:
  /// Rows and columns of a block, which stays in the first cache while the anchors pass by.
  static constexpr index block_rows = 4;
  static constexpr index block_columns = 1024 / static_cast<index>(sizeof(T));

  /// Copies, since rows a power of two apart would share their place in the cache.
  struct block {
    using row = T[static_cast<std::size_t>(block_columns)];
    alignas(simd::cache_line) row own[static_cast<std::size_t>(block_rows)];
    alignas(simd::cache_line) row other[static_cast<std::size_t>(block_rows)];
    alignas(simd::cache_line) row slope[static_cast<std::size_t>(block_rows)];
  };

  template <bool WithSlopes>
  double sum_of_block(index first, index last, matrix_view<T> slopes) const {
    index const rows = student_.squared.rows;
    block across;
    double total = 0.0;
    for (index column = 0; column < rows; column += block_columns) {
      index const width = std::min(block_columns, rows - column);
      for (index j = first; j < last; ++j) {
        T const* const own = &student_.squared(j, column);
        T const* const other = &teacher_.squared(j, column);
        std::copy(own, own + width, across.own[j - first]);
        std::copy(other, other + width, across.other[j - first]);
        std::fill(across.slope[j - first], across.slope[j - first] + width, T(0));
      }
      for (index i = 0; i < rows; ++i) {
        lanes<T> sum(0);
        for (index j = first; j < last; ++j)
          sum += of_row<WithSlopes>(i, j, column, width, across, j - first, slopes);
        total += static_cast<double>(first_of(sum_across(sum)));
      }
      if constexpr (WithSlopes) {
        for (index j = first; j < last; ++j) {
          T* const row = &slopes(j, column);
          simd::for_each_register<T>(width, [&](auto place) {
            place.store(place.load(row) - place.load(across.slope[j - first]), row);
          });
        }
      }
    }
    return total;
  }

  template <bool WithSlopes>
  DISTIL_INLINE lanes<T> of_row(index i, index j, index column, index width, block& across, index row,
                                matrix_view<T> slopes) const {
    T const* const own_far = &student_.squared(i, column);
    T const* const own_near = &student_.inverse(i, column);
    T const* const other_far = &teacher_.squared(i, column);
    T const* const other_near = &teacher_.inverse(i, column);
    T const* const own_across = across.own[row];
    T const* const other_across = across.other[row];
    T* const slope = across.slope[row];
    lanes<T> const own_side(student_.squared(i, j)), other_side(teacher_.squared(i, j));
    lanes<T> const own_scale(T(0.5) * student_.inverse(i, j)), other_scale(T(0.5) * teacher_.inverse(i, j));
    lanes<T> const one(1), half(T(-0.5));
    lanes<T> value(0), by_scale(0), by_angle(0);
    simd::for_each_register<T>(width, [&](auto place) {
      lanes<T> const both = own_scale * place.load(own_near);
      lanes<T> const own = own_side + place.load(own_far) - place.load(own_across);
      lanes<T> const wanted = (other_side + place.load(other_far) - place.load(other_across)) *
                              (other_scale * place.load(other_near));
      // Said as one rounding, which compilers else choose with slopes and without: the value has the same bits in both.
      lanes<T> const d = fma(own, both, -wanted);
      lanes<T> const c = max(min(d, one), -one);
      // d - c / 2 keeps a NaN that c may have lost.
      value = fma(c, fma(c, half, d), value);
      if constexpr (WithSlopes) {
        by_scale = fma(c, both, by_scale);
        by_angle = fma(c, own * both, by_angle);
        place.store(fma(c, both, place.load(slope)), slope);
      }
    });
    if constexpr (WithSlopes) {
      // By q_ij: sum_k c (r_ij r_ik - cos r_ij^2).
      T const inverse = student_.inverse(i, j);
      lanes<T> const sum = by_scale + by_scale - by_angle * lanes<T>(inverse * inverse);
      slopes(j, i) += first_of(sum_across(sum));
    }
    return value;
  }

  side student_, teacher_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
