#pragma once

#include <algorithm>
#include <cmath>

#include "distil/core/map_values.hpp"
#include "distil/feature/maps/magnitude_map.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/unit_rows.hpp"
#include "distil/simd/chunk_sums.hpp"

namespace distil {

/// What `hint` takes of the difference d of two elements.
enum class hint_distance {
  squared,    ///< d^2
  smooth_l1,  ///< d^2 / (2 beta) up to |d| = beta, |d| - beta / 2 beyond
  huber,      ///< d^2 / 2 up to |d| = beta, beta (|d| - beta / 2) beyond: beta times `smooth_l1`
  absolute,   ///< |d|
  power,      ///< |d|^power
  norm,       ///< of all differences of a sample: the root of the sum of their squares
};

/// What `hint` divides by its length first, in student and teacher alike.
enum class hint_normalization {
  none,
  samples,    ///< all elements of a sample
  positions,  ///< the channels at each position: the hidden state of each token
};

struct hint_options {
  hint_distance distance = hint_distance::squared;

  /// Where `smooth_l1` and `huber` turn from a parabola to a line (PyTorch's beta and delta); finite and > 0. Default 1, as
  /// in PyTorch.
  double beta = 1.0;

  /// Of `hint_distance::power`; within [1, 64]. Default 2.
  double power = 2.0;

  hint_normalization normalize = hint_normalization::none;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Default: the mean over all elements, which the published weight of 100 assumes. A `norm` is one number a sample:
  /// either mean is that over what counts of the samples.
  feature_reduction reduce = feature_reduction::element_mean;

  /// Of samples, or of positions: a token mask. One number, one per sample, or one per position in the order n, y, x;
  /// finite and >= 0. What has weight 0 does not count and may be NaN, unless a
  /// vector that is normalised holds it. Default 1.
  row_parameter weights = 1;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write the loss of each sample, or of each position in the order n, y, x (not of `norm`), before weights: what
  /// it would give alone. What does not count has 0. Default: nowhere.
  std::span<double> values = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// The distance of two rows of elements; their derivative by the student goes to `slope` where that is wanted.
template <class T>
class hint_rows {
 public:
  explicit hint_rows(hint_options const& options)
      : raises_(options.distance == hint_distance::power || options.distance == hint_distance::absolute),
        squares_(options.distance == hint_distance::squared || options.distance == hint_distance::norm),
        beta_(static_cast<T>(options.beta)),
        divisor_(options.distance == hint_distance::huber ? T(1) : beta_),
        power_(options.distance == hint_distance::absolute ? 1.0 : options.power) {}

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
    lanes<T> const beta(beta_), divisor(divisor_), scale(factor);
    if (raises_) {
      return simd::sum_of<T>(size, [&](auto place) {
        lanes<T> const d = place.load(student) - place.load(teacher);
        if (slope != nullptr) place.store(power_.slope(d) * scale, slope);
        return power_(d);
      });
    }
    return simd::sum_of<T>(size, [&](auto place) {
      lanes<T> const d = place.load(student) - place.load(teacher);
      if (squares_) {
        if (slope != nullptr) place.store(d * (scale + scale), slope);
        return d * d;
      }
      // With c = d clamped to [-beta, beta]: (c / beta) (d - c / 2), whose derivative is c / beta; `huber` without beta.
      lanes<T> const c = max(min(d, beta), -beta);
      lanes<T> const by_beta = select(d == d, c, d) / divisor;
      if (slope != nullptr) place.store(by_beta * scale, slope);
      return by_beta * (d - c * lanes<T>(T(0.5)));
    });
  }

  bool raises_, squares_;
  T beta_, divisor_;
  absolute_power<T> power_;
};

}  // namespace kernels

