#pragma once

#include <optional>

#include "distil/response/cross_entropy.hpp"

namespace distil {

/// What an ignored label takes out of `hinton_kd` and its kind.
enum class ignored_label {
  whole_row,      ///< the row counts for nothing: padding tokens
  hard_term_only  ///< the teacher still teaches: samples without label
};

/// The weighted sum, and both losses without their weights.
struct hinton_kd_value : loss_value {
  loss_value hard;  ///< cross entropy at temperature 1
  loss_value soft;  ///< divergence, with its factor T^2
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// hard_weight * cross entropy + soft_weight * a divergence from a teacher, in one sweep.
template <class Loss, class Options, class Value>
class soft_hard_sum {
  static constexpr bool hard_weight_is_optional =
      std::is_same_v<decltype(Options::hard_weight), std::optional<double>>;

 protected:
  static void require_weight(std::string_view argument, double weight) {
    detail::require(detail::is_weight(weight), Loss::name, argument, weight, detail::must_be_weight);
  }

  /// The rest of 1 where the options leave it out.
  static double hard_weight(Options const& options) {
    if constexpr (hard_weight_is_optional) {
      return options.hard_weight.value_or(1.0 - options.soft_weight);
    } else {
      return options.hard_weight;
    }
  }
  static void require_hard_weight(Options const& options) {
    char const* must_be = detail::must_be_weight;
    if constexpr (hard_weight_is_optional) {
      if (!options.hard_weight) must_be = "finite and >= 0 (set it when soft_weight is above 1)";
    }
    double const weight = hard_weight(options);
    detail::require(detail::is_weight(weight), Loss::name, "hard_weight", weight, must_be);
  }

  static row_options rows_of_a_term(Options const& options) {
    row_options rows = options.rows;
    rows.values = {};
    return rows;
  }

  /// Cross entropy with its weight.
  static auto hard_term(label_view labels, Options const& options) {
    cross_entropy_options of_term{.rows = rows_of_a_term(options)};
    if constexpr (requires { options.label_smoothing; }) of_term.label_smoothing = options.label_smoothing;
    return detail::weighed("hard_weight", hard_weight(options), cross_entropy.term(labels, of_term));
  }

  /// A term with its weight; rows whose label is ignored do not count, unless the options say otherwise.
  template <class Term>
  static Term weighed(char const* option, double weight, Term term, std::optional<label_view> labels,
                      Options const& options) {
    if constexpr (requires { options.ignored; }) {
      if (labels && options.ignored == ignored_label::whole_row) term.labels_of_loss = *labels;
    }
    return detail::weighed(option, weight, term);
  }

  /// The sum of terms, with gradient or without.
  template <class Student, class Output, class... Terms>
  static auto sum(detail::any_policy policy, Student const& student, Output const& output,
                  Options const& options, Terms const&... terms) {
    objective_options const whole{.accumulate = options.accumulate, .values = options.rows.values};
    return simd::evaluate(Loss::name, policy, student, output, whole, terms...);
  }

  /// The sum with the soft term that `make(with_gradient, options of it)` gives, which is alone without labels.
  template <class Student, class Output, class Make>
  static Value soft_and_hard(detail::any_policy policy, Student const& student,
                             std::optional<label_view> labels, Output const& output, Options const& options,
                             Make const& make) {
    require_weight("soft_weight", options.soft_weight);
    if (labels) require_hard_weight(options);
    Options of_term = options;
    of_term.rows = rows_of_a_term(options);
    auto const soft = weighed("soft_weight", options.soft_weight,
                              make(!std::is_same_v<Output, detail::no_gradient>, of_term), labels, options);
    if (!labels) {
      auto const value = sum(policy, student, output, options, soft);
      return {value, {}, value.terms[0]};
    }
    auto const value = sum(policy, student, output, options, hard_term(*labels, options), soft);
    return {value, value.terms[0], value.terms[1]};
  }
};

/// The face of such a loss of student, teacher and, where there are any, labels. `Loss::evaluate` does the work, with the
/// labels or none after the teacher.
template <class Loss, class Options, class Value = hinton_kd_value>
struct soft_hard_loss : detail::labels_optional_face<soft_hard_loss<Loss, Options, Value>, Options, Value>,
                        soft_hard_sum<Loss, Options, Value> {
  template <class Student, class Teacher, class Output>
  [[nodiscard]] static Value evaluate(detail::any_policy policy, Student const& student,
                                      Teacher const& teacher, Output const& output, Options const& options) {
    return Loss::evaluate(policy, student, teacher, std::nullopt, output, options);
  }
  template <class Student, class Teacher, class Output>
  [[nodiscard]] static Value evaluate(detail::any_policy policy, Student const& student,
                                      Teacher const& teacher, label_view labels, Output const& output,
                                      Options const& options) {
    return Loss::evaluate(policy, student, teacher, std::optional<label_view>(labels), output, options);
  }
};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
