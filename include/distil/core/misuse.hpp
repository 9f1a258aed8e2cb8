#pragma once

#include "distil/core/execution.hpp"
#include "distil/core/labels.hpp"
#include "distil/core/row_view.hpp"

/// What a call says that fits no form of a loss: one message, of what was meant.
namespace distil::detail {

/// Numbers in memory that do not say how many rows they are: a pointer, a C array, a vector, a span.
template <class Argument>
concept shapeless = (std::is_pointer_v<Argument> && std::is_object_v<std::remove_pointer_t<Argument>>) ||
                    (elements<Argument> && !direct_access<Argument const> &&
                     !std::integral<element_of<Argument>>);

/// A matrix without elements in memory, such as an expression of Eigen.
template <class Argument>
concept not_in_memory = !direct_access<Argument const> && requires(Argument const& argument) {
  argument.rows();
  argument.cols();
};

/// What is no matrix, but may be meant as one.
template <class Argument>
concept misfit = shapeless<std::remove_cvref_t<Argument>> || not_in_memory<std::remove_cvref_t<Argument>>;

template <class Argument>
concept rows_argument = !execution_policy<Argument> && !misfit<Argument>;
/// Labels are no gradient: it was left out.
template <class Argument>
concept written_argument = !misfit<Argument> && !integers<std::remove_cvref_t<Argument>>;

/// What a call gives that fits no form, so that nothing else is complained of.
template <class Value>
struct misused : Value {};
template <class>
inline constexpr bool is_misused = false;
template <class Value>
inline constexpr bool is_misused<misused<Value>> = true;

/// Which list of numbers, if any, stands where labels belong.
template <class... Given>
constexpr bool labels_are_no_integers(std::size_t place) {
  bool const without_shape[] = {shapeless<std::remove_cvref_t<Given>>..., false};
  bool const policy[] = {execution_policy<Given>..., false};
  place += policy[0] ? 1 : 0;
  return place < sizeof...(Given) && without_shape[place];
}

/// Says what is wrong with the arguments. `place` is that of the labels, counted without a policy; 0: there are none.
template <bool WithGradient, std::size_t Place, class... Given>
constexpr void explain() {
  constexpr bool never = sizeof...(Given) > 1000;
  if constexpr (Place > 0 && labels_are_no_integers<Given...>(Place)) {
    static_assert(never, "distil: labels must be integers, one per row");
  } else if constexpr ((not_in_memory<std::remove_cvref_t<Given>> || ...)) {
    static_assert(
        never,
        "distil: this argument would need a copy. Pass a distil::matrix_view or a matrix with elements in "
        "memory (for an Eigen expression: evaluate it into a Matrix first)");
  } else if constexpr ((shapeless<std::remove_cvref_t<Given>> || ...)) {
    static_assert(never,
                  "distil: numbers without a shape. Pass distil::matrix_view(data, rows, columns) or "
                  "distil::feature_map(data, samples, channels, height, width)");
  } else if constexpr (WithGradient) {
    static_assert(
        never,
        "distil: gradient missing, or other arguments than this loss takes: with_grad takes those of the "
        "loss, then the gradient to write, then options");
  } else {
    static_assert(
        never,
        "distil: other arguments than this loss takes: an execution policy if wanted, the student, then "
        "teacher, labels or both as its contract says, then options");
  }
}

}  // namespace distil::detail