/// See `hint`.
struct hint_loss : pair_loss<hint_loss, hint_options> {
  static constexpr char const* name = "hint";
  static constexpr error_bound bound{.value = 16, .gradient = 16};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    hint_options const& options) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, true, true, true});
    detail::require(options.power >= 1.0 && options.power <= 64.0, name, "power", options.power,
                    "within [1, 64]");
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
    bool const is_norm = options.distance == hint_distance::norm;
    detail::map_values const values(
        name, options.values, options.reduce, weights,
        is_norm ? detail::values_of::samples : detail::values_of::samples_or_positions);
    double const factor =
        weights.factor(is_norm && options.reduce != feature_reduction::sum ? feature_reduction::sample_mean
                                                                           : options.reduce);
    bool const of_samples = options.normalize == hint_normalization::samples;
    bool const of_positions = options.normalize == hint_normalization::positions;
    bool const by_position = weights.per_position() || of_positions || values.per_position();
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
            double squares = 0.0;  // of a norm
            for (index row = 0; row < s.rows; ++row) {
              double const weight = weights.of(n, row), within = weights.within(n, row);
              if (weight == 0.0) {  // what does not count may be NaN
                if (gradient) std::fill(&slopes(row, 0), &slopes(row, 0) + columns, T(0));
                continue;
              }
              double const by = is_norm ? 0.5 * within : weight * factor;
              auto const found = static_cast<double>(
                  distance(&s(row, 0), &t(row, 0), columns, of_positions ? units : nullptr,
                           static_cast<T>(by), gradient ? &slopes(row, 0) : nullptr));
              if (is_norm) {
                squares += within * found;
              } else {
                total += weight * found;
                values.add(n, row, found);
              }
            }
            if (is_norm) {
              double const root = std::sqrt(squares), weight = weights.of_sample(n);
              total += weight * root;
              values.add_weighed(n, root);
              if (gradient)
                kernels::scale_rows(slopes, static_cast<T>(root == 0.0 ? 0.0 : weight * factor / root));
            } else {
              values.finish(n);
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
/// of the student's comes before. @alias FitNets, hint loss, L2 feature loss, L1 feature loss, hidden-state MSE, PKD, SimKD
///
/// @formula   L = reduce_i w_i rho(s_i - t_i), rho as `hint_distance` says; of a norm reduce_n w_n (sum_i w_i d_i^2)^(1/2),
///            weights of positions within the root, of samples before it. With `normalize`, s and t are divided by the
///            length of the sample's or the position's vector first
/// @param     student  feature map, samples x channels x height x width in any layout, or a matrix, samples x channels
/// @param     teacher  of the student's shape
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the teacher
/// @gradient  w rho'(d) / n: rho' is 2 d, d / beta within beta and sign(d) beyond (`huber`: d and beta sign(d)), sign(d),
///            power |d|^(power - 1) sign(d), 0 at d = 0; of a norm w_n w_i d_i / (norm n), 0 where that is 0; through
///            s / |s| as (g - u (u . g)) / |s|. n is what `reduce` divides by. A vector of zeros is not divided and has no
///            gradient
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound` epsilons of the value; of the largest element of the gradient; of `power` above 16, so many epsilons
///            as that. The squares under the root of a norm must be numbers of the type
/// @nan       NaN elements make value and gradient NaN, the gradient at these elements alone (in their vector when it is
///            normalised, in their sample with a norm). Without samples, or where nothing counts: 0
/// @cost      reads two maps and writes one, a norm's twice; 5 samples of scratch a thread. Powers above 8 or not whole
///            are one `pow` an element, two with a gradient
/// @source    Romero et al. 2015, FitNets, equation 3 (half the sum of squares there); mdistiller and RepDistiller take
///            the mean over elements. Norms: PODNet (Douillard et al. 2020) means those of unit samples; mmrazor's `dist`,
///            the root over the whole batch, is that of a batch seen as one sample. Patient KD (Sun et al. 2019; PKD) takes
///            unit [CLS] states, `normalize` by position: the mean over elements as their code, or
///            `sample_mean` as TextBrewer's pkd_loss. SimKD (Chen et al. 2022) takes projected features, the mean over
///            elements. `smooth_l1` and `huber` as PyTorch
/// @example   distil::hint.with_grad(student, teacher, gradient, {.distance = distil::hint_distance::norm})
inline constexpr hint_loss hint{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
