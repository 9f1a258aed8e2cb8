#pragma once

#include "distil/response/hinton_kd.hpp"
#include "distil/response/labels/soft_hard_loss.hpp"
#include "distil/response/temperature/moving_temperature.hpp"
#include "distil/response/temperature/standardized_rows.hpp"

namespace distil {

/// Options of a standardized divergence that has none of its own.
struct standardization_options {
  /// Divides the standardized logits: one number or one per row; within [1e-15, 1e15]. Default 2 (Sun et al. 2024).
  row_parameter temperature = 2;

  /// Multiplies the loss by `temperature` squared. Default true.
  bool scale_by_temperature_squared = true;

  /// Added to the standard deviation; finite and >= 0. Default 1e-7 (Sun et al. 2024).
  double epsilon = 1e-7;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its logits hold. Default 1.
  double weight = 1.0;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write dL/dT of the reduced loss by `temperature`: one element, or one per row. Overwritten. Default:
  /// nowhere.
  std::span<double> temperature_gradient = {};
};

/// Options of standardized `hinton_kd`.
struct standardized_kd_options {
  /// As above, of the soft term.
  row_parameter temperature = 2;

  /// Multiplies the soft term by `temperature` squared. Default true.
  bool scale_by_temperature_squared = true;

  /// As above.
  double epsilon = 1e-7;

  /// Multiplies the soft term; finite and >= 0. Default 9 (Sun et al. 2024, with temperature 2).
  double soft_weight = 9.0;

  /// Multiplies the hard term; finite and >= 0. Default 0.1 (Sun et al. 2024).
  double hard_weight = 0.1;

  /// Smooths the labels of the hard term. Default 0.
  double label_smoothing = 0.0;

  /// Whether a row with the ignored label keeps its soft term. Default: it does not.
  ignored_label ignored = ignored_label::whole_row;

  /// Weights, ignored label, reduction, divisor of both terms; `values` gets the weighted sum of both.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// As above.
  std::span<double> temperature_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// softmax((z - mean) / (deviation + epsilon) / B) is softmax(z / S) with S = B (deviation + epsilon).
template <class Function, class Policy, class Student, class Teacher, class Options>
auto standardized_term(char const* where, Policy policy, divergence<Function> const& loss,
                       Student const& student, Teacher const& teacher, Options const& options,
                       bool with_gradient) {
  require_epsilon(where, options.epsilon);
  return soften_rows<distance_from_mean, row_spread>(
      where, policy, loss, student, teacher,
      {options.temperature, options.scale_by_temperature_squared, false, options.rows,
       options.temperature_gradient},
      with_gradient,
      [epsilon = options.epsilon](row_spread const& z, row_spread const& t, double base) -> row_softening {
        auto const size = [&](row_spread const& row) { return row.any() ? row.deviation + epsilon : 1.0; };
        double const slope = z.any() ? base / (z.count - 1.0) / z.deviation : 0.0;
        return {base * size(z), base * size(t), base * base, z.mean, slope, 0.0};
      });
}

}  // namespace kernels

/// See `standardized`.
template <class Function>
struct standardized_divergence
    : detail::binary_face<standardized_divergence<Function>, standardization_options> {
  static constexpr char const* name = "logit_standardization";
  static constexpr error_bound bound{
      .value = 16, .gradient = 32, .temperature_gradient = 4, .temperature_floor = 4};

  divergence<Function> loss = {};

  constexpr standardized_divergence() = default;
  constexpr standardized_divergence(divergence<Function> const& the_loss) : loss(the_loss) {}

  template <class Student, class Teacher, class Output>
  [[nodiscard]] loss_value evaluate(detail::any_policy policy, Student const& student, Teacher const& teacher,
                                    Output const& output, standardization_options const& options) const {
    bool const with_gradient = !std::is_same_v<Output, detail::no_gradient>;
    return simd::evaluate(name, policy, student, output, {.accumulate = options.accumulate},
                          detail::with_weight(name, options.weight,
                                              kernels::standardized_term(name, policy, loss, student, teacher,
                                                                         options, with_gradient)));
  }
};

/// See `standardized`.
struct standardized_kd_loss : soft_hard_loss<standardized_kd_loss, standardized_kd_options> {
  static constexpr char const* name = "logit_standardization";
  static constexpr error_bound bound{
      .value = 16, .gradient = 32, .temperature_gradient = 4, .temperature_floor = 4};

  template <class Student, class Teacher, class Output>
  static hinton_kd_value evaluate(detail::any_policy policy, Student const& student, Teacher const& teacher,
                                  std::optional<label_view> labels, Output const& output,
                                  standardized_kd_options const& options) {
    return soft_and_hard(policy, student, labels, output, options,
                         [&](bool with_gradient, auto const& of_term) {
                           return kernels::standardized_term(name, policy, forward_kl, student, teacher,
                                                             of_term, with_gradient);
                         });
  }
};

/// Logit standardization: a loss between rows of logits that have mean 0 and standard deviation 1, so that the student
/// learns the teacher's ranking and not the size of its logits. @alias LSKD, logit standardisation, Z-score
///
/// `standardized(loss)` is called as the loss is, whichever it is: of a student's and a teacher's logits and what it takes
/// besides (labels, a cost, a projection). Its options:
///
///   a divergence without own options  `standardization_options`, with the paper's temperature, 2, epsilon and weight
///   `hinton_kd`                       `standardized_kd_options`, with the paper's weights, 9 and 0.1, and as above. Labels
///                                     meet the logits themselves
///   any other loss                    its own, with its own defaults: the paper has temperature 2 there, too; and epsilon
///                                     and weight beside it, `standardized(loss, {.epsilon = 1e-7, .weight = 0.5})`.
///                                     Labels meet standardized logits; a term of them on the logits is a loss of its own
///
/// @formula   L = loss(z', t'), z' = (z - mean z) / (std z + epsilon), std unbiased (over C - 1), over the classes that
///            are not masked; t' alike. A divergence: (1 / sum w) * sum_b w_b T^2 D(softmax(t' / T), softmax(z' / T))
///            [nats]; since softmax does not see the mean, this is D at T (std z + epsilon) and T (std t + epsilon)
/// @param     student, output, rows: as in the loss; the gradient may take the student's place. Only -inf masks: a
///            finite number that stands for it, such as the lowest, is a logit like others, and takes part in mean and
///            deviation, which it makes its own
/// @param     teacher  [rows, classes] logits. Logarithms of probabilities at any temperature are as good
/// @gradient  with h = dL/dz': (h - mean h - z' (h . z') (std z + epsilon) / ((C - 1) std z)) / (std z + epsilon)
/// @throws    std::invalid_argument as the loss, and for an epsilon that is not finite and >= 0
/// @error     of divergences and `hinton_kd`: `bound`, with f / S, S the row's temperature, in the place of f / T
/// @nan       as the loss. No finite logits are too large for mean and deviation, but a class further below the largest
///            than the arithmetic type holds has no probability in a divergence. A row without spread (equal logits, one
///            class; a deviation up to 1e-18) is standardized by 1 instead: z' = 0, its softmax is uniform, and no
///            gradient goes through its deviation. Temperatures of rows are at least 1e-15. Where the loss is +inf, the
///            gradient is that at fixed temperatures
/// @cost      of divergences and `hinton_kd`: two reads of each side for the deviations, then as the loss with one more
///            read of both; memory of 96 bytes a row, kept by the thread. Of any other loss: standardized copies of both
///            sides, in memory of two or three numbers an element that the thread keeps
/// @source    Sun, Ren, Li, Wang, Cao 2024, Logit Standardization in Knowledge Distillation, arXiv:2403.01427. Weights
///            must be tuned again: the gradient is of the size of z', not z. Their CTKD variant leaves epsilon out
/// @example   distil::standardized(distil::forward_kl).with_grad(student, teacher, gradient, {.temperature = 2})
///            distil::standardized(distil::hinton_kd).with_grad(student, teacher, labels, gradient);
///            distil::standardized(distil::decoupled_kd, {.epsilon = 1e-6}).with_grad(student, teacher, labels, gradient,
///            {.temperature = 2})
template <class Loss>
[[nodiscard]] constexpr auto standardized(Loss const& loss, standardized_loss_options const& options = {}) {
  constexpr bool has_teacher = detail::compares_logits<Loss>();
  static_assert(
      has_teacher,
      "distil: standardized() takes a loss of logits of a student and of a teacher, whose options are its "
      "`options_type`");
  if constexpr (has_teacher) return standardized_loss<Loss>{loss, options.epsilon, options.weight};
}
template <class Function>
requires(!requires { typename Function::options; })
    [[nodiscard]] constexpr standardized_divergence<Function> standardized(divergence<Function> const& loss) {
  return {loss};
}
[[nodiscard]] constexpr standardized_kd_loss standardized(hinton_kd_loss const&) { return {}; }

// Their epsilon is an option like others: another would be a second one.
template <class Function>
requires(!requires {
  typename Function::options;
}) void standardized(divergence<Function> const&, standardized_loss_options const&) = delete;
void standardized(hinton_kd_loss const&, standardized_loss_options const&) = delete;

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
