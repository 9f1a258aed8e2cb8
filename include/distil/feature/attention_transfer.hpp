#pragma once

#include "distil/core/map_values.hpp"
#include "distil/core/sample_weights.hpp"
#include "distil/feature/maps/magnitude_map.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/simd/chunk_sums.hpp"

namespace distil {

/// How far apart two attention maps are.
enum class attention_distance {
  mean_square,  ///< mean over samples and positions of (a_s - a_t)^2: the authors' code, mdistiller, RepDistiller
  norm,         ///< mean over samples of |a_s - a_t|: the paper, torchdistill's mode "paper"
};

struct attention_transfer_options {
  /// Of the magnitudes that are summed over the channels; within [1, 64]. Default 2, as published.
  double power = 2.0;

  /// Default: the authors' code, which the published weight of 1000 assumes.
  attention_distance distance = attention_distance::mean_square;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// One number or one per sample; finite and >= 0. Default 1.
  row_parameter weights = 1;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write the loss of each sample before its weight, what it would give alone; one per sample, those that do not
  /// count get 0. Default: nowhere.
  std::span<double> values = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `attention_transfer`.
struct attention_transfer_loss : pair_loss<attention_transfer_loss, attention_transfer_options> {
  static constexpr char const* name = "attention_transfer";
  static constexpr error_bound bound{.value = 16, .gradient = 16};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    attention_transfer_options const& options) {
    detail::require_same_axes(name, "teacher", teacher, student, {true, false, true, true});
    detail::require(options.power >= 1.0 && options.power <= 64.0, name, "power", options.power,
                    "within [1, 64]");
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             attention_transfer_options const& options) {
    auto const& [student, teacher, gradient] = operands;
    detail::sample_weights const weights(name, options.weights, student.samples);
    bool const squared = options.distance == attention_distance::mean_square;
    index const size = student.sample_size(), of_teacher = teacher.sample_size();
    index const positions = student.positions();
    detail::sample_values const values(name, options.values, student.samples);
    double const divisor = squared ? static_cast<double>(positions) : 1.0;
    double const factor = weights.mean_factor(divisor);
    auto const order = student.natural_order(), teacher_order = teacher.natural_order();
    kernels::magnitude_map<T> const maps(options.power);
    double const sum = simd::sum_chunks(
        policy, student.samples, simd::worth_a_chunk(size + of_teacher),
        student.samples * (size + of_teacher),
        [&, &student = student, &teacher = teacher, &gradient = gradient](index first, index last, index) {
          T* const memory = simd::scratch<T, attention_transfer_loss>(2 * size + of_teacher + 2 * positions);
          T *const map = memory + 2 * size + of_teacher, *const slope = map + positions;
          double total = 0.0;
          for (index n = first; n < last; ++n) {
            auto const s = student.sample(n, order, memory);
            auto const written = gradient ? gradient.sample(n, order, memory + size) : matrix_view<T>();
            auto const way = maps.make(s, order, map);
            maps.make(teacher.sample(n, teacher_order, memory + 2 * size), teacher_order, slope);
            if (weights[n] == 0.0) {
              std::fill(slope, slope + positions, T(0));
            } else {
              double const found = distance(squared, map, slope, positions, weights[n] * factor);
              total += weights[n] * found;
              values.add(n, found / divisor);
            }
            if (!gradient) continue;
            if (weights[n] == 0.0) {  // what does not count may be NaN
              for (index row = 0; row < written.rows; ++row)
                std::fill(&written(row, 0), &written(row, 0) + written.columns, T(0));
            } else {
              maps.pull_back(s, order, way, map, slope, written);
            }
            gradient.finish(n, order, written);
          }
          return total;
        });
    return {sum * factor, weights.total()};
  }

 private:
  /// The teacher's map becomes the distance's derivative by the student's, times `factor`.
  template <class T>
  static double distance(bool squared, T const* map, T* teacher, index size, double factor) {
    T const squares = simd::sum_of<T>(size, [&](auto place) {
      auto const d = place.load(map) - place.load(teacher);
      place.store(d, teacher);
      return d * d;
    });
    auto const length = static_cast<double>(kernels::length_of(teacher, size));
    double const by = squared ? 2.0 * factor : length == 0.0 ? 0.0 : factor / length;
    simd::for_each_register<T>(
        size, [&](auto place) { place.store(place.load(teacher) * simd::lanes<T>(T(by)), teacher); });
    return squared ? static_cast<double>(squares) : length;
  }
};

/// The student looks where the teacher looks. Channels may differ; pool the larger map first where heights and widths
/// do (`adaptive_average_pool`). @alias AT
///
/// @formula   L = mean_np (a_s - a_t)^2 or mean_n |a_s - a_t|, a = v / |v| for each sample, v_p = sum_c |f_cp|^power
/// @param     student  feature map, samples x channels x height x width in any layout
/// @param     teacher  of the student's samples, height and width, with channels of its own
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the
///            teacher
/// @gradient  r = 2 (a_s - a_t) / n or (a_s - a_t) / (|a_s - a_t| n); dv = (r - a (a . r)) / |v|;
///            df = power |f|^(power - 1) sign(f) dv. A map of zeros stays one and has no gradient; nor have equal maps
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     with P positions: `bound` epsilons of 1 / P (of 1 for `norm`) for the value; of
///            the largest dv of its sample with r of length 2 / n (1 / n for `norm`) times |df / dv| for the gradient
/// @nan       a NaN makes the value and its sample's gradient NaN. Without samples, or where nothing counts: 0
/// @cost      reads student (twice) and teacher and writes one map; scratch of 2 samples of the student and 1 of the
///            teacher a thread
/// @source    Zagoruyko & Komodakis 2017, equation 2 (a sum of norms) and their code. A mean over channels gives the
///            same maps. RepDistiller and mdistiller take f^power: other maps for odd powers.
///            Knowledge-Distillation-Zoo adds 1e-6 to |v|
/// @example   distil::attention_transfer.with_grad(student, teacher, gradient)
inline constexpr attention_transfer_loss attention_transfer{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
