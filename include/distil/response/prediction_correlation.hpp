#pragma once

#include <cmath>
#include <limits>

#include "distil/response/coupled/correlation.hpp"

namespace distil {

/// Options of `prediction_correlation`.
struct prediction_correlation_options {
  /// Divides both logits before the softmax; within [1e-15, 1e15]. Default 1, as in the paper for ImageNet; 4 for
  /// CIFAR-100.
  double temperature = 1.0;

  /// Multiplies the loss by T^2, as the authors' code does and their paper does not. Default true.
  bool scale_by_temperature_squared = true;

  /// Multiplies the term of the rows, between the classes of a sample (beta); finite and >= 0. Default 1.
  double inter_class_weight = 1.0;

  /// Multiplies the term of the columns, between the samples of a class (gamma); finite and >= 0. Default 1.
  double intra_class_weight = 1.0;

  /// Added to the product of the two norms of a correlation; finite and >= 0. Default 0, the correlation itself. The
  /// authors' code adds 1e-8, which takes over where a class is rare in a large vocabulary.
  double norm_floor = 0.0;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its logits hold. Default 1.
  double weight = 1.0;

  /// Which rows count, and how much.
  coupled_rows rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write dL/dT: one element. Overwritten. Default: nowhere.
  std::span<double> temperature_gradient = {};
};

/// The weighted sum with its factor T^2, and the mean of 1 - correlation over rows and over columns without either.
struct prediction_correlation_value : loss_value {
  double of_rows = 0.0;
  double of_columns = 0.0;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

template <class Storage, teacher_form Form>
struct prediction_correlation_term : distribution_term<Storage, Form> {
  static constexpr bool symmetric = true;
  prediction_correlation_options options;
  bool squared = options.scale_by_temperature_squared;

  prediction_correlation_term(dense_teacher<Storage, Form> const& the_teacher,
                              prediction_correlation_options const& the_options)
      : distribution_term<Storage, Form>(the_teacher, the_options.temperature,
                                         detail::as_row_options(the_options.rows),
                                         the_options.temperature_gradient),
        options(the_options) {}

  void check_numbers(char const* where, detail::computing_type type) const {
    detail::require_factor(where, "inter_class_weight", options.inter_class_weight, type);
    detail::require_factor(where, "intra_class_weight", options.intra_class_weight, type);
    detail::require_number(where, "norm_floor", options.norm_floor, type, detail::is_weight,
                           detail::must_be_weight);
  }

  template <class Policy, class T>
  [[nodiscard]] prediction_correlation_value evaluate(Policy policy, coupled_batch<T> const& batch) const {
    double const factor = options.scale_by_temperature_squared ? batch.temperature * batch.temperature : 1.0;
    prediction_correlation_value result{};
    index const elements = batch.rows() * batch.classes();
    index const least_rows = std::max<index>(1, simd::least_chunk_elements / batch.classes());
    result.of_rows =
        sum_chunks(policy, batch.rows(), least_rows, elements, [&](index first, index last, index) {
          double sum = 0.0;
          for (index row = first; row < last; ++row) {
            if (batch.share[row] == 0.0) continue;
            double const scale = factor * options.inter_class_weight * batch.share[row];
            sum += batch.share[row] * correlate_row(batch, row, static_cast<T>(scale), options.norm_floor);
          }
          return sum;
        });
    result.of_columns =
        sum_chunks(policy, batch.classes(), column_correlation<T>::width, elements,
                   [&](index first, index last, index) {
                     double const scale =
                         factor * options.intra_class_weight / static_cast<double>(batch.classes());
                     return column_correlation<T>::run(batch, first, last, scale, options.norm_floor);
                   }) /
        static_cast<double>(batch.classes());
    // A term of weight 0 is absent, whatever its value.
    if (options.inter_class_weight > 0.0)
      result.value += factor * options.inter_class_weight * result.of_rows;
    if (options.intra_class_weight > 0.0)
      result.value += factor * options.intra_class_weight * result.of_columns;
    return result;
  }
};

}  // namespace kernels

/// See `prediction_correlation`.
struct prediction_correlation_loss : coupled_loss<prediction_correlation_loss, prediction_correlation_options,
                                                  prediction_correlation_value> {
  static constexpr char const* name = "prediction_correlation";
  static constexpr error_bound bound{.value = 16, .gradient = 32, .temperature_gradient = 2};

  template <class Storage, teacher_form Form>
  static auto term(dense_teacher<Storage, Form> const& teacher,
                   prediction_correlation_options const& options) {
    return kernels::prediction_correlation_term<Storage, Form>(teacher, options);
  }
};

/// Pearson correlation between the predictions of teacher and student: of the rows, which classes a sample resembles,
/// and of the columns, which samples a class resembles. Scale and shift of the probabilities are free. @alias DIST,
/// inter-class and intra-class relation
///
/// @formula   L = T^2 (inter_class_weight * sum_b s_b (1 - rho(q_b, p_b)) + intra_class_weight * (1 / C) sum_c (1 - rho_s(q_:c,
///            p_:c))), q = softmax(z / T), p = softmax(t / T), s_b = w_b / sum w, rho Pearson's correlation, rho_s
///            the one weighted by s; each 1 - rho within [0, 2]
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher  [rows, classes] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  d(1 - rho) / da = -(b' - rho a') / |a| for centred vectors a of the student and b of the teacher, a' =
///            a / |a|; by rows and by columns, then through the softmax: q (g - sum q g) / T.
///            dL/dT on request, through both sides unless the teacher's is a distribution that stays
/// @constant  rho = 0, loss 1 and gradient 0 where either vector is constant (to within 16 epsilon of its mean): a
///            row of equal logits, a class masked in every row, every column of a batch of one row
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound`, of the value relative to T^2 times the weights and k, of the
///            gradient to that times q k / (T |a|); k the ratio of a vector's root mean square to its deviation,
///            which the correlation loses in cancellation; of dL/dT to what the value's is, over T
/// @nan       rows are coupled: a NaN or +inf logit in a row that counts makes value and gradient NaN. A row whose
///            student or teacher is fully masked, or that is ignored, takes no part; without any row, loss and
///            gradient are 0
/// @cost      one read of student and teacher and one write; 2 exponentials an element; four passes over rows and
///            columns each of 3 numbers of scratch an element, kept by the calling thread. The loss of a batch is not
///            the mean of its parts: gradient accumulation and data parallelism change the term of the columns
/// @source    Huang et al. 2022, arXiv:2205.10536. hunto/image_classification_sota has T^2, the paper's appendix and
///            hunto/DIST_KD's segmentation do not; mmrazor's `loss_weight` 2 is a factor of the caller's
/// @example   distil::prediction_correlation.with_grad(student, teacher, gradient, {.intra_class_weight = 2.0})
inline constexpr prediction_correlation_loss prediction_correlation{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
