#pragma once

#include <algorithm>
#include <cmath>

#include "distil/core/map_weights.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/unit_rows.hpp"
#include "distil/simd/chunk_sums.hpp"

namespace distil {

/// What `hint` takes of the difference d of two elements.
enum class hint_distance {
  squared,    ///< d^2
  smooth_l1,  ///< d^2 / (2 beta) up to |d| = beta, |d| - beta / 2 beyond
};

/// What `hint` divides by its length first, in student and teacher alike.
enum class hint_normalization {
  none,
  samples,    ///< all elements of a sample
  positions,  ///< the channels at each position: the hidden state of each token
};

struct hint_options {
  hint_distance distance = hint_distance::squared;

  /// Where `smooth_l1` turns from a parabola to a line; finite and > 0. Default 1, as in PyTorch.
  double beta = 1.0;

  hint_normalization normalize = hint_normalization::none;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Default: the mean over all elements, which the published weight of 100 assumes.
  feature_reduction reduce = feature_reduction::element_mean;

  /// Of samples, or of positions: a token mask. One number, one per sample, or one per position in the order n, y, x;
  /// finite and >= 0. What has weight 0 does not count and may be NaN, unless a
  /// vector that is normalised holds it. Default 1.
  row_parameter weights = 1;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// The distance of two rows of elements; their derivative by the student goes to `slope` where that is wanted.
template <class T>
class hint_rows {
 public:
  explicit hint_rows(hint_options const& options)
      : distance_(options.distance), beta_(static_cast<T>(options.beta)) {}

  /// @param units  room for two rows where both are to be divided by their lengths, else null
  T operator()(T const* student, T const* teacher, index size, T* units, T factor, T* slope) const {
    if (units == nullptr) return of_elements(student, teacher, size, factor, slope);
    T const length = to_unit(student, size, units);
    to_unit(teacher, size, units + size);
    T const sum = of_elements(units, units + size, size, factor, slope);
    if (slope != nullptr) pull_back_unit(units, length, size, slope);
    return sum;
  }

 private:
  T of_elements(T const* student, T const* teacher, index size, T factor, T* slope) const {
    lanes<T> const beta(beta_), scale(factor);
    bool const squared = distance_ == hint_distance::squared;
    return simd::sum_of<T>(size, [&](auto place) {
      lanes<T> const d = place.load(student) - place.load(teacher);
      if (squared) {
        if (slope != nullptr) place.store(d * (scale + scale), slope);
        return d * d;
      }
      // With c = d clamped to [-beta, beta]: (c / beta) (d - c / 2), whose derivative is c / beta.
      lanes<T> const c = max(min(d, beta), -beta);
      lanes<T> const by_beta = select(d == d, c, d) / beta;
      if (slope != nullptr) place.store(by_beta * scale, slope);
      return by_beta * (d - c * lanes<T>(T(0.5)));
    });
  }

  hint_distance distance_;
  T beta_;
};

}  // namespace kernels

/// See `hint`.
struct hint_loss : pair_loss<hint_loss, hint_options> {
  static constexpr char const* name = "hint";
  static constexpr error_bound bound{.value = 16, .gradient = 16};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    hint_options const&) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, true, true, true});
  }
  static void check_numbers(hint_options const& options, detail::computing_type type) {
    detail::require_number(name, "beta", options.beta, type, detail::is_positive, detail::must_be_positive);
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             hint_options const& options) {
    auto const& [student, teacher, gradient] = operands;
    detail::map_weights const weights(name, options.weights,
                                      {student.samples, student.channels, student.height, student.width});
    double const factor = weights.factor(options.reduce);
    bool const of_samples = options.normalize == hint_normalization::samples;
    bool const of_positions = options.normalize == hint_normalization::positions;
    bool const by_position = weights.per_position() || of_positions;
    kernels::sample_form const form(by_position ? kernels::rows_of::positions : student.natural_order(),
                                    !by_position || of_samples);
    kernels::hint_rows<T> const distance(options);
    index const size = student.sample_size();
    index const columns = by_position ? student.channels : size;
    double const sum = simd::sum_chunks(
        policy, student.samples, simd::worth_a_chunk(size), student.samples * size,
        [&, &student = student, &teacher = teacher, &gradient = gradient](index first, index last, index) {
          T* const memory = simd::scratch<T, hint_loss>(5 * size);
          T* const units = memory + 3 * size;
          double total = 0.0;
          for (index n = first; n < last; ++n) {
            auto s = student.sample(n, form, memory), t = teacher.sample(n, form, memory + size);
            auto const written = gradient ? gradient.sample(n, form, memory + 2 * size) : matrix_view<T>();
            auto slopes = written;
            T length = 0;
            if (of_samples) {
              length = kernels::to_unit(s.data, size, units);
              kernels::to_unit(t.data, size, units + size);
              s = {units, size / columns, columns};
              t = {units + size, size / columns, columns};
              slopes = {written.data, size / columns, columns};
            }
            for (index row = 0; row < s.rows; ++row) {
              double const weight = weights.of(n, row);
              if (weight == 0.0) {  // what does not count may be NaN
                if (gradient) std::fill(&slopes(row, 0), &slopes(row, 0) + columns, T(0));
                continue;
              }
              total += weight * static_cast<double>(distance(
                                    &s(row, 0), &t(row, 0), columns, of_positions ? units : nullptr,
                                    static_cast<T>(weight * factor), gradient ? &slopes(row, 0) : nullptr));
            }
            if (gradient) {
              if (of_samples) kernels::pull_back_unit(units, length, size, written.data);
              gradient.finish(n, form, written);
            }
          }
          return total;
        });
    return {sum * factor, weights.total()};
  }
};

/// The student's features resemble the teacher's, element for element. Where the sizes differ, a projector or a pooling
/// of the student's comes before. @alias FitNets, hint loss, L2 feature loss, hidden-state MSE, PKD, SimKD
///
/// @formula   L = reduce_i w_i rho(s_i - t_i), rho(d) = d^2 or the smooth L1 distance; with `normalize`, s and t are
///            divided by the length of the sample's or the position's vector first
/// @param     student  feature map, samples x channels x height x width in any layout, or a matrix, samples x channels
/// @param     teacher  of the student's shape
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the teacher
/// @gradient  2 w d / n, or w d / (beta n) within beta and w sign(d) / n beyond; through s / |s| as
///            (g - u (u . g)) / |s|. n is what `reduce` divides by. A vector of zeros is not divided and has no gradient
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound` epsilons of the value; of the largest element of the gradient
/// @nan       NaN elements make value and gradient NaN, the gradient at these elements alone (in their vector when it is
///            normalised). Without samples, or where nothing counts: 0
/// @cost      reads two maps and writes one; 5 samples of scratch a thread
/// @source    Romero et al. 2015, FitNets, equation 3 (half the sum of squares there); mdistiller and RepDistiller take
///            the mean over elements. Patient KD (Sun et al. 2019; PKD) takes unit [CLS] states, `normalize` by position:
///            the mean over elements as their code, or `sample_mean` as TextBrewer's pkd_loss. SimKD (Chen et al. 2022)
///            takes projected features, the mean over elements
/// @example   distil::hint.with_grad(student, teacher, gradient)
inline constexpr hint_loss hint{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
