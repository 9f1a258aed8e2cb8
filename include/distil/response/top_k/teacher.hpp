#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "distil/core/labels.hpp"
#include "distil/response/teacher/dense_teacher.hpp"

namespace distil {

/// What a top-k teacher says of the classes it does not list. K are the classes of a row that are listed, P the mass the
/// teacher gives them, tau = 1 - P its mass elsewhere (or the stored one), and D = sum f(p_i, q_i) any divergence.
///
/// Only `truncate` can be negative where D cannot: in the others both sides are distributions.
enum class tail_policy {
  truncate,  ///< sum over K of f(p_i, q_i), nothing else; for expectations under the teacher (forward KL)
  renormalise_teacher,  ///< p_i / P on K and 0 elsewhere, against the whole student
  renormalise_both,     ///< p_i / P against q_i / sum over K of q, on K alone
  bucket,               ///< all other classes are one more class: f(tau, 1 - sum over K of q)
  uniform,              ///< each of the others has tau / (their number)
  floor                 ///< p_i / P on K, each of the others has e^log_floor, all of it normalised
};

/// How many classes a bucket stands for when the temperature changes.
enum class tail_shape {
  uniform,   ///< all those it holds: its mass becomes tau^a n^(1 - a)
  one_class  ///< one: tau^a, as DistillKit has it
};

/// Options of `top_k`. What the numbers are, and what is said of the other classes, has no default: public
/// implementations differ in both, and all of them call it top-k KL.
struct top_k_options {
  /// What the values mean. Must be said.
  std::optional<teacher_form> form = std::nullopt;

  /// What is said of the other classes. Must be said. Logits of a few classes do not tell the mass of the others: unless
  /// `log_tail_mass` does, they go with the policies that renormalise, and with floor.
  std::optional<tail_policy> tail = std::nullopt;

  /// The temperature at which probabilities, log-probabilities and the tail mass were taken; those of another temperature
  /// T become p^(captured_at / T), normalised. One number or one per row. Default: they are at the loss's temperature
  /// (beside logits the stored tail mass is at 1).
  std::optional<row_parameter> captured_at = std::nullopt;

  /// How many entries of each row count; those behind are padding and are not looked at. Default: all.
  label_view counts = {};

  /// Logarithm of the mass outside K, where the cache has it; less than 0, -inf for none. One number or one per row.
  /// Default: 1 - P, which carries the rounding of the stored values.
  std::optional<row_parameter> log_tail_mass = std::nullopt;

  /// What a change of temperature makes of a bucket. Default: what it makes of a uniform tail.
  tail_shape bucket_shape = tail_shape::uniform;

  /// Logarithm of the mass `floor` gives each class outside K, beside a mass of 1 on K; within [-1e4, 0]. Default -100
  /// (NeMo-RL).
  double log_floor = -100.0;
};

/// The k likeliest classes of a teacher, or any k. See `top_k`.
template <class Id, class Storage>
struct top_k_teacher {
  using storage = Storage;

  matrix_view<Id const> ids;
  matrix_view<Storage const> values;
  top_k_options options;

  /// Whether the temperature of the loss moves the teacher too.
  [[nodiscard]] bool moves() const {
    return options.form == teacher_form::logits || options.captured_at.has_value();
  }
  [[nodiscard]] bool knows_mass() const {
    return options.form != teacher_form::logits || options.log_tail_mass.has_value();
  }
  [[nodiscard]] index entries(index row) const {
    return options.counts.size() > 0 ? static_cast<index>(options.counts[row]) : ids.columns;
  }
  /// An entry of no mass is none, whatever its id: caches fill rows with them.
  [[nodiscard]] bool present(index row, index entry) const {
    auto const value = static_cast<arithmetic_t<Storage>>(values(row, entry));
    using limits = std::numeric_limits<arithmetic_t<Storage>>;
    return value != (options.form == teacher_form::probabilities ? 0 : -limits::infinity());
  }
  [[nodiscard]] bool empty(index row) const {
    for (index entry = 0; entry < entries(row); ++entry) {
      if (present(row, entry)) return false;
    }
    return true;
  }
};

}  // namespace distil
