#pragma once

#include <optional>

#include "distil/response/hinton_kd.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE {

/// The face of a loss of student, teacher and, where there are any, labels. `Loss::evaluate` does the work, with the
/// labels or none after the teacher.
template <class Loss, class Options, class Value = hinton_kd_value>
struct soft_hard_loss : detail::labels_optional_face<soft_hard_loss<Loss, Options, Value>, Options, Value> {
  template <class Student, class Teacher, class Output>
  [[nodiscard]] static Value evaluate(detail::any_policy policy, Student const& student,
                                      Teacher const& teacher, Output const& output, Options const& options) {
    return Loss::evaluate(policy, student, teacher, std::nullopt, output, options);
  }
  template <class Student, class Teacher, class Output>
  [[nodiscard]] static Value evaluate(detail::any_policy policy, Student const& student,
                                      Teacher const& teacher, label_view labels, Output const& output,
                                      Options const& options) {
    return Loss::evaluate(policy, student, teacher, labels, output, options);
  }

 protected:
  static void require_weight(std::string_view argument, double weight) {
    detail::require(detail::is_weight(weight), Loss::name, argument, weight, detail::must_be_weight);
  }

  static row_options rows_of_a_term(Options const& options) {
    row_options rows = options.rows;
    rows.values = {};
    return rows;
  }

  /// Cross entropy with its weight.
  static auto hard_term(label_view labels, Options const& options) {
    return detail::weighed("hard_weight", options.hard_weight,
                           cross_entropy.term(labels, {.label_smoothing = options.label_smoothing,
                                                       .rows = rows_of_a_term(options)}));
  }

  /// A term with its weight; rows whose label is ignored do not count, unless the options say otherwise.
  template <class Term>
  static Term weighed(char const* option, double weight, Term term, std::optional<label_view> labels,
                      Options const& options) {
    if (labels && options.ignored == ignored_label::whole_row) term.labels_of_loss = *labels;
    return detail::weighed(option, weight, term);
  }

  /// The sum of terms, with gradient or without.
  template <class Student, class Output, class... Terms>
  static auto sum(detail::any_policy policy, Student const& student, Output const& output,
                  Options const& options, Terms const&... terms) {
    objective_options const whole{.accumulate = options.accumulate, .values = options.rows.values};
    return simd::evaluate_into(Loss::name, policy, student, output, whole, terms...);
  }

  /// hard_weight * cross entropy + soft_weight * the term that `make(with_gradient, options of it)` gives.
  template <class Student, class Output, class Make>
  static hinton_kd_value soft_and_hard(detail::any_policy policy, Student const& student,
                                       std::optional<label_view> labels, Output const& output,
                                       Options const& options, Make const& make) {
    require_weight("soft_weight", options.soft_weight);
    if (labels) require_weight("hard_weight", options.hard_weight);
    Options of_term = options;
    of_term.rows = rows_of_a_term(options);
    auto const soft = weighed("soft_weight", options.soft_weight,
                              make(!std::is_same_v<Output, detail::no_gradient>, of_term), labels, options);
    if (labels) {
      // The term whose exponentials others may share comes last: one at the same temperature in every row, so that no
      // row's bits depend on its neighbours.
      auto const value = sum(policy, student, output, options, soft, hard_term(*labels, options));
      return {value, value.terms[1], value.terms[0]};
    }
    auto const value = sum(policy, student, output, options, soft);
    return {value, {}, value.terms[0]};
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE
