#pragma once

#include <algorithm>
#include <span>

#include "distil/core/map_weights.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/products.hpp"
#include "distil/matrix/unit_rows.hpp"

namespace distil {

struct patch_relations_options {
  /// Multiplies the relations of the patches of a sample; finite and >= 0. Default 4, as in the authors' scripts.
  double intra_weight = 4.0;

  /// Multiplies the relations of samples at one patch; finite and >= 0. Default 0.1, likewise.
  double inter_weight = 0.1;

  /// Multiplies the relations of the patches in `sampled`; finite and >= 0. Default 0.2, likewise.
  double random_weight = 0.2;

  /// Patches drawn from the whole batch, for each call anew: n * positions + p for position p = y * width + x of sample n.
  /// The authors draw 192 without replacement. Default: none, and no such term.
  std::span<index const> sampled = {};

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

/// The weighted sum, and the terms without any weight; 0 of those with weight 0.
struct patch_relations_value : loss_value {
  double intra = 0.0;   ///< patches of a sample
  double inter = 0.0;   ///< samples at a patch
  double random = 0.0;  ///< sampled patches
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `patch_relations`.
struct patch_relations_loss
    : pair_loss<patch_relations_loss, patch_relations_options, kernels::as_maps, patch_relations_value> {
  static constexpr char const* name = "patch_relations";
  static constexpr error_bound bound{.value = 32, .gradient = 64};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    patch_relations_options const& options) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, false, true, true});
    index const patches = student[0] * student[2] * student[3];
    for (index const patch : options.sampled) {
      detail::require(
          patch >= 0 && patch < patches, name, "sampled", [&] { return std::to_string(patch); },
          [&] { return "a patch of the batch, at least 0 and below " + std::to_string(patches); });
    }
  }

  static void check_numbers(patch_relations_options const& options, detail::computing_type type) {
    detail::require_factor(name, "intra_weight", options.intra_weight, type);
    detail::require_factor(name, "inter_weight", options.inter_weight, type);
    detail::require_factor(name, "random_weight", options.random_weight, type);
  }

  template <class T>
  static patch_relations_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                                        patch_relations_options const& options) {
    auto const& [student, teacher, gradient] = operands;
    index const samples = student.samples, positions = student.positions(), patches = samples * positions;
    if (samples == 0) return {};
    index const columns = student.channels, of_teacher = teacher.channels;
    struct of_patches {};
    T* const memory = simd::scratch<T, of_patches>(patches * (2 * columns + of_teacher + 1));
    matrix_view<T> const x(memory, patches, columns), slopes(memory + patches * columns, patches, columns);
    matrix_view<T> const y(slopes.data + patches * columns, patches, of_teacher);
    T* const lengths = y.data + patches * of_teacher;
    read(policy, student, x);
    read(policy, teacher, y);
    kernels::to_unit_rows<T>(policy, y, y, lengths);
    kernels::to_unit_rows<T>(policy, x, x, lengths);
    bool const wants_gradient = static_cast<bool>(gradient);
    if (wants_gradient) std::fill(slopes.data, slopes.data + patches * columns, T(0));

    // The patches of a sample lie together, those at a position are rows that far apart: no two of either share a row.
    patch_relations_value result;
    auto const add = [&](double weight, index groups, index size, index step, index stride) {
      if (weight == 0.0) return 0.0;
      double const mean = 1.0 / static_cast<double>(groups * size * size);
      return mean *
             simd::sum_chunks(
                 policy, groups, 1, groups * size * size * columns, [&](index first, index last, index) {
                   double total = 0.0;
                   for (index group = first; group < last; ++group) {
                     auto const rows = [&](matrix_view<T> const& of) {
                       return matrix_view<T>(&of(group * step, 0), size, of.columns, stride * of.columns);
                     };
                     total += relate<T>(detail::any_policy(serial), rows(x), rows(y), rows(slopes),
                                        wants_gradient, static_cast<T>(4.0 * weight * mean));
                   }
                   return total;
                 });
    };
    result.intra = add(options.intra_weight, samples, positions, positions, 1);
    result.inter = add(options.inter_weight, positions, samples, 1, positions);
    if (options.random_weight > 0.0 && !options.sampled.empty())
      result.random = of_sampled<T>(policy, options, x, y, slopes, wants_gradient);
    result.value = options.intra_weight * result.intra + options.inter_weight * result.inter +
                   options.random_weight * result.random;
    result.weight = static_cast<double>(samples);
    if (!wants_gradient) return result;

    kernels::pull_back_unit_rows<T>(policy, x, lengths, slopes);
    simd::for_chunks(policy, samples, simd::worth_a_chunk(positions * columns), patches * columns,
                     [&, &gradient = gradient](index first, index last) {
                       for (index n = first; n < last; ++n) {
                         T* const own = &slopes(n * positions, 0);
                         auto const to = gradient.sample(n, kernels::rows_of::positions, own);
                         for (index p = 0; to.data != own && p < positions; ++p)
                           std::copy(own + p * columns, own + (p + 1) * columns, &to(p, 0));
                         gradient.finish(n, kernels::rows_of::positions, to);
                       }
                     });
    return result;
  }

 private:
  /// A patch a row.
  template <class T>
  static void read(detail::any_policy policy, kernels::map_source<T> const& from, matrix_view<T> to) {
    index const positions = from.positions();
    simd::for_chunks(policy, from.samples, simd::worth_a_chunk(positions * to.columns), to.rows * to.columns,
                     [&](index first, index last) {
                       for (index n = first; n < last; ++n) {
                         T* const own = &to(n * positions, 0);
                         auto const sample = from.sample(n, kernels::rows_of::positions, own);
                         for (index p = 0; sample.data != own && p < positions; ++p)
                           std::copy(&sample(p, 0), &sample(p, 0) + to.columns, own + p * to.columns);
                       }
                     });
  }

  /// |x x' - y y'|^2; `slope` (x x' - y y') x is added to the gradient.
  template <class T>
  static double relate(detail::any_policy policy, matrix_view<T const> x, matrix_view<T const> y,
                       matrix_view<T> gradient, bool wants_gradient, T slope) {
    index const pairs = x.rows * x.rows;
    T* const memory = simd::scratch<T, patch_relations_loss>(2 * pairs);
    matrix_view<T> const ours(memory, x.rows, x.rows), theirs(memory + pairs, x.rows, x.rows);
    kernels::gram<T>(policy, x, ours);
    kernels::gram<T>(policy, y, theirs);
    simd::lanes<T> const scale(slope);
    double sum = 0.0;
    for (index row = 0; row < x.rows; ++row) {
      T* const a = &ours(row, 0);
      T const* const b = &theirs(row, 0);
      sum += static_cast<double>(simd::sum_of<T>(x.rows, [&](auto place) {
        simd::lanes<T> const d = place.load(a) - place.load(b);
        place.store(d * scale, a);
        return d * d;
      }));
    }
    if (wants_gradient) kernels::multiply<T>(policy, ours, x, gradient, kernels::into::add);
    return sum;
  }

  template <class T>
  static double of_sampled(detail::any_policy policy, patch_relations_options const& options,
                           matrix_view<T const> x, matrix_view<T const> y, matrix_view<T> slopes,
                           bool wants_gradient) {
    struct of_samples {};
    index const size = static_cast<index>(options.sampled.size());
    T* const memory = simd::scratch<T, of_samples>(size * (2 * x.columns + y.columns));
    matrix_view<T> const ours(memory, size, x.columns), gradient(memory + size * x.columns, size, x.columns);
    matrix_view<T> const theirs(gradient.data + size * x.columns, size, y.columns);
    index row = 0;
    for (index const patch : options.sampled) {
      std::copy(&x(patch, 0), &x(patch, 0) + x.columns, &ours(row, 0));
      std::copy(&y(patch, 0), &y(patch, 0) + y.columns, &theirs(row, 0));
      ++row;
    }
    std::fill(gradient.data, gradient.data + size * x.columns, T(0));
    double const mean = 1.0 / static_cast<double>(size * size);
    double const sum = relate<T>(policy, ours, theirs, gradient, wants_gradient,
                                 static_cast<T>(4.0 * options.random_weight * mean));
    row = 0;
    for (index const patch : options.sampled) {  // one patch may have been drawn twice
      T const* const from = &gradient(row++, 0);
      T* const to = &slopes(patch, 0);
      if (wants_gradient)
        simd::for_each_register<T>(x.columns,
                                   [&](auto place) { place.store(place.load(to) + place.load(from), to); });
    }
    return sum * mean;
  }
};

