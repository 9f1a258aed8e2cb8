#pragma once

#include <utility>

#include "distil/matrix/pair_loss.hpp"

namespace distil {

/// Two layers of one network.
template <class First, class Second>
struct layer_pair {
  First first;
  Second second;
};

/// Two layers of one network, as the losses between layers take them. Refers to arguments that have names.
template <class First, class Second>
[[nodiscard]] constexpr layer_pair<First, Second> layers(First&& first, Second&& second) {
  return {std::forward<First>(first), std::forward<Second>(second)};
}

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// What a loss of two layers is given, after the checks all make.
template <class T>
struct layer_operands {
  pair_operands<T> first, second;
};

template <class>
inline constexpr bool is_layer_pair = false;
template <class First, class Second>
inline constexpr bool is_layer_pair<layer_pair<First, Second>> = true;

/// How a loss sees two layers.
struct as_layers : detail::target_argument {
  template <class Argument>
  static constexpr bool takes = is_layer_pair<Argument>;

  template <class First, class Second>
  static auto read(layer_pair<First, Second> const& maps) {
    auto const first = detail::input_map(maps.first);
    auto const second = detail::input_map(maps.second);
    return layer_pair<decltype(first), decltype(second)>{first, second};
  }
  template <class First, class Second>
  static auto written(layer_pair<First, Second> const& maps) {
    auto const first = detail::output_map(maps.first);
    auto const second = detail::output_map(maps.second);
    return layer_pair<decltype(first), decltype(second)>{first, second};
  }
};

}  // namespace kernels

/// The face of a loss between two layers of a student and two of a teacher. `Loss` has
///
///   name                                  a string
///   check(students, teachers, options)    refuses shapes and options; layer_pairs of arrays of four sizes
///   check_numbers(options, type)          as in `pair_loss`
///   evaluate(policy, operands, options)   the value; writes both gradients where `operands.first.gradient` wants them
///
/// Both gradients are wanted or none.
template <class Loss, class Options, class Value = loss_value>
struct layer_pair_loss
    : detail::binary_face<layer_pair_loss<Loss, Options, Value>, Options, Value, kernels::as_layers> {
  template <class S1, class S2, class T1, class T2, class Output>
  [[nodiscard]] static Value evaluate(detail::any_policy policy, layer_pair<S1, S2> const& students,
                                      layer_pair<T1, T2> const& teachers, Output const& output,
                                      Options const& options) {
    auto const from = kernels::as_layers::read(students);
    auto const to = kernels::as_layers::read(teachers);
    auto operands = operands_of(from, to, options);
    if constexpr (!std::is_same_v<Output, detail::no_gradient>) {
      detail::require_gradient(Loss::name, output.first, from.first, to.first);
      detail::require_gradient(Loss::name, output.second, from.second, to.second);
      auto const require_apart = [](auto const& gradient, auto const& other, char const* what) {
        detail::require(detail::overlap_of(gradient, other) == detail::overlap::none, Loss::name, "gradient",
                        what, "apart from all but its own layer of the student");
      };
      require_apart(output.first, output.second, "overlapping that of the other layer");
      require_apart(output.first, from.second, "overlapping the student's other layer");
      require_apart(output.second, from.first, "overlapping the student's other layer");
      require_apart(output.first, to.second, "overlapping the teacher");
      require_apart(output.second, to.first, "overlapping the teacher");
      auto const apart = [](auto const& gradient, auto const& student) {
        return detail::overlap_of(gradient, student) == detail::overlap::none;
      };
      double const weight = detail::weight_of(options);
      operands.first.gradient = {output.first, options.accumulate, apart(output.first, from.first), weight};
      operands.second.gradient = {output.second, options.accumulate, apart(output.second, from.second),
                                  weight};
    }
    return detail::weighed(
        options, [&] { return Loss::evaluate(policy, operands, options); },
        [&] {
          operands.first.gradient.clear();
          operands.second.gradient.clear();
        });
  }

 private:
  template <class S1, class S2, class T1, class T2>
  static auto operands_of(layer_pair<S1, S2> const& students, layer_pair<T1, T2> const& teachers,
                          Options const& options) {
    using T = std::common_type_t<arithmetic_of_map<S1>, arithmetic_of_map<S2>, arithmetic_of_map<T1>,
                                 arithmetic_of_map<T2>>;
    detail::require_map(Loss::name, "student's first layer", students.first);
    detail::require_map(Loss::name, "student's second layer", students.second);
    detail::require_map(Loss::name, "teacher's first layer", teachers.first);
    detail::require_map(Loss::name, "teacher's second layer", teachers.second);
    detail::require_loss_weight(Loss::name, detail::weight_of(options), detail::computing_type::of<T>());
    if constexpr (requires(detail::computing_type type) { Loss::check_numbers(options, type); }) {
      Loss::check_numbers(options, detail::computing_type::of<T>());
    }
    Loss::check(layers(students.first.shape(), students.second.shape()),
                layers(teachers.first.shape(), teachers.second.shape()), options);
    using source = kernels::map_source<T>;
    return kernels::layer_operands<T>{{source(students.first), source(teachers.first), {}},
                                      {source(students.second), source(teachers.second), {}}};
  }

  template <class Map>
  using arithmetic_of_map = arithmetic_t<std::remove_const_t<typename std::remove_const_t<Map>::element>>;
};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
