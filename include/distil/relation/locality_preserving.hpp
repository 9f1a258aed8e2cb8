#pragma once

#include <algorithm>
#include <cmath>

#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/pairwise_distances.hpp"
#include "distil/relation/samples/neighbourhood.hpp"
#include "distil/simd/chunk_sums.hpp"
#include "distil/simd/vectors.hpp"

namespace distil {

/// What `locality_preserving` asks of a student's sample and the teacher's neighbours of it.
enum class neighbour_weights {
  heat,            ///< to lie near: 1/2 sum_j a_j |s_i - s_j|^2 with a_j = exp(-|t_i - t_j|^2 / bandwidth)
  reconstruction,  ///< to be made of them: |s_i - sum_j a_j s_j|^2, a the weights of sum 1 that make t_i best
};

struct locality_preserving_options {
  /// Nearest neighbours of a sample among the teacher's features; >= 1. All others where there are fewer. Default 5.
  index neighbours = 5;

  /// Default heat, as in the paper, from locality preserving projections; `reconstruction` is that of locally linear
  /// embedding.
  neighbour_weights weights = neighbour_weights::heat;

  /// Of the heat; finite and >= 0. Default 0: the mean squared distance of the teacher's neighbours.
  double bandwidth = 0.0;

  /// What of its trace is added to the diagonal of the neighbours' products, of which there may be more than dimensions;
  /// finite and > 0. Default 1e-3, as is usual for locally linear embedding.
  double regularization = 1e-3;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `locality_preserving`.
struct locality_preserving_loss
    : pair_loss<locality_preserving_loss, locality_preserving_options, kernels::as_matrices> {
  static constexpr char const* name = "locality_preserving";
  static constexpr error_bound bound{.value = 64, .gradient = 64};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    locality_preserving_options const& options) {
    detail::require_same_rows(name, teacher, student);
    detail::require(options.neighbours >= 1, name, "neighbours", options.neighbours, ">= 1");
    detail::require(detail::is_positive(options.regularization), name, "regularization",
                    options.regularization, detail::must_be_positive);
  }

  static void check_numbers(locality_preserving_options const& options, detail::computing_type type) {
    detail::require(detail::is_weight(options.bandwidth), name, "bandwidth", options.bandwidth,
                    detail::must_be_weight);
    if (options.bandwidth == 0.0) return;
    detail::require_made(name, "bandwidth", options.bandwidth, type, "its inverse", 1.0 / options.bandwidth,
                         detail::must_be_weight);
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             locality_preserving_options const& options) {
    index const rows = operands.student.rows(), columns = operands.student.columns();
    if (rows == 0) return {};
    struct of_features {};
    struct of_neighbours {};
    index const size = operands.student.sample_size();
    index const count = std::min(options.neighbours, rows - 1);
    T* const features = simd::scratch<T, of_features>(2 * size);
    kernels::neighbourhood<T> const near{count, simd::scratch<index, of_neighbours>(rows * count),
                                         simd::scratch<T, of_neighbours>(rows * count)};
    if (count > 0) weigh(policy, operands.teacher, near, options);

    bool const heat = options.weights == neighbour_weights::heat;
    double const factor = count == 0 ? 0.0 : (heat ? 0.5 : 1.0) / static_cast<double>(rows);
    simd::lanes<T> const slope(static_cast<T>(2.0 * factor));
    auto const x = operands.student.matrix(features);
    auto const to = operands.gradient ? operands.gradient.matrix(features + size) : matrix_view<T>();
    bool const wants_gradient = static_cast<bool>(operands.gradient);
    // The weights are constant, so that each feature is a loss of its own.
    double const sum =
        simd::sum_chunks(policy, columns, 64, rows * count * columns, [&](index first, index last, index) {
          index const width = last - first;
          T* const rest = simd::scratch<T, locality_preserving_loss>(width);
          double total = 0.0;
          for (index i = 0; wants_gradient && i < rows; ++i)
            std::fill(&to(i, first), &to(i, first) + width, T(0));
          for (index i = 0; i < rows; ++i) {
            if (!heat) {
              subtract_neighbours(x, near, i, first, width, rest);
              total += static_cast<double>(
                  simd::sum_of<T>(width, [&](auto place) { return place.load(rest) * place.load(rest); }));
              if (!wants_gradient) continue;
              add(rest, slope, width, &to(i, first));
              for (index k = 0; k < count; ++k)
                add(rest, -slope * simd::lanes<T>(near.weight(i, k)), width, &to(near.id(i, k), first));
              continue;
            }
            for (index k = 0; k < count; ++k) {
              T const* const one = &x(i, first);
              T const* const two = &x(near.id(i, k), first);
              T const weight = near.weight(i, k);
              total +=
                  static_cast<double>(weight) * static_cast<double>(simd::sum_of<T>(width, [&](auto place) {
                    simd::lanes<T> const d = place.load(one) - place.load(two);
                    place.store(d, rest);
                    return d * d;
                  }));
              if (!wants_gradient) continue;
              add(rest, slope * simd::lanes<T>(weight), width, &to(i, first));
              add(rest, -slope * simd::lanes<T>(weight), width, &to(near.id(i, k), first));
            }
          }
          return total;
        });
    if (operands.gradient) operands.gradient.finish_matrix(to);
    return {sum * factor, static_cast<double>(rows)};
  }

