#pragma once

#include "distil/core/loss_face.hpp"
#include "distil/core/loss_weight.hpp"
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

/// How a loss sees its arguments: as feature maps. A matrix has one position a row.
struct as_maps : detail::target_argument {
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
/// As matrices, each the map of one sample whose channels are the matrix's rows.
struct as_matrices : detail::target_argument {
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
/// and `Options` members `accumulate` and `weight`. The face weighs what comes out of `evaluate`, which does not see the
/// weight (core/loss_weight.hpp). What it computes in is the widest arithmetic type of student and teacher.
template <class Loss, class Options, class Arguments = kernels::as_maps, class Value = loss_value>
struct pair_loss
    : detail::binary_face<pair_loss<Loss, Options, Arguments, Value>, Options, Value, Arguments> {
  template <class Student, class Teacher, class Output>
  [[nodiscard]] static Value evaluate(detail::any_policy policy, Student const& student,
                                      Teacher const& teacher, Output const& output, Options const& options) {
    auto const from = Arguments::read(student);
    auto const to = Arguments::read(teacher);
    auto operands = operands_of(from, to, options);
    if constexpr (!std::is_same_v<Output, detail::no_gradient>) {
      detail::require_gradient(Loss::name, output, from, to);
      bool const apart = detail::overlap_of(output, from) == detail::overlap::none;
      operands.gradient = {output, options.accumulate, apart, detail::weight_of(options)};
    }
    return detail::weighed(
        options, [&] { return Loss::evaluate(policy, operands, options); },
        [&] { operands.gradient.clear(); });
  }

 private:
  template <class S, class Te>
  static auto operands_of(feature_map<S> const& student, feature_map<Te> const& teacher,
                          Options const& options) {
    using T = std::common_type_t<arithmetic_t<std::remove_const_t<S>>, arithmetic_t<std::remove_const_t<Te>>>;
    Arguments::require(Loss::name, "student", student);
    Arguments::require(Loss::name, "teacher", teacher);
    Loss::check(student.shape(), teacher.shape(), options);
    detail::require_loss_weight(Loss::name, detail::weight_of(options), detail::computing_type::of<T>());
    if constexpr (requires(detail::computing_type type) { Loss::check_numbers(options, type); }) {
      Loss::check_numbers(options, detail::computing_type::of<T>());
    }
    return kernels::pair_operands<T>{kernels::map_source<T>(student), kernels::map_source<T>(teacher), {}};
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE
