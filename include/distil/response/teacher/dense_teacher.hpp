#pragma once

#include <optional>

#include "distil/core/row_parameter.hpp"
#include "distil/core/shapes.hpp"

namespace distil {

/// What the numbers of a teacher mean.
enum class teacher_form {
  logits,             ///< any real numbers, up to a constant per row
  log_probabilities,  ///< logarithms of numbers in proportion to probabilities, in nats
  probabilities       ///< numbers >= 0 in proportion to probabilities; a negative one makes its row NaN
};

/// A teacher in one of its dense forms; rows are normalised, whatever they sum to, so that a distribution stored in 16
/// bits, which does not quite sum to one, does not bias the gradient. Nothing looks whether they do: that would be one more
/// sweep.
///
/// Logits are softened by the temperature T of the loss. A distribution is taken as it is, already softened,
/// and the temperature moves the student alone, as in PyTorch's kl_div; pass softmax(t / T) with T. One that
/// was captured at another temperature, from a cache for example, says so and becomes p^(captured_at / T),
/// normalised: softmax(t / captured_at) turns into softmax(t / T) exactly.
template <class Storage, teacher_form Form>
struct dense_teacher {
  detail::row_view<Storage const> matrix;
  std::optional<row_parameter> captured_at = std::nullopt;

  /// Whether the temperature of the loss moves the teacher too.
  [[nodiscard]] bool moves() const { return Form == teacher_form::logits || captured_at.has_value(); }
};

/// `forward_kl(student, distil::log_probabilities(teacher), {.temperature = 2})` for log softmax(t / 2); for
/// log softmax(t) say `log_probabilities(teacher, 1)`. The second argument is one number or one per row.
template <class Matrix>
[[nodiscard]] constexpr auto log_probabilities(Matrix const& matrix,
                                               std::optional<row_parameter> captured_at = std::nullopt) {
  auto const seen = detail::logit_rows(matrix);
  using element = std::remove_const_t<typename decltype(seen)::element>;
  return dense_teacher<element, teacher_form::log_probabilities>{seen, captured_at};
}

/// The same for softmax(t / 2).
template <class Matrix>
[[nodiscard]] constexpr auto probabilities(Matrix const& matrix,
                                           std::optional<row_parameter> captured_at = std::nullopt) {
  auto const seen = detail::logit_rows(matrix);
  using element = std::remove_const_t<typename decltype(seen)::element>;
  return dense_teacher<element, teacher_form::probabilities>{seen, captured_at};
}

namespace detail {

template <class Storage, teacher_form Form>
[[nodiscard]] constexpr auto as_teacher(dense_teacher<Storage, Form> const& teacher) noexcept {
  return teacher;
}

/// A bare matrix is a teacher's logits.
template <class Matrix>
[[nodiscard]] constexpr auto as_teacher(Matrix const& matrix) noexcept {
  auto const seen = logit_rows(matrix);
  using element = std::remove_const_t<typename decltype(seen)::element>;
  return dense_teacher<element, teacher_form::logits>{seen};
}

/// True when the teacher gives no class any mass.
template <class Storage, teacher_form Form>
bool any_begins_masked(dense_teacher<Storage, Form> const& teacher) {
  if constexpr (Form == teacher_form::probabilities) {
    for (index row = 0; row < teacher.matrix.rows; ++row) {
      if (static_cast<arithmetic_t<Storage>>(teacher.matrix(row, 0)) == 0) return true;
    }
    return false;
  } else {
    return any_begins_masked(teacher.matrix);
  }
}

template <class Storage, teacher_form Form>
bool fully_masked(dense_teacher<Storage, Form> const& teacher, index row) {
  if constexpr (Form == teacher_form::probabilities) {
    using arithmetic = arithmetic_t<Storage>;
    for (index column = 0; column < teacher.matrix.columns; ++column) {
      if (static_cast<arithmetic>(teacher.matrix(row, column)) != arithmetic(0)) return false;
    }
    return true;
  } else {
    return fully_masked(teacher.matrix, row);
  }
}

}  // namespace detail
}  // namespace distil
