#pragma once

#include "distil/contrastive/affinity/clip_operands.hpp"

namespace distil {

struct interactive_contrast_options {
  /// Multiplies the similarities; finite and > 0. Default 1 / 0.07.
  double scale = 1.0 / 0.07;

  /// Divides every embedding by its length first. Default true.
  bool normalize = true;

  /// Multiplies value and gradients, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its embeddings hold. Default 1.
  double weight = 1.0;

  /// Adds the gradients to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// One number: becomes the derivative by `scale`. Default: not wanted.
  std::span<double> scale_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `interactive_contrast`.
struct interactive_contrast_loss : clip_loss<interactive_contrast_loss, interactive_contrast_options> {
  static constexpr char const* name = "interactive_contrast";
  static constexpr error_bound bound{.value = 32, .gradient = 64, .temperature_gradient = 1};
  static constexpr bool same_widths = true;  // of student and teacher

  static void check(interactive_contrast_options const& options) {
    detail::require_scale(name, "scale", options.scale, options.scale_gradient);
  }

  template <class T>
  static clip_value evaluate(detail::any_policy policy, kernels::clip_operands<T> const& operands,
                             interactive_contrast_options const& options) {
    index const rows = operands.rows(), pairs = rows * rows;
    if (!options.scale_gradient.empty()) options.scale_gradient[0] = 0.0;
    if (rows == 0) return {};
    struct of_pairs {};
    T* const numbers = simd::scratch<T, of_pairs>(3 * pairs);
    matrix_view<T> const similarity(numbers, rows, rows), of_image(numbers + pairs, rows, rows),
        of_text(numbers + 2 * pairs, rows, rows);
    kernels::clip_embeddings<T> const from(policy, operands, options.normalize);
    double const factor = 0.5 / static_cast<double>(rows);
    double slope_by_scale = 0.0;
    auto const contrast = [&](matrix_view<T const> own, matrix_view<T const> other, matrix_view<T> slope) {
      kernels::multiply_by_transpose<T>(policy, own, other, similarity);
      double const value =
          kernels::compare_with_own<T>(policy, similarity, static_cast<T>(options.scale), factor, slope);
      if (!options.scale_gradient.empty())
        slope_by_scale += kernels::by_scale<T>(policy, slope, similarity, options.scale);
      return value;
    };
    double const by_image = contrast(from.student_image.rows(), from.teacher_text.rows(), of_image);
    double const by_text = contrast(from.student_text.rows(), from.teacher_image.rows(), of_text);
    if (!options.scale_gradient.empty()) options.scale_gradient[0] = slope_by_scale;
    from.write_gradients(
        policy, operands,
        [&](matrix_view<T> to) { kernels::multiply<T>(policy, of_image, from.teacher_text.rows(), to); },
        [&](matrix_view<T> to) { kernels::multiply<T>(policy, of_text, from.teacher_image.rows(), to); });
    return {{by_image + by_text, static_cast<double>(rows)}, 2.0 * by_image, 2.0 * by_text};
  }
};

/// The student's images find the teacher's texts, and its texts the teacher's images. @alias ICL of CLIP-KD
///
/// @formula   L = (InfoNCE(I_s, T_t) + InfoNCE(T_s, I_t)) / 2 with similarities times `scale`
/// @param     student_image, student_text  [B, D] embeddings of pairs, a pair a row
/// @param     teacher_image, teacher_text  [B, D] embeddings of the same pairs
/// @param     image_gradient, text_gradient  [B, D] dL/dI_s and dL/dT_s, overwritten or added; each may be its own
///            embeddings, nothing else that is read
/// @gradient  scale (q - 1_own) T_t / (2 B) and the same with I_t, through x / |x|; by the scale: the sum of
///            (q - 1_own) (s . t) / (2 B)
/// @throws    std::invalid_argument when a shape or option is refused; nothing is written then
/// @error     `bound`, relative to 1 + log B + scale for the value and, for a row of length |x|,
///            to scale (1 + scale) / (B |x|) for the gradients, with `normalize`; by the scale to what the value is, over
///            the scale
/// @nan       rows are coupled: NaN makes value and gradients NaN. Without rows 0; of one pair 0 and no gradient
/// @cost      4 B^2 D multiplications, 4 B^2 D more with gradients; 2 B^2 exponentials; 3 B^2 numbers of scratch
/// @source    Yang et al. 2024 (CLIP-KD), equation 8; its code takes the learned scale without its exponential
/// @example   distil::interactive_contrast.with_grad(images, texts, teacher_images, teacher_texts, by_images, by_texts)
inline constexpr interactive_contrast_loss interactive_contrast{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
