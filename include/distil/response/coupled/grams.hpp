#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "distil/response/coupled/batch.hpp"

/// Distances between Gram matrices of teacher and student, without ever holding one. With S = X + Y and D = X - Y of
/// matrices with n rows each,
///
///   X X' - Y Y' = (D S' + S D') / 2        and        X' X - Y' Y = (D' S + S' D) / 2
///
/// so that small differences are sums of small numbers. The squared norm of the first ("outer") is the sum of e_ab^2
/// over pairs of rows, e_ab = (D_a S_b + S_a D_b) / 2; that of the second ("inner") of (D_a D_b S_a S_b + S_a D_b D_a
/// S_b) / 2 in dot products. Both need products of pairs of rows alone, and the rows can be those of the transposed
/// matrices, which swaps the two: time min(B, C)^2 max(B, C).
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// What the two squared norms are multiplied by, and their values before that.
struct gram_pair {
  double outer = 0.0;
  double inner = 0.0;
};

template <class T>
class gram_distance {
  struct of_matrices {};
  struct of_products {};
  static constexpr index block = simd::block_elements;

 public:
  /// Rows of S, D and of the derivative by X, contiguous.
  matrix_view<T> sum, difference, gradient;

  /// Memory of the calling thread.
  gram_distance(index rows, index columns)
      : sum(simd::scratch<T, of_matrices>(3 * rows * columns), rows, columns),
        difference(sum.data + rows * columns, rows, columns),
        gradient(sum.data + 2 * rows * columns, rows, columns) {}

  /// The squared norms, those with a weight; the derivative of their weighted sum is written when wanted.
  template <class Policy>
  gram_pair run(Policy policy, gram_pair weights, bool with_gradient) const {
    return weights.inner > 0.0 ? run<2, true>(policy, weights, with_gradient)
                               : run<4, false>(policy, weights, with_gradient);
  }

 private:
  /// `Rows` rows at a time against all rows, which shares the loads of the latter.
  template <std::size_t Rows, bool Inner, class Policy>
  gram_pair run(Policy policy, gram_pair weights, bool with_gradient) const {
    constexpr auto height = static_cast<index>(Rows);
    gram_pair total;
    (void)reserve<Rows>();
    index const work = sum.rows * sum.rows * sum.columns;
    index const least = std::max(height, simd::least_chunk_elements / (sum.rows * sum.columns));
    index const rounded = (least + height - 1) / height * height;
    std::array<double, static_cast<std::size_t>(simd::most_chunks)> inner{};
    total.outer = sum_chunks(policy, sum.rows, rounded, work, [&](index first, index last, index chunk) {
      gram_pair here;
      for (index row = first; row < last; row += height) {
        // The last block takes the last row again rather than rows that are not there.
        index rows[Rows];
        for (std::size_t i = 0; i < Rows; ++i) rows[i] = std::min(row + static_cast<index>(i), last - 1);
        auto const count = static_cast<std::size_t>(std::min(height, last - row));
        run_block<Rows, Inner>(rows, count, weights, with_gradient, here);
      }
      inner[static_cast<std::size_t>(chunk)] = here.inner;
      return here.outer;
    });
    for (double const each : inner) total.inner += each;
    return total;
  }

  /// What multiplies S_b and D_b in the derivative of each of the block's rows, and the products before.
  template <std::size_t Rows>
  [[nodiscard]] T* reserve() const {
    return simd::scratch<T, of_products>(4 * static_cast<index>(Rows) * sum.rows);
  }

  template <std::size_t Rows, bool Inner>
  void run_block(index const (&rows)[Rows], std::size_t count, gram_pair weights, bool with_gradient,
                 gram_pair& total) const {
    constexpr index products = Inner ? 4 : 1;
    index const stride = products * static_cast<index>(Rows);
    T* const product = reserve<Rows>();
    std::fill(product, product + stride * sum.rows, T(0));
    for (index column = 0; column < sum.columns; column += block) {
      index const width = std::min(block, sum.columns - column);
      for (index b = 0; b < sum.rows; ++b)
        multiply<Rows, Inner>(rows, b, column, width, product + b * stride);
    }
    for (index b = 0; b < sum.rows; ++b) {
      for (std::size_t i = 0; i < Rows; ++i) {
        T* const of = product + b * stride + i;
        T by_sum, by_difference;
        if constexpr (Inner) {
          T const sd = of[0], ds = of[Rows], dd = of[2 * Rows], ss = of[3 * Rows];
          double const e = (static_cast<double>(sd) + static_cast<double>(ds)) / 2;
          if (i < count) {
            total.outer += e * e;
            total.inner += (static_cast<double>(dd) * static_cast<double>(ss) +
                            static_cast<double>(sd) * static_cast<double>(ds)) /
                           2;
          }
          T const outer = static_cast<T>(weights.outer), inner = static_cast<T>(weights.inner);
          by_sum = inner * (sd + dd) + outer * (sd + ds);
          by_difference = inner * (ss + ds) + outer * (sd + ds);
          of[Rows] = by_difference;
        } else {
          double const e = static_cast<double>(of[0]) / 2;
          if (i < count) total.outer += e * e;
          by_sum = static_cast<T>(weights.outer) * of[0];
        }
        of[0] = by_sum;
      }
    }
    if (!with_gradient) return;
    for (index column = 0; column < sum.columns; column += block) {
      index const width = std::min(block, sum.columns - column);
      simd::for_each_register<T>(
          width, [&](auto place) { combine<Rows, Inner>(rows, product, stride, column, place); });
    }
  }

