#pragma once

#include <concepts>
#include <cstddef>
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

/// Forms of a call, and a message for what fits none of them. `Place` is that of the labels, 0: there are none.
template <class Value, std::size_t Place, class... Forms>
struct explained : Forms... {
  using Forms::operator()...;
  using Forms::with_grad...;

  template <class... Given>
  misused<Value> operator()(Given const&...) const {
    explain<false, Place, Given...>();
    return {};
  }
  template <class... Given>
  misused<Value> with_grad(Given const&...) const {
    explain<true, Place, Given...>();
    return {};
  }
};

/// Of a student alone.
template <class Loss, class Options, class Value>
struct unary_forms {
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
};

/// Of a student and a teacher, or what `Arguments` take in its place.
template <class Loss, class Options, class Value, class Arguments>
struct binary_forms {
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
};

/// Of a student, a teacher and what `Arguments` take after it; `{1, 0, 2}` are labels.
template <class Loss, class Options, class Value, class Arguments>
struct ternary_forms {
  using options_type = Options;
  static constexpr bool takes_teacher_logits = true;

  template <rows_argument Student, rows_argument Teacher,
            taken_by<Arguments> Third = typename Arguments::in_braces>
  [[nodiscard]] Value operator()(Student const& student, Teacher const& teacher, Third const& third,
                                 Options const& options = {}) const {
    return (*this)(serial, student, teacher, third, options);
  }

  template <execution_policy Policy, rows_argument Student, rows_argument Teacher,
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

  template <execution_policy Policy, rows_argument Student, rows_argument Teacher,
            taken_by<Arguments> Third = typename Arguments::in_braces, written_argument Gradient>
  Value with_grad(Policy policy, Student const& student, Teacher const& teacher, Third const& third,
                  Gradient&& gradient, Options const& options = {}) const {
    return static_cast<Loss const&>(*this).evaluate(any_policy(policy), student, teacher, third,
                                                    Arguments::written(std::forward<Gradient>(gradient)),
                                                    options);
  }
};

/// The faces: forms of a call, and one message for what fits none of them.
template <class Loss, class Options, class Value = loss_value>
struct unary_face : explained<Value, 0, unary_forms<Loss, Options, Value>> {};

template <class Loss, class Options, class Value = loss_value, class Arguments = any_argument>
struct binary_face
    : explained<Value, Arguments::are_labels ? 1 : 0, binary_forms<Loss, Options, Value, Arguments>> {};

template <class Loss, class Options, class Value = loss_value, class Arguments = label_argument>
struct ternary_face
    : explained<Value, Arguments::are_labels ? 2 : 0, ternary_forms<Loss, Options, Value, Arguments>> {};

template <class Loss, class Options, class Value, class Arguments>
using forms_of_optional_labels =
    explained<Value, Arguments::are_labels ? 2 : 0, binary_forms<Loss, Options, Value, any_argument>,
              ternary_forms<Loss, Options, Value, Arguments>>;

/// Of a student and a teacher, with labels or without.
template <class Loss, class Options, class Value = loss_value, class Arguments = label_argument>
struct labels_optional_face : forms_of_optional_labels<Loss, Options, Value, Arguments> {
  using options_type = Options;
  static constexpr bool takes_teacher_logits = true;
  using forms_of_optional_labels<Loss, Options, Value, Arguments>::operator();

  /// `{}` is no option, and not a list of no labels: of two lists compilers prefer the one whose type is not left open.
  struct nothing {
    nothing() = delete;
  };
  template <rows_argument Student, rows_argument Teacher>
  [[nodiscard]] Value operator()(Student const& student, Teacher const& teacher,
                                 std::initializer_list<nothing>) const {
    return (*this)(serial, student, teacher, Options());
  }
  template <execution_policy Policy, rows_argument Student, rows_argument Teacher>
  [[nodiscard]] Value operator()(Policy policy, Student const& student, Teacher const& teacher,
                                 std::initializer_list<nothing>) const {
    return (*this)(policy, student, teacher, Options());
  }
};

}  // namespace distil::detail
