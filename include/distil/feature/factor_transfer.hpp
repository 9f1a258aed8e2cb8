#pragma once

#include "distil/core/map_values.hpp"
#include "distil/core/sample_weights.hpp"
#include "distil/feature/maps/magnitude_map.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/simd/chunk_sums.hpp"

namespace distil {

/// What `factor_transfer` divides by its length and compares.
enum class factor_kind {
  elements,       ///< all of a sample: what paraphraser and translator say of it
  attention_map,  ///< sum_c |f|^power at each position, as RepDistiller; channels may differ
};

/// What `factor_transfer` takes of the difference d of two elements.
enum class factor_distance { absolute, squared };

struct factor_transfer_options {
  factor_kind factor = factor_kind::elements;

  /// Of an attention map; within [1, 64]. Default 2, as RepDistiller.
  double power = 2.0;

  /// Default: |d|, as published.
  factor_distance distance = factor_distance::absolute;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Default: the mean over samples and a factor's numbers, which RepDistiller's weight of 200 assumes; `sample_mean`:
  /// a sum over a factor's numbers.
  feature_reduction reduce = feature_reduction::element_mean;

  /// One number or one per sample; finite and >= 0. Default 1.
  row_parameter weights = 1;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write the loss of each sample before its weight, what it would give alone; one per sample, those that do not
  /// count get 0. Default: nowhere.
  std::span<double> values = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `factor_transfer`.
struct factor_transfer_loss : pair_loss<factor_transfer_loss, factor_transfer_options> {
  static constexpr char const* name = "factor_transfer";
  static constexpr error_bound bound{.value = 16, .gradient = 16};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    factor_transfer_options const& options) {
    detail::require_same_axes(name, "teacher", teacher, student,
                              {true, options.factor == factor_kind::elements, true, true});
    detail::require(options.power >= 1.0 && options.power <= 64.0, name, "power", options.power,
                    "within [1, 64]");
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             factor_transfer_options const& options) {
    auto const& [student, teacher, gradient] = operands;
    detail::sample_weights const weights(name, options.weights, student.samples);
    bool const of_maps = options.factor == factor_kind::attention_map;
    index const size = student.sample_size(), of_teacher = teacher.sample_size();
    index const numbers = of_maps ? student.positions() : size;
    detail::sample_values const values(name, options.values, student.samples);
    double const divisor =
        options.reduce == feature_reduction::element_mean ? static_cast<double>(numbers) : 1.0;
    double const factor = options.reduce == feature_reduction::sum ? 1.0 : weights.mean_factor(divisor);
    auto const order = student.natural_order();
    // Both in the same order, unless they become maps.
    kernels::sample_form const form(order, !of_maps);
    kernels::sample_form const teacher_form(of_maps ? teacher.natural_order() : order, !of_maps);
    kernels::magnitude_map<T> const maps(options.power);
    double const sum = simd::sum_chunks(
        policy, student.samples, simd::worth_a_chunk(size + of_teacher),
        student.samples * (size + of_teacher),
        [&, &student = student, &teacher = teacher, &gradient = gradient](index first, index last, index) {
          T* const memory = simd::scratch<T, factor_transfer_loss>(2 * size + of_teacher + 2 * numbers);
          T *const unit = memory + 2 * size + of_teacher, *const slope = unit + numbers;
          double total = 0.0;
          for (index n = first; n < last; ++n) {
            auto const s = student.sample(n, form, memory);
            auto const t = teacher.sample(n, teacher_form, memory + 2 * size);
            auto const written = gradient ? gradient.sample(n, form, memory + size) : matrix_view<T>();
            if (weights[n] == 0.0) {  // what does not count may be NaN
              for (index row = 0; row < written.rows; ++row)
                std::fill(&written(row, 0), &written(row, 0) + written.columns, T(0));
              if (gradient) gradient.finish(n, form, written);
              continue;
            }
            kernels::magnitude_way<T> way = {};
            if (of_maps) {
              way = maps.make(s, form.order, unit);
              maps.make(t, teacher_form.order, slope);
            } else {
              way.length = kernels::to_unit(s.data, numbers, unit);
              kernels::to_unit(t.data, numbers, slope);
            }
            auto const found = static_cast<double>(
                distance(options.distance, unit, slope, numbers, static_cast<T>(weights[n] * factor)));
            total += weights[n] * found;
            values.add(n, found / divisor);
            if (!gradient) continue;
            if (of_maps) {
              maps.pull_back(s, form.order, way, unit, slope, written);
            } else {
              kernels::pull_back_unit(unit, way.length, numbers, slope);
              std::copy(slope, slope + numbers, written.data);
            }
            gradient.finish(n, form, written);
          }
          return total;
        });
    return {sum * factor, weights.total()};
  }

 private:
  /// The teacher's factor becomes the distance's derivative by the student's, times `factor`.
  template <class T>
  static T distance(factor_distance what, T const* student, T* teacher, index size, T factor) {
    using simd::lanes;
    lanes<T> const by(factor);
    return simd::sum_of<T>(size, [&](auto at) {
      lanes<T> const d = at.load(student) - at.load(teacher);
      if (what == factor_distance::squared) {
        at.store((d + d) * by, teacher);
        return d * d;
      }
      lanes<T> const positive = select(d > lanes<T>(0), by, -by);
      at.store(select(d == d, select(d == lanes<T>(0), lanes<T>(0), positive), d), teacher);
      return abs(d);
    });
  }
};

/// The student's factors resemble the teacher's in direction. @alias FT, KTA
///
/// @formula   L = mean |u_s - u_t| or (u_s - u_t)^2, u = x / |x| of each sample; x its elements or its attention map
/// @param     student  feature map or matrix, from the translator where there is one
/// @param     teacher  of the student's shape (of its samples, height and width for attention maps), from the
///            paraphraser
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the
///            teacher
/// @gradient  g = sign(u_s - u_t) / n or 2 (u_s - u_t) / n; dx = (g - u (u . g)) / |x|, then power |f|^(power - 1)
///            sign(f) for maps. sign(0) = 0; zeros stay zeros and have no gradient
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     with F numbers in a factor: `bound` epsilons of 1 / sqrt(F) (1 / F for squares) for
///            the mean; of 1 / n times sqrt(F) (2 / n for squares), over the shortest |x| and times its derivative by f
///            for the gradient; |d| turns at 0
/// @nan       a NaN makes the value and its sample's gradient NaN. Without samples, or where nothing counts: 0
/// @cost      reads two maps and writes one; 4 samples of scratch a thread
/// @source    Kim et al. 2018, equations 5 and 6; mmrazor and torchdistill. RepDistiller takes f^power for a map, other
///            maps for odd powers
/// @example   distil::factor_transfer.with_grad(translated, paraphrased, gradient)
inline constexpr factor_transfer_loss factor_transfer{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
