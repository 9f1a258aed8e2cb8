#pragma once

#include "distil/contrastive/affinity/clip_operands.hpp"

namespace distil {

struct contrast_gradients_options {
  /// Multiply the similarities of student and teacher; finite and > 0. Defaults as in `clip_affinity`.
  double student_scale = 1.0 / 0.07;
  double teacher_scale = 100.0;

  /// Divides every embedding by its length first. Default true.
  bool normalize = true;

  /// Multiplies value and gradients, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its embeddings hold. Default 1.
  double weight = 1.0;

  /// Adds the gradients to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// One number: becomes the derivative by `student_scale`. Default: not wanted.
  std::span<double> scale_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// CLIP's contrastive loss in one direction, of `from` that look for `to`: P = softmax(a from to'), R = (P - 1) / B, and its
/// gradients a R to and a R' from.
template <class T>
struct contrast_direction {
  matrix_view<T> similarity, residual;  // B x B
  matrix_view<T> by_from, by_to;        // B x D: the gradients

  static index memory(index rows, index columns) { return 2 * rows * rows + 2 * rows * columns; }

  contrast_direction(detail::any_policy policy, matrix_view<T const> from, matrix_view<T const> to,
                     double scale, T* memory)
      : similarity(memory, from.rows, from.rows),
        residual(memory + from.rows * from.rows, from.rows, from.rows),
        by_from(memory + 2 * from.rows * from.rows, from.rows, from.columns),
        by_to(by_from.data + from.rows * from.columns, from.rows, from.columns) {
    multiply_by_transpose<T>(policy, from, to, similarity);
    // The slopes of compare_with_own are factor * scale (P - 1); with factor 1 / B that is a R.
    compare_with_own<T>(policy, similarity, static_cast<T>(scale), 1.0 / static_cast<double>(from.rows),
                        residual);
    multiply<T>(policy, residual, to, by_from);
    multiply_transpose<T>(policy, residual, from, by_to);
  }
};

}  // namespace kernels

/// See `contrast_gradients`.
struct contrast_gradients_loss : clip_loss<contrast_gradients_loss, contrast_gradients_options> {
  static constexpr char const* name = "contrast_gradients";
  static constexpr error_bound bound{.value = 64, .gradient = 128, .temperature_gradient = 1};
  static constexpr bool same_widths = true;  // of student and teacher

  static void check(contrast_gradients_options const& options) {
    detail::require_scale(name, "student_scale", options.student_scale, options.scale_gradient);
    detail::require_scale(name, "teacher_scale", options.teacher_scale, {});
  }

  template <class T>
  static clip_value evaluate(detail::any_policy policy, kernels::clip_operands<T> const& operands,
                             contrast_gradients_options const& options) {
    index const rows = operands.rows(), columns = operands.student_image.columns();
    if (!options.scale_gradient.empty()) options.scale_gradient[0] = 0.0;
    if (rows == 0) return {};
    struct of_directions {};
    index const own = kernels::contrast_direction<T>::memory(rows, columns), features = rows * columns;
    T* const memory = simd::scratch<T, of_directions>(2 * own + 2 * features + rows * rows);
    matrix_view<T> const by_image(memory + 2 * own, rows, columns),
        by_text(by_image.data + features, rows, columns), slope(by_text.data + features, rows, rows);
    std::fill(by_image.data, by_image.data + 2 * features, T(0));
    kernels::clip_embeddings<T> const from(policy, operands, options.normalize);

    double by_scale = 0.0;
    auto const compare = [&](auto const& student_from, auto const& student_to, auto const& teacher_from,
                             auto const& teacher_to, matrix_view<T> slope_of_from,
                             matrix_view<T> slope_of_to) {
      kernels::contrast_direction<T> const student(policy, student_from, student_to, options.student_scale,
                                                   memory);
      kernels::contrast_direction<T> const teacher(policy, teacher_from, teacher_to, options.teacher_scale,
                                                   memory + own);
      bool const slopes = operands.with_gradient() || !options.scale_gradient.empty();
      // H = 2 (g_s - g_t) / (B D) takes the place of the student's gradients.
      double scaled = 0.0;
      double const value = distance<T>(policy, student.by_from, teacher.by_from, slopes ? &scaled : nullptr) +
                           distance<T>(policy, student.by_to, teacher.by_to, slopes ? &scaled : nullptr);
      if (!slopes) return value;
      // g is a R to or a R' from: by the scale outside of the softmax, by the other factor, and by R.
      by_scale += scaled / options.student_scale;
      kernels::multiply_transpose<T>(policy, student.residual, student.by_from, slope_of_to,
                                     kernels::into::add);
      kernels::multiply<T>(policy, student.residual, student.by_to, slope_of_from, kernels::into::add);
      kernels::multiply_by_transpose<T>(policy, student.by_from, student_to, slope);
      kernels::multiply_by_transpose<T>(policy, student_from, student.by_to, slope, kernels::into::add);
      through_softmax(policy, student, options.student_scale, slope);
      by_scale += kernels::by_scale<T>(policy, slope, student.similarity, options.student_scale);
      kernels::multiply<T>(policy, slope, student_to, slope_of_from, kernels::into::add);
      kernels::multiply_transpose<T>(policy, slope, student_from, slope_of_to, kernels::into::add);
      return value;
    };
    auto const student_image = from.student_image.rows(), student_text = from.student_text.rows();
    auto const teacher_image = from.teacher_image.rows(), teacher_text = from.teacher_text.rows();
    double const of_images =
        compare(student_image, student_text, teacher_image, teacher_text, by_image, by_text);
    double const of_texts =
        compare(student_text, student_image, teacher_text, teacher_image, by_text, by_image);
    if (!options.scale_gradient.empty()) options.scale_gradient[0] = by_scale;
    auto const copy = [&](matrix_view<T> const& computed) {
      return [&policy, computed](matrix_view<T> to) {
        simd::for_chunks(policy, to.rows, simd::worth_a_chunk(to.columns), to.rows * to.columns,
                         [&](index first, index last) {
                           kernels::in_eigen(kernels::some_rows(to, first, last)) =
                               kernels::in_eigen(kernels::some_rows(computed, first, last));
                         });
      };
    };
    from.write_gradients(policy, operands, copy(by_image), copy(by_text));
    return {{of_images + of_texts, static_cast<double>(rows)}, of_images, of_texts};
  }

