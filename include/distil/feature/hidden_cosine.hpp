#pragma once

#include "distil/core/map_values.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/unit_rows.hpp"
#include "distil/simd/chunk_sums.hpp"

namespace distil {

struct hidden_cosine_options {
  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// `element_mean`: over the positions that count, tokens or rows; `sample_mean`: a sum over the positions of a
  /// sample.
  feature_reduction reduce = feature_reduction::element_mean;

  /// Of samples, or of positions: a token mask. One number, one per sample, or one per position in the order n, y, x;
  /// finite and >= 0. What has weight 0 does not count and may be NaN. Default 1.
  row_parameter weights = 1;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write the loss of each sample, or of each position in the order n, y, x, before weights: what it would give
  /// alone. What does not count has 0. Default: nowhere.
  std::span<double> values = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `hidden_cosine`.
struct hidden_cosine_loss : pair_loss<hidden_cosine_loss, hidden_cosine_options> {
  static constexpr char const* name = "hidden_cosine";
  static constexpr error_bound bound{.value = 16, .gradient = 16};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    hidden_cosine_options const&) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, true, true, true});
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             hidden_cosine_options const& options) {
    auto const& [student, teacher, gradient] = operands;
    constexpr auto order = kernels::rows_of::positions;
    // One number for each position, so one channel.
    detail::map_weights const weights(name, options.weights,
                                      {student.samples, 1, student.height, student.width});
    detail::map_values const values(name, options.values, options.reduce, weights);
    double const factor = weights.factor(options.reduce);
    index const size = student.sample_size(), channels = student.channels;
    double const sum = simd::sum_chunks(
        policy, student.samples, simd::worth_a_chunk(size), student.samples * size,
        [&, &student = student, &teacher = teacher, &gradient = gradient](index first, index last, index) {
          T* const memory = simd::scratch<T, hidden_cosine_loss>(3 * size + 3 * channels);
          T* const units = memory + 3 * size;
          double total = 0.0;
          for (index n = first; n < last; ++n) {
            auto const s = student.sample(n, order, memory), t = teacher.sample(n, order, memory + size);
            auto const written = gradient ? gradient.sample(n, order, memory + 2 * size) : matrix_view<T>();
            for (index row = 0; row < s.rows; ++row) {
              double const weight = weights.of(n, row);
              T* const slope = gradient ? &written(row, 0) : units + 2 * channels;
              if (weight == 0.0) {
                std::fill(slope, slope + channels, T(0));
              } else {
                auto const found = static_cast<double>(distance(&s(row, 0), &t(row, 0), channels, units,
                                                                static_cast<T>(weight * factor), slope));
                total += weight * found;
                values.add(n, row, found);
              }
            }
            values.finish(n);
            if (gradient) gradient.finish(n, order, written);
          }
          return total;
        });
    return {sum * factor, weights.total()};
  }

 private:
  /// 1 - cos = |u_s - u_t|^2 / 2, which keeps its digits where the vectors are alike.
  template <class T>
  static T distance(T const* student, T const* teacher, index size, T* units, T factor, T* slope) {
    T const length = kernels::to_unit(student, size, units);
    T const of_teacher = kernels::to_unit(teacher, size, units + size);
    if (length == T(0) || of_teacher == T(0)) {
      std::fill(slope, slope + size, T(0));
      // NaN, if the other has one.
      return T(1) + T(0) * (length + of_teacher);
    }
    T const squares = simd::sum_of<T>(size, [&](auto place) {
      auto const d = place.load(units) - place.load(units + size);
      place.store(d * simd::lanes<T>(factor), slope);
      return d * d;
    });
    kernels::pull_back_unit(units, length, size, slope);
    return squares / T(2);
  }
};

/// The student's hidden states point where the teacher's do. @alias DistilBERT's cosine loss, cos_loss
///
/// @formula   L = mean over the positions that count of 1 - cos(s_p, t_p), the vectors of channels at each position
/// @param     student  hidden states (`token_map`), a feature map, or a matrix with a vector a row
/// @param     teacher  of the student's shape
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the
///            teacher
/// @gradient  (cos u_s - u_t) / |s| / n, u the unit vectors
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound` epsilons of 1 for the value, of the largest 1 / |s| n for the gradient
/// @nan       a NaN makes the value and its position's gradient NaN. The cosine with a vector of zeros is 0: loss 1, no
///            gradient. Without samples, or where nothing counts: 0
/// @cost      reads two maps and writes one; 3 samples of scratch a thread
/// @source    Sanh et al. 2019, DistilBERT, section 2 (weight 1; over valid tokens); TextBrewer's cos_loss, over
///            the tokens of its mask
/// @example   distil::hidden_cosine.with_grad(student, teacher, gradient, {.weights = token_mask})
inline constexpr hidden_cosine_loss hidden_cosine{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
