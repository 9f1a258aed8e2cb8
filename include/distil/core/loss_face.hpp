#pragma once

#include <concepts>
#include <initializer_list>
#include <type_traits>
#include <utility>

#include "distil/core/execution.hpp"
#include "distil/core/loss_value.hpp"
#include "distil/core/misuse.hpp"

/// The four forms in which a loss is called, written once: the value, or the value and the gradient; with an execution
/// policy, or without. A loss derives from the face for what its users pass, and has
///
///   evaluate(any_policy, arguments..., output, options)    the value; writes the gradient unless `output` is `no_gradient`
///
/// where `output` else is what `written` of the arguments makes of the gradient: a view. Options are no deduced parameter,
/// so that `{.temperature = 4}` makes them.
namespace distil::detail {

/// In the place of an output: the value alone is wanted.
struct no_gradient {};

/// What may stand beside the student, and how the gradient is seen: anything, and rows.
struct any_argument {
  /// Whether the argument after the student can be the logits of a teacher.
  static constexpr bool takes_teacher_logits = true;

  /// What braces make: nothing, or labels.
  struct in_braces {
    in_braces() = delete;
  };

  template <class Argument>
  static constexpr bool takes = !misfit<Argument>;
  static constexpr bool are_labels = false;

  template <class Gradient>
  [[nodiscard]] static constexpr auto written(Gradient&& gradient) noexcept {
    return output_rows(std::forward<Gradient>(gradient));
  }
};

/// Labels or the like of each class.
struct target_argument : any_argument {
  static constexpr bool takes_teacher_logits = false;
  using in_braces = std::initializer_list<int>;
};

/// One label a row.
struct label_argument : target_argument {
  template <class Argument>
  static constexpr bool takes = labels_like<Argument>;
  static constexpr bool are_labels = true;
};

template <class Argument, class Arguments>
concept taken_by = Arguments::template takes<Argument>;

/// Of a student alone.
template <class Loss, class Options, class Value = loss_value>
struct unary_face {
  using options_type = Options;
  static constexpr bool takes_teacher_logits = false;

  template <rows_argument Student>
  [[nodiscard]] Value operator()(Student const& student, Options const& options = {}) const {
    return (*this)(serial, student, options);
  }

  template <execution_policy Policy, rows_argument Student>
  [[nodiscard]] Value operator()(Policy policy, Student const& student, Options const& options = {}) const {
    return static_cast<Loss const&>(*this).evaluate(any_policy(policy), student, no_gradient(), options);
  }

  template <rows_argument Student, written_argument Gradient>
  Value with_grad(Student const& student, Gradient&& gradient, Options const& options = {}) const {
    return with_grad(serial, student, std::forward<Gradient>(gradient), options);
  }

  template <execution_policy Policy, rows_argument Student, written_argument Gradient>
  Value with_grad(Policy policy, Student const& student, Gradient&& gradient,
                  Options const& options = {}) const {
    return static_cast<Loss const&>(*this).evaluate(any_policy(policy), student,
                                                    output_rows(std::forward<Gradient>(gradient)), options);
  }

  /// Anything else.
  template <class... Given>
  misused<Value> operator()(Given const&...) const {
    explain<false, 0, Given...>();
    return {};
  }
  template <class... Given>
  misused<Value> with_grad(Given const&...) const {
    explain<true, 0, Given...>();
    return {};
  }
};

/// Of a student and a teacher, or what `Arguments` take in its place.
template <class Loss, class Options, class Value = loss_value, class Arguments = any_argument>
struct binary_face {
  using options_type = Options;
  static constexpr bool takes_teacher_logits = Arguments::takes_teacher_logits;

  template <rows_argument Student, taken_by<Arguments> Teacher = typename Arguments::in_braces>
  [[nodiscard]] Value operator()(Student const& student, Teacher const& teacher,
                                 Options const& options = {}) const {
    return (*this)(serial, student, teacher, options);
  }

  template <execution_policy Policy, rows_argument Student,
            taken_by<Arguments> Teacher = typename Arguments::in_braces>
  [[nodiscard]] Value operator()(Policy policy, Student const& student, Teacher const& teacher,
                                 Options const& options = {}) const {
    return static_cast<Loss const&>(*this).evaluate(any_policy(policy), student, teacher, no_gradient(),
                                                    options);
  }

