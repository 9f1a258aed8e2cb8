#pragma once

#include <algorithm>

#include "distil/core/map_values.hpp"
#include "distil/matrix/operands.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/simd/chunk_sums.hpp"
#include "distil/simd/vectors.hpp"

/// The sum over a function of two elements, which may depend on the channel.
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// A loss of one element, and its derivative by the student's.
template <class T>
struct element_loss {
  simd::lanes<T> value, slope;
};

/// One channel of one sample: `of(student, teacher)` of its elements, weighed.
template <class T, class Function>
double sum_channel(T const* s, T const* t, index size, T const* weights, double weight, double factor,
                   T* slope, Function const& of) {
  using simd::lanes;
  if (weights == nullptr) {
    lanes<T> const by(static_cast<T>(weight * factor));
    return weight * static_cast<double>(simd::sum_of<T>(size, [&](auto at) {
             element_loss<T> const e = of(at.load(s), at.load(t));
             if (slope != nullptr) at.store(e.slope * by, slope);
             return e.value;
           }));
  }
  lanes<T> const by(static_cast<T>(factor));
  return static_cast<double>(simd::sum_of<T>(size, [&](auto at) {
    element_loss<T> const e = of(at.load(s), at.load(t));
    lanes<T> const w = at.load(weights);
    if (slope != nullptr) at.store(zero_safe_product(w, e.slope * by), slope);
    return zero_safe_product(w, e.value);
  }));
}

/// Whether the function depends on the channel; if it does not, rows may be whole samples.
enum class channels_are { alike, different };

/// The weighted sum of `of_channel(c)(student, teacher)` over all elements, and factor times its gradient.
template <class Purpose, class T, class OfChannel>
double sum_elements(detail::any_policy policy, pair_operands<T> const& operands,
                    detail::map_weights const& weights, detail::map_values const& values, double factor,
                    channels_are channels, OfChannel const& of_channel) {
  auto const& student = operands.student;
  bool const whole = channels == channels_are::alike && !weights.per_position();
  sample_form const form(whole ? student.natural_order() : rows_of::channels, whole);
  index const size = student.sample_size(), positions = student.positions();
  return simd::sum_chunks(
      policy, student.samples, simd::worth_a_chunk(size), student.samples * size,
      [&](index first, index last, index) {
        T* const memory = simd::scratch<T, Purpose>(3 * size + positions);
        T* const of_positions = weights.per_position() ? memory + 3 * size : nullptr;
        double total = 0.0;
        for (index n = first; n < last; ++n) {
          auto const s = student.sample(n, form, memory);
          auto const t = operands.teacher.sample(n, form, memory + size);
          auto const written =
              operands.gradient ? operands.gradient.sample(n, form, memory + 2 * size) : matrix_view<T>();
          for (index p = 0; of_positions != nullptr && p < positions; ++p)
            of_positions[p] = static_cast<T>(weights.of(n, p));
          double const weight = weights.per_position() ? 1.0 : weights.of(n, 0);
          for (index row = 0; row < s.rows; ++row) {
            T* const slope = operands.gradient ? &written(row, 0) : nullptr;
            if (weight > 0.0) {
              double const sum = sum_channel(&s(row, 0), &t(row, 0), s.columns, of_positions, weight, factor,
                                             slope, of_channel(row));
              total += sum;
              values.add_weighed(n, sum / weight);
            } else if (slope != nullptr) {  // what does not count may be NaN
              std::fill(slope, slope + s.columns, T(0));
            }
          }
          values.finish(n);
          if (operands.gradient) operands.gradient.finish(n, form, written);
        }
        return total;
      });
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
