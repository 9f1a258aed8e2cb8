#pragma once

#include "distil/core/execution.hpp"
#include "distil/core/loss_value.hpp"
#include "distil/core/map_shapes.hpp"
#include "distil/core/number_checks.hpp"
#include "distil/matrix/operands.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// What a loss of student and teacher is given, after the checks all make.
template <class T>
struct pair_operands {
  map_source<T> student, teacher;
  map_target<T> gradient;  ///< none: the value alone is wanted
};

/// How a loss sees its arguments.
struct as_maps {  ///< feature maps; a matrix has one position a row
  template <class T>
  static void require(char const* where, char const* argument, feature_map<T> const& map) {
    detail::require_map(where, argument, map);
  }
  template <class Argument>
  static auto read(Argument const& argument) {
    return detail::input_map(argument);
  }
  template <class Argument>
  static auto written(Argument&& argument) {
    return detail::output_map(std::forward<Argument>(argument));
  }
};
struct as_matrices {  ///< matrices, each the map of one sample whose channels are the matrix's rows
  template <class T>
  static void require(char const* where, char const* argument, feature_map<T> const& map) {
    detail::require_map_of_matrix(where, argument, map);
  }
  template <class Argument>
  static auto read(Argument const& argument) {
    return detail::map_of_matrix(detail::input_view(argument));
  }
  template <class Argument>
  static auto written(Argument&& argument) {
    return detail::map_of_matrix(detail::output_view(std::forward<Argument>(argument)));
  }
};

}  // namespace kernels

/// The face of a loss between a student's features and a teacher's. `Loss` has
///
///   name                                   a string
///   check(student, teacher, options)       refuses shapes and options, given as arrays of four sizes
///   check_numbers(options, type)           if it has it, refuses numbers that the computing_type does not hold
///   evaluate(policy, operands, options)    the value, a loss_value or a type derived from it; writes the gradient where
///                                          `operands.gradient` wants it
///
/// and `Options` a member `accumulate`. What `evaluate` computes in is the widest arithmetic type of student and teacher.
template <class Loss, class Options, class Arguments = kernels::as_maps>
struct pair_loss {
  template <matrix_argument Student, class Teacher>
  [[nodiscard]] auto operator()(Student const& student, Teacher const& teacher,
                                Options const& options = {}) const {
    return (*this)(serial, student, teacher, options);
  }

  template <execution_policy Policy, class Student, class Teacher>
  [[nodiscard]] auto operator()(Policy policy, Student const& student, Teacher const& teacher,
                                Options const& options = {}) const {
    auto const from = Arguments::read(student);
    auto const to = Arguments::read(teacher);
    return run(policy, operands_of(from, to, options), options);
  }

  template <matrix_argument Student, class Teacher, class Gradient>
  auto with_grad(Student const& student, Teacher const& teacher, Gradient&& gradient,
                 Options const& options = {}) const {
    return with_grad(serial, student, teacher, std::forward<Gradient>(gradient), options);
  }

  template <execution_policy Policy, class Student, class Teacher, class Gradient>
  auto with_grad(Policy policy, Student const& student, Teacher const& teacher, Gradient&& gradient,
                 Options const& options = {}) const {
    auto const from = Arguments::read(student);
    auto const to = Arguments::read(teacher);
    auto const output = Arguments::written(std::forward<Gradient>(gradient));
    auto operands = operands_of(from, to, options);
    detail::require_gradient(Loss::name, output, from, to);
    bool const apart = detail::overlap_of(output, from) == detail::overlap::none;
    operands.gradient = {output, options.accumulate, apart};
    return run(policy, operands, options);
  }

 private:
  template <class S, class Te>
  static auto operands_of(feature_map<S> const& student, feature_map<Te> const& teacher,
                          Options const& options) {
    using T = std::common_type_t<arithmetic_t<std::remove_const_t<S>>, arithmetic_t<std::remove_const_t<Te>>>;
    Arguments::require(Loss::name, "student", student);
    Arguments::require(Loss::name, "teacher", teacher);
    Loss::check(student.shape(), teacher.shape(), options);
    if constexpr (requires(detail::computing_type type) { Loss::check_numbers(options, type); }) {
      Loss::check_numbers(options, detail::computing_type::of<T>());
    }
    return kernels::pair_operands<T>{kernels::map_source<T>(student), kernels::map_source<T>(teacher), {}};
  }

  template <class Policy, class T>
  static auto run(Policy policy, kernels::pair_operands<T> const& operands, Options const& options) {
    return Loss::evaluate(detail::any_policy(policy), operands, options);
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE
