#pragma once

#include <span>

#include "distil/response/coupled/gram_loss.hpp"
#include "distil/response/forward_kl.hpp"

namespace distil {

namespace detail {
inline constexpr double multi_level_temperatures[] = {2, 3, 4, 5, 6};
}

/// Options of `multi_level_logits`.
struct multi_level_logits_options {
  /// Temperatures at which the three levels are compared, each within [1e-15, 1e15]; at least one. Default 2, 3, 4,
  /// 5, 6 (the authors' code, around a base of 4).
  std::span<double const> temperatures = detail::multi_level_temperatures;

  /// Multiplies the KL of each temperature by T^2; the two others never have that factor. Default true.
  bool scale_by_temperature_squared = true;

  /// Multiply the levels: of a sample (KL), of classes, of a batch; finite and >= 0. Default 1 each; the authors'
  /// code has presets of its own.
  double sample_weight = 1.0;
  double class_weight = 1.0;
  double batch_weight = 1.0;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its logits hold. Default 1.
  double weight = 1.0;

  /// Which rows count, and how much. The median confidence of the authors' code is a matter of these weights.
  coupled_rows rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

/// The weighted sum, and its three levels summed over temperatures, without their weights; one without weight is 0.
struct multi_level_logits_value : loss_value {
  double of_samples = 0.0;
  double of_classes = 0.0;
  double of_batch = 0.0;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `multi_level_logits`.
class multi_level_logits_loss
    : public detail::binary_face<multi_level_logits_loss, multi_level_logits_options,
                                 multi_level_logits_value> {
  struct of_sum {};

 public:
  static constexpr char const* name = "multi_level_logits";
  static constexpr error_bound bound{.value = 32, .gradient = 64};

  template <class Student, class Teacher, class Output>
  [[nodiscard]] static multi_level_logits_value evaluate(detail::any_policy policy, Student const& student,
                                                         Teacher const& teacher, Output const& output,
                                                         options_type const& options) {
    check(options);
    auto const dense = detail::as_teacher(teacher);
    if constexpr (std::is_same_v<Output, detail::no_gradient>) {
      return sum_of_levels(policy, student, dense, output, options);
    } else {
      auto const logits = detail::logit_rows(student);
      detail::require_matrix(name, "student", logits);
      detail::require_shape(name, "gradient", output, logits.rows, logits.columns);
      detail::require_distinct_elements(name, output);
      detail::require_writable_over_student(name, output, logits);
      detail::require_apart(name, output, "teacher", dense.matrix);
      // Every level reads the student, so that the gradient is written when all of them are done, and rounded once.
      using T = std::common_type_t<arithmetic_of_view<decltype(logits)>,
                                   arithmetic_of_view<decltype(dense.matrix)>>;
      matrix_view<T> const sum(simd::scratch<T, of_sum>(logits.rows * logits.columns), logits.rows,
                               logits.columns);
      auto const result = sum_of_levels(policy, logits, dense, detail::output_rows(sum), options);
      kernels::write_matrix(policy, sum, output, options.accumulate);
      return result;
    }
  }

 private:
  template <class View>
  using arithmetic_of_view = arithmetic_t<std::remove_const_t<typename View::element>>;

  static void check(options_type const& options) {
    using detail::require;
    require(!options.temperatures.empty(), name, "temperatures", "empty", "at least one");
    for (double const temperature : options.temperatures) {
      require(detail::is_temperature(temperature), name, "temperatures", temperature,
              detail::must_be_temperature);
    }
    auto const require_weight = [](char const* argument, double value) {
      require(detail::is_weight(value), name, argument, value, detail::must_be_weight);
    };
    require_weight("sample_weight", options.sample_weight);
    require_weight("class_weight", options.class_weight);
    require_weight("batch_weight", options.batch_weight);
  }

  template <class Student, class Dense, class Output>
  static multi_level_logits_value sum_of_levels(detail::any_policy policy, Student const& student,
                                                Dense const& teacher, Output const& output,
                                                options_type const& options) {
    multi_level_logits_value result{};
    bool adds = false;
    for (double const temperature : options.temperatures) {
      auto const sample = simd::evaluate(
          name, policy, student, output, {.accumulate = adds},
          detail::with_weight(name, options.weight, sample_term(teacher, options, temperature)));
      add(result, sample,
          kernels::evaluate_coupled(
              name, policy, student, output, true,
              detail::with_weight(name, options.weight, gram_term(teacher, options, temperature))),
          options);
      adds = true;
    }
    return result;
  }

  template <class Dense>
  static auto sample_term(Dense const& teacher, options_type const& options, double temperature) {
    return detail::weighed(
        "sample_weight", options.sample_weight,
        forward_kl.term(teacher, {.temperature = temperature,
                                  .scale_by_temperature_squared = options.scale_by_temperature_squared,
                                  .rows = detail::as_row_options(options.rows)}));
  }

  template <class Storage, teacher_form Form>
  static auto gram_term(dense_teacher<Storage, Form> const& teacher, options_type const& options,
                        double temperature) {
    return kernels::gram_term<Storage, Form>(teacher, {.temperature = temperature, .rows = options.rows},
                                             options.class_weight, options.batch_weight);
  }

  static void add(multi_level_logits_value& result, objective_value<1> const& sample, gram_value const& gram,
                  options_type const& options) {
    result.value += sample.value + gram.value;
    result.weight = sample.weight;
    if (options.sample_weight > 0.0 && options.weight > 0.0) result.of_samples += sample.terms[0].value;
    result.of_classes += gram.of_classes;
    result.of_batch += gram.of_batch;
  }
};

/// Multi-level logit distillation: teacher and student compared at several temperatures, by the distributions of each
/// sample, by the classes that a batch predicts together, and by how alike its samples are. @alias MLKD, MLLD
///
/// @formula   L = sum_T sample_weight T^2 KL(p || q) + class_weight |Q'Q - P'P|^2 / C + batch_weight |QQ' - PP'|^2 /
///            B; see `forward_kl`, `class_correlation`, `batch_correlation` [nats in the first]
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher  [rows, classes] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`; a
///            distribution is the same at every temperature unless it says at which it was captured
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  the sum of those of the three levels over the temperatures
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound`, relative to the sum of what its parts are relative to
/// @nan       rows are coupled: a NaN or +inf logit in a row that counts makes value and gradient NaN. A row whose
///            student or teacher is fully masked, or that is ignored, takes no part
/// @cost      for each temperature those of its parts; one number of scratch an element more for the sum of gradients
/// @source    Jin et al. 2023, Multi-level logit distillation. Its code multiplies losses that are already reduced by
///            masks of confidence (which are row weights here), uses logits of the weakly augmented view for two
///            temperatures of the strong one, and computes class and batch terms of the strong view without adding
///            them; here each call is one view, and the caller adds views
/// @example   distil::multi_level_logits.with_grad(student, teacher, gradient, {.class_weight = 0.5})
inline constexpr multi_level_logits_loss multi_level_logits{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