 private:
  /// The neighbours by the teacher's features, and their weights.
  template <class T>
  static void weigh(detail::any_policy policy, kernels::map_source<T> const& source,
                    kernels::neighbourhood<T> const& near, locality_preserving_options const& options) {
    struct of_teacher {};
    index const rows = source.rows(), columns = source.columns(), count = near.count;
    T* const memory = simd::scratch<T, of_teacher>(2 * rows * columns + rows * rows + rows);
    matrix_view<T> const centred(memory + rows * columns, rows, columns);
    matrix_view<T> const squared(centred.data + rows * columns, rows, rows);
    auto const teacher = source.matrix(memory);
    kernels::centre_rows<T>(policy, teacher, centred);
    kernels::squared_distances<T>(policy, centred, squared, squared.data + rows * rows);
    bool const heat = options.weights == neighbour_weights::heat;
    double const sum = simd::sum_chunks(policy, rows, simd::worth_a_chunk(rows), rows * rows,
                                        [&](index first, index last, index) {
                                          [[maybe_unused]] kernels::one_thread_in_eigen const alone;
                                          double total = 0.0;
                                          for (index i = first; i < last; ++i) {
                                            near.find(squared, i);
                                            for (index k = 0; k < count; ++k)
                                              total += static_cast<double>(near.weight(i, k));
                                            if (!heat) near.reconstruct(teacher, i, options.regularization);
                                          }
                                          return total;
                                        });
    if (!heat) return;
    index const pairs = rows * count;
    double const bandwidth = options.bandwidth > 0.0 ? options.bandwidth : sum / static_cast<double>(pairs);
    simd::lanes<T> const scale(bandwidth == 0.0 ? T(0) : static_cast<T>(-1.0 / bandwidth));
    simd::for_each_register<T>(pairs, [&](auto place) {
      place.store(exp_nonpositive(place.load(near.weights) * scale), near.weights);
    });
  }

  /// rest = x_i - sum_k weight_k x_k, of some columns
  template <class T>
  static void subtract_neighbours(matrix_view<T const> x, kernels::neighbourhood<T> const& near, index row,
                                  index first, index width, T* rest) {
    std::copy(&x(row, first), &x(row, first) + width, rest);
    for (index k = 0; k < near.count; ++k)
      add(&x(near.id(row, k), first), simd::lanes<T>(-near.weight(row, k)), width, rest);
  }

  template <class T>
  static void add(T const* from, simd::lanes<T> factor, index size, T* to) {
    simd::for_each_register<T>(
        size, [&](auto place) { place.store(fma(place.load(from), factor, place.load(to)), to); });
  }
};

/// Samples that are neighbours for the teacher stay neighbours for the student. @alias LPKD, locality preserving loss,
/// feature embedding
///
/// @formula   L = 1 / (2 B) sum_i sum_j exp(-|t_i - t_j|^2 / bandwidth) |s_i - s_j|^2 over the teacher's neighbours j
///            of i; or 1 / B sum_i |s_i - sum_j a_ij s_j|^2, a_i = C^-1 1 / (1' C^-1 1) with C = (t_i - t_j) . (t_i -
///            t_k) + regularization * trace on the diagonal
/// @param     student  [B, D] features, a sample a row (feature maps flattened)
/// @param     teacher  [B, D'] features of the same samples, of any width
/// @param     gradient [B, D] dL/ds, overwritten or added; may be the student itself, never the teacher
/// @gradient  sum_j (a_ij + a_ji) (s_i - s_j) / B; or 2 (r_i - sum_j a_ji r_j) / B with r = s - A s. Exact: neighbours
///            and weights are the teacher's
/// @throws    std::invalid_argument when a shape or option is refused; nothing is written then
/// @error     `bound` epsilons: of the mean squared length of the student's samples for the
///            value, of the largest element of the gradient of unlike features for the gradient
/// @nan       rows are coupled: NaN makes value and gradient NaN. Without rows 0; of one row 0, and no gradient
/// @cost      B^2 D' / 2 multiplications for the neighbours, B k D for the rest; B (B + D + D' + k) numbers of scratch
/// @source    Chen et al. 2021, "Learning Student Networks via Feature Embedding", whose pull alone would
///            shrink the features: it stands beside other losses. Weights of 1 / 2 and 1 / B differ between papers
/// @example   distil::locality_preserving.with_grad(student, teacher, gradient, {.neighbours = 8})
inline constexpr locality_preserving_loss locality_preserving{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