  template <rows_argument Student, taken_by<Arguments> Teacher = typename Arguments::in_braces,
            written_argument Gradient>
  Value with_grad(Student const& student, Teacher const& teacher, Gradient&& gradient,
                  Options const& options = {}) const {
    return with_grad(serial, student, teacher, std::forward<Gradient>(gradient), options);
  }

  template <execution_policy Policy, rows_argument Student,
            taken_by<Arguments> Teacher = typename Arguments::in_braces, written_argument Gradient>
  Value with_grad(Policy policy, Student const& student, Teacher const& teacher, Gradient&& gradient,
                  Options const& options = {}) const {
    return static_cast<Loss const&>(*this).evaluate(
        any_policy(policy), student, teacher, Arguments::written(std::forward<Gradient>(gradient)), options);
  }

  /// Anything else.
  template <class... Given>
  misused<Value> operator()(Given const&...) const {
    explain<false, Arguments::are_labels ? 1 : 0, Given...>();
    return {};
  }
  template <class... Given>
  misused<Value> with_grad(Given const&...) const {
    explain<true, Arguments::are_labels ? 1 : 0, Given...>();
    return {};
  }
};

/// Of a student, a teacher and what `Arguments` take after it; `{1, 0, 2}` are labels.
template <class Loss, class Options, class Value = loss_value, class Arguments = label_argument>
struct ternary_face {
  using options_type = Options;
  static constexpr bool takes_teacher_logits = true;

  template <rows_argument Student, rows_argument Teacher,
            taken_by<Arguments> Third = typename Arguments::in_braces>
  [[nodiscard]] Value operator()(Student const& student, Teacher const& teacher, Third const& third,
                                 Options const& options = {}) const {
    return (*this)(serial, student, teacher, third, options);
  }

  template <execution_policy Policy, rows_argument Student, class Teacher,
            taken_by<Arguments> Third = typename Arguments::in_braces>
  [[nodiscard]] Value operator()(Policy policy, Student const& student, Teacher const& teacher,
                                 Third const& third, Options const& options = {}) const {
    return static_cast<Loss const&>(*this).evaluate(any_policy(policy), student, teacher, third,
                                                    no_gradient(), options);
  }

  template <rows_argument Student, rows_argument Teacher,
            taken_by<Arguments> Third = typename Arguments::in_braces, written_argument Gradient>
  Value with_grad(Student const& student, Teacher const& teacher, Third const& third, Gradient&& gradient,
                  Options const& options = {}) const {
    return with_grad(serial, student, teacher, third, std::forward<Gradient>(gradient), options);
  }

  template <execution_policy Policy, rows_argument Student, class Teacher,
            taken_by<Arguments> Third = typename Arguments::in_braces, written_argument Gradient>
  Value with_grad(Policy policy, Student const& student, Teacher const& teacher, Third const& third,
                  Gradient&& gradient, Options const& options = {}) const {
    return static_cast<Loss const&>(*this).evaluate(any_policy(policy), student, teacher, third,
                                                    Arguments::written(std::forward<Gradient>(gradient)),
                                                    options);
  }

  /// Anything else.
  template <class... Given>
  misused<Value> operator()(Given const&...) const {
    explain<false, Arguments::are_labels ? 2 : 0, Given...>();
    return {};
  }
  template <class... Given>
  misused<Value> with_grad(Given const&...) const {
    explain<true, Arguments::are_labels ? 2 : 0, Given...>();
    return {};
  }
};

/// Of a student and a teacher, with labels or without.
template <class Loss, class Options, class Value = loss_value, class Arguments = label_argument>
struct labels_optional_face : binary_face<Loss, Options, Value>,
                              ternary_face<Loss, Options, Value, Arguments> {
  using options_type = Options;
  static constexpr bool takes_teacher_logits = true;

  using binary_face<Loss, Options, Value>::operator();
  using ternary_face<Loss, Options, Value, Arguments>::operator();
  using binary_face<Loss, Options, Value>::with_grad;
  using ternary_face<Loss, Options, Value, Arguments>::with_grad;

  /// Anything else.
  template <class... Given>
  misused<Value> operator()(Given const&...) const {
    explain<false, Arguments::are_labels ? 2 : 0, Given...>();
    return {};
  }
  template <class... Given>
  misused<Value> with_grad(Given const&...) const {
    explain<true, Arguments::are_labels ? 2 : 0, Given...>();
    return {};
  }
};

}  // namespace distil::detail
