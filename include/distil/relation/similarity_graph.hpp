#pragma once

#include "distil/matrix/add_transpose.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/pairwise_distances.hpp"
#include "distil/relation/similarities.hpp"

namespace distil {

template <class Divergence, class Kernel>
struct similarity_graph_options {
  /// What similarity is. Default: the kernel as it is made without arguments.
  Kernel kernel = {};

  /// Options of the divergence: temperature, row weights, reduction.
  typename Divergence::options_type divergence = {};

  /// Samples are compared with themselves, too. Default false: the diagonal is masked.
  bool with_self = false;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `similarity_graph`.
template <auto const& Divergence, class Kernel>
struct similarity_graph_loss
    : pair_loss<similarity_graph_loss<Divergence, Kernel>,
                similarity_graph_options<std::remove_cvref_t<decltype(Divergence)>, Kernel>,
                kernels::as_matrices> {
  using options_type = similarity_graph_options<std::remove_cvref_t<decltype(Divergence)>, Kernel>;
  static constexpr char const* name = "similarity_graph";
  static constexpr error_bound bound{.value = 64, .gradient = 128};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    options_type const& options) {
    detail::require_same_rows(name, teacher, student);
    if constexpr (requires { options.kernel.check(name); }) options.kernel.check(name);
    if constexpr (requires { options.divergence.accumulate; }) {
      detail::require(!options.divergence.accumulate, name, "divergence.accumulate", "set",
                      "set on the options of similarity_graph");
    }
  }

  static void check_numbers(options_type const& options, detail::computing_type type) {
    if constexpr (requires { options.kernel.check_numbers(name, type); }) {
      options.kernel.check_numbers(name, type);
    }
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             options_type const& options) {
    using lanes = simd::lanes<T>;
    index const rows = operands.student.rows();
    if (rows == 0) return {};
    index const size = operands.student.sample_size(), pairs = rows * rows;
    index const widest = rows * std::max(operands.student.columns(), operands.teacher.columns());
    T* const memory = simd::scratch<T, similarity_graph_loss>(size + widest + 3 * pairs + rows);
    // The teacher's rows make room for the gradient.
    T* const place_of_gradient = memory + size;
    matrix_view<T> const dots(memory + size + widest, rows, rows), own(dots.data + pairs, rows, rows),
        other(dots.data + 2 * pairs, rows, rows);
    T* const squares = dots.data + 3 * pairs;
    rows_and_dots(policy, operands.teacher, place_of_gradient, other, squares);
    similarities<T>(policy, options, other, squares, other);
    auto const x = rows_and_dots(policy, operands.student, memory, dots, squares);
    similarities<T>(policy, options, dots, squares, own);

    if (!operands.gradient) return Divergence(policy, own, other, options.divergence);
    loss_value const value = Divergence.with_grad(policy, own, other, own, options.divergence);
    // Similarity is symmetric: with s + s' of the slopes s a row's own derivatives are all there are.
    kernels::add_transpose<T>(policy, own);
    simd::for_chunks(policy, rows, simd::worth_a_chunk(rows), pairs, [&](index first, index last) {
      for (index i = first; i < last; ++i) {
        T* const slope = &own(i, 0);
        if (!options.with_self) slope[i] = T(0);
        lanes const square(squares[i]);
        T const by_square = simd::sum_of<T>(rows, [&](auto place) {
          auto const at = options.kernel.at(place.load(&dots(i, 0)), square, place.load(squares));
          lanes const s = place.load(slope);
          place.store(s * at.by_dot, slope);
          return s * at.by_own;
        });
        slope[i] += T(2) * by_square;
      }
    });
    auto const gradient = operands.gradient.matrix(place_of_gradient);
    kernels::multiply<T>(policy, own, x, gradient);
    operands.gradient.finish_matrix(gradient);
    return value;
  }

 private:
  template <class T>
  static matrix_view<T const> rows_and_dots(detail::any_policy policy, kernels::map_source<T> const& source,
                                            T* memory, matrix_view<T> dots, T* squares) {
    matrix_view<T const> x = source.matrix(memory);
    if constexpr (requires { Kernel::centred; }) {
      matrix_view<T> const centred(memory, x.rows, x.columns);
      kernels::centre_rows<T>(policy, x, centred);
      x = centred;
    }
    kernels::gram<T>(policy, x, dots);
    for (index i = 0; i < x.rows; ++i) squares[i] = dots(i, i);
    return x;
  }

  template <class T>
  static void similarities(detail::any_policy policy, options_type const& options, matrix_view<T const> dots,
                           T const* squares, matrix_view<T> result) {
    index const rows = dots.rows;
    simd::for_chunks(policy, rows, simd::worth_a_chunk(rows), rows * rows, [&](index first, index last) {
      for (index i = first; i < last; ++i) {
        simd::lanes<T> const square(squares[i]);
        simd::for_each_register<T>(rows, [&](auto place) {
          auto const at = options.kernel.at(place.load(&dots(i, 0)), square, place.load(squares));
          place.store(at.value, &result(i, 0));
        });
        if (!options.with_self) result(i, i) = -simd::infinity<T>;
      }
    });
  }
};

/// The graph of similarities between samples: each row of the student's similarity matrix resembles the teacher's by any
/// divergence on logits. @alias similarity graph, relational KL, IRG edges, SimKD graph, SKD
///
/// @formula   L = D(teacher's rows, student's rows) of K_ij = k(x_i, x_j), with D's own temperature, weights and reduction;
///            k is the cosine, or another of similarities.hpp, or yours
/// @param     Divergence a loss of this library, or yours: `Divergence(policy, student, teacher, options)`, and `with_grad`
///                       with the gradient before the options, which may be the student; `options_type` names them
/// @param     student    [B, D] features, a sample a row (feature maps flattened)
/// @param     teacher    [B, D'] features of the same samples, of any width
/// @param     gradient   [B, D] dL/dX, overwritten or added; may be the student itself, never the teacher
/// @gradient  (S + S') dk/d(x_i . x_j) X + 2 n_i x_i, S = dL/dK, n_i = sum_j (S + S')_ij dk/d|x_i|^2
/// @throws    std::invalid_argument when a shape or option is refused; nothing is written then
/// @error     with `forward_kl` at temperature T `bound` epsilons of 1 for the value, of 4 / (B T)
///            over the shortest length for the gradient of cosines
/// @nan       rows are coupled: NaN makes value and gradient NaN. Without rows 0; of one row and no self 0. Vectors of zeros
///            have the cosine 0 and no gradient
/// @cost      B^2 (D + D') / 2 multiplications, B^2 D more with gradient, and the divergence of B rows of B; 3 B^2 +
///            B (D + max(D, D')) numbers of scratch
/// @source    rows of similarities as distributions: Fang et al. 2021, arXiv:2101.04731 (SEED), and Abbasi Koohpayegani et
///            al. 2020, arXiv:2010.14713 (CompRess), here of the batch among itself; Passalis & Tefas 2018 for other kernels
/// @example   distil::similarity_graph<distil::forward_kl>.with_grad(student, teacher, gradient,
///                                                                   {.divergence = {.temperature = 0.1F}})
template <auto const& Divergence, class Kernel = cosine_similarity>
inline constexpr similarity_graph_loss<Divergence, Kernel> similarity_graph{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
