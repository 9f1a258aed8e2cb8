#pragma once

#include <optional>

#include "distil/simd/logarithm.hpp"
#include "distil/sweep/evaluate.hpp"

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
  matrix_view<Storage const> matrix;
  std::optional<row_parameter> captured_at = std::nullopt;

  /// Whether the temperature of the loss moves the teacher too.
  [[nodiscard]] bool moves() const { return Form == teacher_form::logits || captured_at.has_value(); }
};

/// `forward_kl(student, distil::log_probabilities(teacher), {.temperature = 2})` for log softmax(t / 2); for
/// log softmax(t) say `log_probabilities(teacher, 1)`. The second argument is one number or one per row.
template <class Matrix>
[[nodiscard]] constexpr auto log_probabilities(Matrix const& matrix,
                                               std::optional<row_parameter> captured_at = std::nullopt) {
  auto const seen = detail::logits_view(matrix);
  using element = std::remove_const_t<typename decltype(seen)::element>;
  return dense_teacher<element, teacher_form::log_probabilities>{seen, captured_at};
}

/// The same for softmax(t / 2).
template <class Matrix>
[[nodiscard]] constexpr auto probabilities(Matrix const& matrix,
                                           std::optional<row_parameter> captured_at = std::nullopt) {
  auto const seen = detail::logits_view(matrix);
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
  auto const seen = logits_view(matrix);
  using element = std::remove_const_t<typename decltype(seen)::element>;
  return dense_teacher<element, teacher_form::logits>{seen};
}

/// How far rounding takes stored mass above 1. As a bfloat16 logarithm a probability of e^-n is off by n / 512 of itself.
inline constexpr double rounding_of_mass = 1.0 / 16;

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

/// Factors of rows do not overflow in the type they are used in.
inline void require_factors(char const* where, std::optional<row_parameter> const& factor,
                            computing_type type) {
  for (index row = 0; factor && row < (factor->per_row() ? factor->size() : 1); ++row) {
    double const value = (*factor)[row];
    require(
        !type.overflows(value), where, "factor",
        [&] {
          std::string const place = factor->per_row() ? " in row " + text_of(row) : "";
          return text_of(value) + place + ", which is " + type.text(value);
        },
        must_be_weight);
  }
}

/// The options of a term whose teacher may have a temperature of its own, and whose factor may be any.
template <class Term>
void require_softening(char const* where, Term const& term, index rows) {
  if (term.factor) require_parameter(where, "factor", *term.factor, rows, is_weight, must_be_weight);
  if (!term.teacher_temperature) {
    return require(term.teacher_temperature_gradient.empty(), where, "teacher_temperature_gradient",
                   "asked for", "left out, unless teacher_temperature is set");
  }
  require_temperature(where, *term.teacher_temperature, term.teacher_temperature_gradient, rows,
                      "teacher_temperature", "teacher_temperature_gradient");
  require(term.teacher.moves(), where, "teacher_temperature", "set",
          "left out for a distribution that does not say what it was captured at");
}
template <class Term>
void require_softening_of_rows(char const* where, Term const& term) {
  if (term.teacher_temperature) {
    require_row_values(where, "teacher_temperature", *term.teacher_temperature, is_temperature,
                       must_be_temperature);
  }
  if (term.factor) require_row_values(where, "factor", *term.factor, is_weight, must_be_weight);
}

/// A row of factor 0 is absent, whatever it holds, but counts in the divisor as it would with another.
inline row_weight weight_with_factor(row_weight weight, std::optional<row_parameter> const& factor,
                                     index row) {
  if (factor && (*factor)[row] == 0.0) weight.multiplier = 0.0;
  return weight;
}
inline bool some_row_is_absent(std::optional<row_parameter> const& factor, index rows) {
  if (!factor) return false;
  if (!factor->per_row()) return (*factor)[0] == 0.0;
  for (index row = 0; row < rows; ++row) {
    if ((*factor)[row] == 0.0) return true;
  }
  return false;
}

}  // namespace detail
}  // namespace distil

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// The teacher's side of a tile of rows while its blocks are read.
template <class T, class Axis, teacher_form Form>
class teacher_reader {
 public:
  static constexpr teacher_form form = Form;

  template <class Storage>
  explicit teacher_reader(dense_teacher<Storage, Form> const& teacher) : reader_(teacher.matrix) {}

  DISTIL_INLINE simd::strip<T> open(simd::tile rows, simd::block columns) {
    return reader_.open(rows, columns, Form == teacher_form::probabilities ? T(0) : -simd::infinity<T>);
  }

  /// From what is stored to the scale of logits. Monotone, so that maxima can be taken before it.
  static DISTIL_INLINE simd::lanes<T> logit(simd::lanes<T> stored) {
    if constexpr (Form == teacher_form::probabilities) {
      return log(stored);
    } else {
      return stored;
    }
  }

 private:
  simd::block_reader<T, Axis> reader_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