  /// Adds the products of the block's rows with row b over some columns.
  template <std::size_t Rows, bool Inner>
  DISTIL_INLINE void multiply(index const (&rows)[Rows], index b, index column, index width,
                              T* product) const {
    T const* const sum_b = &sum(b, column);
    T const* const difference_b = &difference(b, column);
    lanes<T> sd[Rows], ds[Rows], dd[Rows], ss[Rows];
    for (std::size_t i = 0; i < Rows; ++i) sd[i] = ds[i] = dd[i] = ss[i] = lanes<T>(0);
    simd::for_each_register<T>(width, [&](auto place) {
      lanes<T> const s = place.load(sum_b), d = place.load(difference_b);
      for (std::size_t i = 0; i < Rows; ++i) {
        lanes<T> const own_s = place.load(&sum(rows[i], column)),
                       own_d = place.load(&difference(rows[i], column));
        sd[i] = fma(own_s, d, sd[i]);
        if constexpr (Inner) {
          ds[i] = fma(own_d, s, ds[i]);
          dd[i] = fma(own_d, d, dd[i]);
          ss[i] = fma(own_s, s, ss[i]);
        } else {
          sd[i] = fma(own_d, s, sd[i]);
        }
      }
    });
    for (std::size_t i = 0; i < Rows; ++i) {
      product[i] += first_of(sum_across(sd[i]));
      if constexpr (Inner) {
        product[Rows + i] += first_of(sum_across(ds[i]));
        product[2 * Rows + i] += first_of(sum_across(dd[i]));
        product[3 * Rows + i] += first_of(sum_across(ss[i]));
      }
    }
  }

  /// One register of the derivative of each of the block's rows.
  template <std::size_t Rows, bool Inner, class Place>
  DISTIL_INLINE void combine(index const (&rows)[Rows], T const* product, index stride, index column,
                             Place place) const {
    lanes<T> total[Rows];
    for (std::size_t i = 0; i < Rows; ++i) total[i] = lanes<T>(0);
    for (index b = 0; b < sum.rows; ++b) {
      lanes<T> const s = place.load(&sum(b, column)), d = place.load(&difference(b, column));
      T const* const by = product + b * stride;
      for (std::size_t i = 0; i < Rows; ++i) {
        if constexpr (Inner) {
          total[i] = fma(lanes<T>(by[i]), s, fma(lanes<T>(by[Rows + i]), d, total[i]));
        } else {
          total[i] = fma(lanes<T>(by[i]), s + d, total[i]);
        }
      }
    }
    for (std::size_t i = 0; i < Rows; ++i) place.store(total[i], &gradient(rows[i], column));
  }
};

/// |Q'Q - P'P|^2 / C ("class") and |Q Q' - P P'|^2 / sum w ("batch") of rows weighted by w, and the derivative of
/// their weighted sum.
template <class T, class Policy>
gram_pair compare_grams(Policy policy, coupled_batch<T> const& batch, double class_weight,
                        double batch_weight) {
  index const rows = batch.rows(), classes = batch.classes();
  bool const transposed = rows > classes;
  gram_distance<T> const distance(transposed ? classes : rows, transposed ? rows : classes);
  auto const root_of = [&](index row) { return static_cast<T>(std::sqrt(batch.share[row] * batch.weight)); };
  auto const at = [&](matrix_view<T> const& matrix, index row, index column) -> T& {
    return transposed ? matrix(column, row) : matrix(row, column);
  };
  for (index row = 0; row < rows; ++row) {
    T const root = root_of(row);
    for (index c = 0; c < classes; ++c) {
      T const q = batch.student(row, c), p = batch.teacher(row, c);
      at(distance.sum, row, c) = root * (q + p);
      at(distance.difference, row, c) = root * (q - p);
    }
  }
  double const by_classes = 1.0 / static_cast<double>(classes), by_rows = 1.0 / batch.weight;
  gram_pair scale{batch_weight * by_rows, class_weight * by_classes};
  if (transposed) std::swap(scale.outer, scale.inner);
  gram_pair found = distance.run(policy, scale, batch.with_gradient());
  if (batch.with_gradient()) {
    for (index row = 0; row < rows; ++row) {
      T const root = root_of(row);
      for (index c = 0; c < classes; ++c) batch.upstream(row, c) += root * at(distance.gradient, row, c);
    }
  }
  if (transposed) std::swap(found.outer, found.inner);
  return {found.outer * by_rows, found.inner * by_classes};
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
