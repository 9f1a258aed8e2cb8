#pragma once

#include "distil/contrastive/affinity/clip_operands.hpp"

namespace distil {

struct clip_affinity_options {
  /// Multiply the similarities of student and teacher: the exponentials of CLIP's learned scales. Finite and > 0.
  /// Default 1 / 0.07, where training begins, and 100, where it ends.
  double student_scale = 1.0 / 0.07;
  double teacher_scale = 100.0;

  /// What is summed over a row. Default: the divergence (CLIP-KD); TinyCLIP takes the cross entropy, which has the same
  /// gradient.
  soft_divergence kind = soft_divergence::kl;

  /// Multiplies each direction. Default 0.5, their mean; 1 for the sum.
  double direction_weight = 0.5;

  /// Divides every embedding by its length first. Default true.
  bool normalize = true;

  /// Multiplies value and gradients, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its embeddings hold. Default 1.
  double weight = 1.0;

  /// Adds the gradients to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// One number: becomes the derivative by `student_scale`; times the scale it is that by the scale's logarithm, which CLIP
  /// learns. Default: not wanted.
  std::span<double> scale_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `clip_affinity`.
struct clip_affinity_loss : clip_loss<clip_affinity_loss, clip_affinity_options> {
  static constexpr char const* name = "clip_affinity";
  static constexpr error_bound bound{.value = 32, .gradient = 64, .temperature_gradient = 1};
  static constexpr bool same_widths = false;  // of student and teacher

  static void check(clip_affinity_options const& options) {
    detail::require_scale(name, "student_scale", options.student_scale, options.scale_gradient);
    detail::require_scale(name, "teacher_scale", options.teacher_scale, {});
  }
  static void check_numbers(clip_affinity_options const& options, detail::computing_type type) {
    detail::require_factor(name, "direction_weight", options.direction_weight, type);
  }

  template <class T>
  static clip_value evaluate(detail::any_policy policy, kernels::clip_operands<T> const& operands,
                             clip_affinity_options const& options) {
    index const rows = operands.rows(), pairs = rows * rows;
    if (!options.scale_gradient.empty()) options.scale_gradient[0] = 0.0;
    if (rows == 0) return {};
    struct of_pairs {};
    T* const numbers = simd::scratch<T, of_pairs>(5 * pairs);
    auto const table = [&](index which) { return matrix_view<T>(numbers + which * pairs, rows, rows); };
    auto const student = table(0), teacher = table(1), slope = table(2), turned = table(3),
               turned_teacher = table(4);
    kernels::clip_embeddings<T> const from(policy, operands, options.normalize);
    kernels::multiply_by_transpose<T>(policy, from.teacher_image.rows(), from.teacher_text.rows(), teacher);
    kernels::multiply_by_transpose<T>(policy, from.student_image.rows(), from.student_text.rows(), student);

    T const scale = static_cast<T>(options.student_scale),
            teacher_scale = static_cast<T>(options.teacher_scale);
    double const factor = options.direction_weight / static_cast<double>(rows);
    auto const compare = [&](matrix_view<T> of_student, matrix_view<T> of_teacher, matrix_view<T> to) {
      return kernels::compare_with_teacher<T>(policy, options.kind, of_student, scale, of_teacher,
                                              teacher_scale, factor, to);
    };
    double const of_images = compare(student, teacher, slope);
    // The same of the columns. Their slopes take the place of the teacher's table, which has served.
    kernels::transpose<T>(policy, student, turned);
    kernels::transpose<T>(policy, teacher, turned_teacher);
    double const of_texts = compare(turned, turned_teacher, teacher);
    kernels::transpose<T>(policy, teacher, turned);
    kernels::add<T>(policy, turned, slope);
    if (!options.scale_gradient.empty()) {
      options.scale_gradient[0] = kernels::by_scale<T>(policy, slope, student, options.student_scale);
    }
    from.write_gradients(
        policy, operands,
        [&](matrix_view<T> to) { kernels::multiply<T>(policy, slope, from.student_text.rows(), to); },
        [&](matrix_view<T> to) {
          kernels::multiply_transpose<T>(policy, slope, from.student_image.rows(), to);
        });
    double const per_direction = options.direction_weight > 0.0 ? 1.0 / options.direction_weight : 0.0;
    return {{of_images + of_texts, static_cast<double>(rows)},
            of_images * per_direction,
            of_texts * per_direction};
  }
};

/// The student's images and texts are as similar to each other as the teacher's, in both directions. @alias CLIP affinity
/// mimicking, CRD of CLIP-KD, TinyCLIP
///
/// @formula   L = w KL(softmax(b I_t T_t') || softmax(a I_s T_s')) + w KL of the same over columns, means over the batch;
///            w = 1/2, unit rows unless `normalize` says otherwise
/// @param     student_image, student_text  [B, D] embeddings of pairs, a pair a row
/// @param     teacher_image, teacher_text  [B, D'] embeddings of the same pairs
/// @param     image_gradient, text_gradient  [B, D] dL/dI_s and dL/dT_s, overwritten or added; each may be its own
///            embeddings, nothing else that is read
/// @gradient  with R = w a (q - p) / B of rows plus that of columns: R T_s and R' I_s, through x / |x| as
///            (g - u (u . g)) / |x|; by the scale a: sum R / a (I_s T_s')
/// @throws    std::invalid_argument when a shape or option is refused; nothing is written then
/// @error     `bound`, relative to 1 + log B + a + b for the value and, for a row of length |x|, to
///            a (1 + a + b) / (B |x|) for the gradients, with `normalize`; by the scale to what the value is, over a
/// @nan       rows are coupled: NaN makes value and gradients NaN. Without rows 0; of one pair 0 and no gradient
/// @cost      B^2 (2 D + 2 D') multiplications, 4 B^2 D more with gradients; 4 B^2 exponentials; 5 B^2 numbers of scratch
/// @source    Yang et al. 2024 (CLIP-KD), equation 4; Wu et al. 2023 (TinyCLIP). Its feature distillation is the sum of
///            `hint` of images and of texts with unit samples
/// @example   distil::clip_affinity.with_grad(images, texts, teacher_images, teacher_texts, by_images, by_texts)
inline constexpr clip_affinity_loss clip_affinity{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
