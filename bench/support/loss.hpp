#pragma once

#include <distil/core/execution.hpp>
#include <distil/core/float16.hpp>
#include <distil/core/matrix_view.hpp>
#include <utility>

#include "support/batch.hpp"
#include "support/registry.hpp"

namespace bench {

template <>
inline constexpr char const* element_name<distil::bfloat16> = "bfloat16";
template <>
inline constexpr char const* element_name<distil::half> = "half";

/// A batch as the library takes it.
template <class T>
struct operands {
  distil::matrix_view<T const> student, teacher;
  distil::matrix_view<T> gradient;
  std::vector<std::int32_t> const& labels;

  explicit operands(batch<T> const& from)
      : student(from.student.data(), from.size.rows, from.size.classes),
        teacher(from.teacher.data(), from.size.rows, from.size.classes),
        gradient(from.gradient.data(), from.size.rows, from.size.classes),
        labels(from.labels) {}
};

/// How many matrices of the size of the logits a form reads and writes.
struct form {
  char const* name;
  std::size_t matrices;
};

/// Registers one form of a loss on every shape. Returns true, so that a constant can be made of it.
/// `evaluate(policy, operands)` makes the call and returns its value.
template <class T, class Evaluate>
bool add_form(char const* operation, form what, Evaluate evaluate, int threads = 1) {
  for (shape const size : shapes) {
    add({"distil", operation, element_name<T>, size.name(), what.name, threads}, size.elements(),
        what.matrices * sizeof(T), [=]() -> call {
          return [=, arguments = operands<T>(batch_of<T>(size))]() -> double {
            if (threads == 1) return evaluate(distil::serial, arguments);
            return evaluate(distil::parallel_policy{threads}, arguments);
          };
        });
  }
  return true;
}

/// Value, and value with gradient, on every shape. `reads` is 1 for a loss of the student alone, 2 with a
/// teacher.
template <class T, class Value, class WithGradient>
bool add_loss(char const* operation, std::size_t reads, Value value, WithGradient with_gradient,
              int threads = 1) {
  return add_form<T>(operation, {"value", reads}, value, threads) &&
         add_form<T>(operation, {"gradient", reads + 1}, with_gradient, threads);
}

}  // namespace bench