/// Patches alike for the teacher are alike for the student: in each sample, in all samples at one place, and anywhere
/// among some drawn at random. It couples samples: none has a value of its own. @alias manifold distillation, fine-grained
/// manifold distillation, patch relations
///
/// @formula   L = intra_weight mean_n,p,q (x_np . x_nq - y_np . y_nq)^2 + inter_weight mean_p,n,m (x_np . x_mp - y_np .
///            y_mp)^2 + random_weight mean_i,j (x_i . x_j - y_i . y_j)^2, x and y the patches of student and teacher,
///            each divided by its length
/// @param     student  feature map, samples x C x height x width in any layout, or a `token_map`: a patch is a position
/// @param     teacher  of the student's samples and positions, with any number of channels
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the teacher
/// @gradient  of each term 4 w (X X' - Y Y') X / n, n the number of its pairs, then (g - x (x . g)) / |s|. A patch of
///            zeros stays one and has no gradient
/// @throws    std::invalid_argument when a shape, weight or sampled patch is refused; nothing is written then
/// @error     `bound` epsilons: of the sum of the weights for the value; of
///            w (1 / (B P) + 1 / K) / |s| for the gradient of a patch
/// @nan       NaN makes the value NaN. Without samples: 0
/// @cost      B P^2 + P B^2 + K^2 products of patches for B samples of P patches, K sampled, twice that more with
///            gradient; B P (2 C + C') numbers of scratch
/// @source    Hao et al. 2022, "Learning Efficient Vision Transformers via Fine-Grained Manifold Distillation", and its
///            code, which first cuts long sequences by merging patches and drops tokens of no patch
/// @example   distil::patch_relations.with_grad(student, teacher, gradient, {.sampled = drawn}).random
inline constexpr patch_relations_loss patch_relations{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
