#pragma once

#include <distil/core/execution.hpp>
#include <distil/core/float16.hpp>
#include <distil/core/matrix_view.hpp>
#include <span>
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

/// What a form of a loss is called, and what it does for each element of the logits.
struct form {
  char const* name;
  std::size_t matrices;  ///< of the size of the logits that it reads and writes
  int exponentials;      ///< that it cannot do without
  int threads = 1;
  char const* library = "distil";
};

/// Registers one form of a loss. Returns true, so that a constant can be made of it.
/// `evaluate(policy, operands)` makes the call and returns its value.
template <class T, class Evaluate>
bool add_form(char const* operation, form what, Evaluate evaluate, std::span<shape const> on = shapes) {
  for (shape const size : on) {
    add({what.library, operation, element_name<T>, size.name(), what.name, what.threads},
        {size.elements(), what.matrices * sizeof(T), what.exponentials}, [=]() -> call {
          return [=, arguments = operands<T>(batch_of<T>(size))]() -> double {
            return evaluate(distil::parallel_policy{what.threads}, arguments);  // one thread: this one
          };
        });
  }
  return true;
}

/// Value, and value with gradient, on every shape. `distributions` is 1 for a loss of the student alone, 2 with a
/// teacher: matrices that it reads, and of which it takes exponentials.
template <class T, class Value, class WithGradient>
bool add_loss(char const* operation, int distributions, Value value, WithGradient with_gradient,
              int threads = 1) {
  auto const reads = static_cast<std::size_t>(distributions);
  return add_form<T>(operation, {"value", reads, distributions, threads}, value) &&
         add_form<T>(operation, {"gradient", reads + 1, distributions, threads}, with_gradient);
}

}  // namespace bench
