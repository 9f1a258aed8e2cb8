#pragma once

#include "distil/matrix/operands.hpp"
#include "distil/matrix/products.hpp"
#include "distil/matrix/unit_rows.hpp"
#include "distil/simd/soft_rows.hpp"

/// What losses on the similarities of embeddings share. Similarities S are scaled, a row's softmax is compared with what
/// is wanted of it, and the slopes by S go back to the embeddings.
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// The embeddings of a batch, a sample a row: unit rows where wanted.
template <class T>
class embedding_rows {
 public:
  /// Memory that `embedding_rows` takes, in numbers.
  [[nodiscard]] static index memory_of(map_source<T> const& source) {
    return source.sample_size() + source.rows();
  }

  embedding_rows(detail::any_policy policy, map_source<T> const& source, bool normalize, T* memory)
      : length_(normalize ? memory + source.sample_size() : nullptr) {
    auto const read = source.matrix(memory);
    rows_ = read;
    if (normalize) {
      matrix_view<T> const unit(memory, read.rows, read.columns);
      to_unit_rows<T>(policy, read, unit, length_);
      rows_ = unit;
    }
  }

  [[nodiscard]] matrix_view<T const> rows() const { return rows_; }

  /// A gradient by the rows becomes one by the embeddings.
  void pull_back(detail::any_policy policy, matrix_view<T> gradient) const {
    if (length_ != nullptr) pull_back_unit_rows<T>(policy, rows_, length_, gradient);
  }

 private:
  matrix_view<T const> rows_;
  T* length_;
};

/// Writes the gradient of embeddings: `compute(place)` gives it by the rows.
template <class T, class Compute>
void write_gradient(detail::any_policy policy, map_target<T> const& target,
                    embedding_rows<T> const& embeddings, T* scratch, Compute const& compute) {
  if (!target) return;
  matrix_view<T> const place = target.matrix(scratch);
  compute(place);
  embeddings.pull_back(policy, place);
  target.finish_matrix(place);
}

/// to += from
template <class T>
void add(detail::any_policy policy, matrix_view<T const> from, matrix_view<T> to) {
  simd::for_chunks(policy, to.rows, simd::worth_a_chunk(to.columns), to.rows * to.columns,
                   [&](index first, index last) {
                     in_eigen(some_rows(to, first, last)) += in_eigen(some_rows(from, first, last));
                   });
}

/// factor * sum over rows of -log softmax(scale S)_own, the row's own column; the derivative by S goes to `slope`.
template <class T>
double compare_with_own(detail::any_policy policy, matrix_view<T const> similarity, T scale, double factor,
                        matrix_view<T> slope) {
  index const columns = similarity.columns;
  simd::lanes<T> const by_similarity(static_cast<T>(factor) * scale);
  return factor * simd::sum_chunks(
                      policy, similarity.rows, simd::worth_a_chunk(columns), similarity.rows * columns,
                      [&](index first, index last, index) {
                        double total = 0.0;
                        for (index row = first; row < last; ++row) {
                          T* const to = &slope(row, 0);
                          T const own = similarity(row, row);
                          auto const soft = simd::softmax_of(&similarity(row, 0), columns, scale, to);
                          total += static_cast<double>(soft.log_sum - (own - soft.top) * scale);
                          to[row] -= T(1);
                          simd::for_each_register<T>(
                              columns, [&](auto place) { place.store(place.load(to) * by_similarity, to); });
                        }
                        return total;
                      });
}

/// factor * sum over rows of a divergence between softmax(teacher_scale R) and softmax(scale S).
template <class T>
double compare_with_teacher(detail::any_policy policy, soft_divergence what, matrix_view<T const> similarity,
                            T scale, matrix_view<T const> of_teacher, T teacher_scale, double factor,
                            matrix_view<T> slope) {
  struct of_row {};
  index const columns = similarity.columns;
  simd::lanes<T> const by_similarity(static_cast<T>(factor) * scale);
  return factor * simd::sum_chunks(policy, similarity.rows, simd::worth_a_chunk(columns),
                                   similarity.rows * columns, [&](index first, index last, index) {
                                     T* const scratch = simd::scratch<T, of_row>(columns);
                                     double total = 0.0;
                                     for (index row = first; row < last; ++row) {
                                       T* const to = &slope(row, 0);
                                       total += static_cast<double>(simd::compare_soft_rows(
                                           what, &similarity(row, 0), scale, &of_teacher(row, 0),
                                           teacher_scale, columns, to, scratch));
                                       simd::for_each_register<T>(columns, [&](auto place) {
                                         place.store(place.load(to) * by_similarity, to);
                                       });
                                     }
                                     return total;
                                   });
}

/// The derivative by the scale, of slopes by S: sum slope S / scale.
template <class T>
double by_scale(detail::any_policy policy, matrix_view<T const> slope, matrix_view<T const> similarity,
                double scale) {
  return simd::sum_chunks(
             policy, slope.rows, simd::worth_a_chunk(slope.columns), slope.rows * slope.columns,
             [&](index first, index last, index) {
               double total = 0.0;
               for (index row = first; row < last; ++row) {
                 total += static_cast<double>(dot_of(&slope(row, 0), &similarity(row, 0), slope.columns));
               }
               return total;
             }) /
         scale;
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