 private:
  /// The mean square of s - t. When `scaled` is given, s becomes 2 (s - t) / size and sum (that * s) is added to it.
  template <class T>
  static double distance(detail::any_policy policy, matrix_view<T> s, matrix_view<T const> t,
                         double* scaled) {
    double const mean = 1.0 / static_cast<double>(s.rows * s.columns);
    simd::lanes<T> const by(static_cast<T>(2.0 * mean));
    auto const sum_rows = [&](auto const& of_row) {
      return simd::sum_chunks(policy, s.rows, simd::worth_a_chunk(s.columns), s.rows * s.columns,
                              [&](index first, index last, index) {
                                double total = 0.0;
                                for (index row = first; row < last; ++row)
                                  total += static_cast<double>(of_row(&s(row, 0), &t(row, 0)));
                                return total;
                              });
    };
    double const squares = sum_rows([&](T const* a, T const* b) {
      return simd::sum_of<T>(s.columns, [&](auto place) {
        simd::lanes<T> const d = place.load(a) - place.load(b);
        return d * d;
      });
    });
    if (scaled != nullptr) {
      *scaled += sum_rows([&](T* a, T const* b) {
        return simd::sum_of<T>(s.columns, [&](auto place) {
          simd::lanes<T> const before = place.load(a), slope = (before - place.load(b)) * by;
          place.store(slope, a);
          return slope * before;
        });
      });
    }
    return squares * mean;
  }

  /// From the slope by a R, where R = (P - 1) / B, to that by the similarities: with K = a dP / B, a P (K - sum P K).
  template <class T>
  static void through_softmax(detail::any_policy policy, kernels::contrast_direction<T> const& student,
                              double scale, matrix_view<T> slope) {
    double const count = static_cast<double>(slope.rows);
    T const to_probability = static_cast<T>(count / scale), by = static_cast<T>(scale * scale / count);
    simd::for_chunks(policy, slope.rows, simd::worth_a_chunk(slope.columns), slope.rows * slope.columns,
                     [&](index first, index last) {
                       for (index row = first; row < last; ++row) {
                         T* const k = &slope(row, 0);
                         T* const p = &student.residual(row, 0);
                         simd::for_each_register<T>(slope.columns, [&](auto place) {
                           place.store(place.load(p) * simd::lanes<T>(to_probability), p);
                         });
                         p[row] += T(1);
                         simd::lanes<T> const mean(kernels::dot_of(p, k, slope.columns));
                         simd::for_each_register<T>(slope.columns, [&](auto place) {
                           place.store(place.load(p) * (place.load(k) - mean) * simd::lanes<T>(by), k);
                         });
                       }
                     });
  }
};

/// What the contrastive loss of CLIP asks of the student's embeddings resembles what it asks of the teacher's.
/// @alias GD of CLIP-KD, gradient distillation
///
/// @formula   L = sum over both directions and both modalities of the mean of (g_s - g_t)^2; in the direction in which
///            images look for texts, P = softmax(a I T'), R = (P - 1) / B, g = a R T by images and a R' I by texts
/// @param     student_image, student_text  [B, D] embeddings of pairs, a pair a row
/// @param     teacher_image, teacher_text  [B, D] embeddings of the same pairs
/// @param     image_gradient, text_gradient  [B, D] dL/dI_s and dL/dT_s, overwritten or added; each may be its own
///            embeddings, nothing else that is read
/// @gradient  in that direction, with F and H = 2 (g_s - g_t) / (B D) of the gradients by images and by texts, K = F T' + I H'
///            and Z = a^2 P (K - sum P K) / B: Z T + a R H by images, Z' I + a R' F by texts, then through x / |x|; by the
///            scale: (sum F g_s of images + sum H g_s of texts + sum Z (I T')) / a
/// @throws    std::invalid_argument when a shape or option is refused; nothing is written then
/// @error     `bound`, relative to ((a + b) / B)^2 / D (1 + a) for the value, times a / |x| for
///            the gradients, with `normalize`; by the scale to what the value is, over a
/// @nan       rows are coupled: NaN makes value and gradients NaN. Without rows 0; of one pair 0 and no gradient
/// @cost      12 B^2 D multiplications, 12 B^2 D more with gradients; 4 B^2 exponentials; 5 B^2 + 6 B D numbers of scratch
/// @source    Yang et al. 2024 (CLIP-KD), equations 5 to 7, weight 1e8; its code divides by the scale where the logits
///            multiply
/// @example   distil::contrast_gradients.with_grad(images, texts, teacher_images, teacher_texts, by_images, by_texts)
inline constexpr contrast_gradients_loss contrast_gradients{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
