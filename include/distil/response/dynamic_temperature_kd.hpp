#pragma once

#include "distil/response/forward_kl.hpp"
#include "distil/response/labels/soft_hard_loss.hpp"
#include "distil/response/temperature/moving_temperature.hpp"

namespace distil {

/// Options of `dynamic_temperature_kd`.
struct dynamic_temperature_kd_options {
  /// The temperature that student and teacher share out, and that of the vanilla term: one number or one per row;
  /// within [1e-15, 1e15]. Default 4 (Wei and Bai 2024).
  row_parameter temperature = 4;

  /// Multiplies the dynamic term by both its temperatures, and the vanilla one by T^2. Default true.
  bool scale_by_temperature_squared = true;

  /// Multiplies the term at dynamic temperatures; finite and >= 0. Default 3 (Wei and Bai 2024).
  double dynamic_weight = 3.0;

  /// Multiplies forward KL at `temperature`; finite and >= 0. Default 1 (Wei and Bai 2024).
  double vanilla_weight = 1.0;

  /// Multiplies the hard term; finite and >= 0. Default 1 (Wei and Bai 2024).
  double hard_weight = 1.0;

  /// Smooths the labels of the hard term. Default 0.
  double label_smoothing = 0.0;

  /// Whether a row with the ignored label keeps its soft terms. Default: it does not.
  ignored_label ignored = ignored_label::whole_row;

  /// Weights, ignored label, reduction, divisor of all terms; `values` gets their weighted sum.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

/// The weighted sum, and the three losses without their weights.
struct dynamic_temperature_kd_value : loss_value {
  loss_value hard;     ///< cross entropy at temperature 1
  loss_value vanilla;  ///< forward KL at `temperature`, with its factor
  loss_value dynamic;  ///< at dynamic temperatures, with its factor
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `dynamic_temperature_kd`.
struct dynamic_temperature_kd_loss
    : soft_hard_loss<dynamic_temperature_kd_loss, dynamic_temperature_kd_options,
                     dynamic_temperature_kd_value> {
  static constexpr char const* name = "dynamic_temperature_kd";
  static constexpr error_bound bound{.value = 16, .gradient = 64};

  template <class Student, class Teacher, class Output>
  static dynamic_temperature_kd_value evaluate(detail::any_policy policy, Student const& student,
                                               Teacher const& teacher, std::optional<label_view> labels,
                                               Output const& output,
                                               dynamic_temperature_kd_options const& options) {
    require_weight("dynamic_weight", options.dynamic_weight);
    require_weight("vanilla_weight", options.vanilla_weight);
    if (labels) require_weight("hard_weight", options.hard_weight);
    row_options const rows = rows_of_a_term(options);
    auto const vanilla = weighed(
        "vanilla_weight", options.vanilla_weight,
        forward_kl.term(teacher, {.temperature = options.temperature,
                                  .scale_by_temperature_squared = options.scale_by_temperature_squared,
                                  .rows = rows}),
        labels, options);
    auto const dynamic =
        weighed("dynamic_weight", options.dynamic_weight,
                kernels::soften_rows<kernels::place_of_maximum, row_peak>(
                    name, policy, forward_kl, student, teacher,
                    {options.temperature, options.scale_by_temperature_squared, true, rows, {}},
                    !std::is_same_v<Output, detail::no_gradient>, share_out),
                labels, options);
    // The term whose exponentials others may share comes last: one at a temperature that no row's logits change.
    if (labels) {
      auto const value = sum(policy, student, output, options, hard_term(*labels, options), dynamic, vanilla);
      return {value, value.terms[0], value.terms[2], value.terms[1]};
    }
    auto const value = sum(policy, student, output, options, dynamic, vanilla);
    return {value, {}, value.terms[1], value.terms[0]};
  }

 private:
  /// Twice the temperature, in the proportion of the maxima. A maximum that several classes reach is moved by each of
  /// them, in equal shares.
  static kernels::row_softening share_out(row_peak const& z, row_peak const& t, double temperature) {
    if (!(z.maximum > 0.0 && t.maximum > 0.0)) return {temperature, temperature, 1.0, 0.0, 0.0, 0.0};
    double const larger = std::max(z.maximum, t.maximum);  // by which the sum is finite
    double const of_student = z.maximum / larger, of_teacher = t.maximum / larger,
                 sum = of_student + of_teacher;
    double const slope = 2.0 * temperature * (of_teacher / sum) / sum / z.ties / larger;
    return {2.0 * temperature * (of_student / sum),
            2.0 * temperature * (of_teacher / sum),
            1.0,
            0.0,
            slope,
            -slope};
  }
};

/// Distillation at temperatures that follow each row's confidence: the more confident of student and teacher, by the
/// largest logit, is softened more, beside vanilla distillation at one temperature. Labels may be left out. @alias DTKD
///
/// @formula   L = hard_weight * CE(z, y) + vanilla_weight * T^2 KL(softmax(t / T) || softmax(z / T))
///            + dynamic_weight * R S KL(softmax(t / S) || softmax(z / R)), R = 2 T max z / (max z + max t),
///            S = 2 T max t / (max z + max t); each term the mean over its rows [nats]
/// @param     student, labels, gradient, rows: as in `hinton_kd`; the gradient may take the student's place
/// @param     teacher  [rows, classes] logits
/// @gradient  of the dynamic term: S (q - p), and in the place of max z also dL/dR dR/dmax z + dL/dS dS/dmax z, in equal
///            shares where several classes reach it
/// @throws    std::invalid_argument when a shape, option, weight or label is refused; nothing is written then
/// @error     `bound`, with f = hard_weight + vanilla_weight T^2 + dynamic_weight R S for the
///            value, and for the gradient hard_weight + vanilla_weight T + dynamic_weight (S + dR/dmax z * M), where M =
///            (R + S) KL + R S (sum_i (p_i + q_i) |u_i| / R + sum_i p_i (1 + |log p_i / q_i| + KL) |v_i| / S) is what the
///            derivatives by both temperatures are made of; u = (z - max z) / R, v = (t - max t) / S
/// @nan       as `hinton_kd`. The formula has no meaning where a maximum is not positive: such a row is softened by T on
///            both sides, and no gradient goes through its maximum. Logits that were shifted by a constant give another
///            loss. Temperatures of rows are at least 1e-15. Only -inf masks: a finite number that stands for it costs what
///            the formula says where the teacher gives it mass, +inf beyond the arithmetic type
/// @cost      two reads of each side for the maxima, then as `fuse` of its terms with one more read of both; memory of 80
///            bytes a row, kept by the thread
/// @source    Wei, Bai 2024, Dynamic Temperature Knowledge Distillation, arXiv:2404.12711. Their warm-up multiplies both
///            soft terms by min(epoch / 20, 1), see `schedule::presets::dkd_warm_up`. Their code lets a maximum <= 0
///            turn temperatures negative or infinite
/// @example   distil::dynamic_temperature_kd.with_grad(student, teacher, labels, gradient)
inline constexpr dynamic_temperature_kd_loss dynamic_temperature_kd{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
