#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>

#include "distil/core/labels.hpp"
#include "distil/response/teacher.hpp"

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

/// A teacher known at k classes of each row, such as a cache of an LLM's top-k; every divergence but `adaptive_kl`, which looks at
/// all classes of its teacher, takes it in the place of a dense one, as a term of `fuse` and in `hinton_kd`, too.
///
/// @formula   Per row over K and what the policy makes of the others, with p = p_stored^(captured_at / T), normalised,
///            and q = softmax(z / T). Stored tail mass tau becomes tau^a n^(1 - a) with a = captured_at / T and n the
///            number of classes outside K, what a uniform tail does (`bucket_shape` for another rule). With
///            `teacher_temperature` S it is in the place of T for p, as in `divergence`; `factor` as there, too
/// @param     ids     [rows, k] classes, integers of 32 or 64 bits, in any order, each at most once in a row
/// @param     values  [rows, k] logits, log-probabilities or probabilities, any storage. An entry without mass (-inf,
///            or probability 0) is no entry, whatever its id. A row without entries counts for nothing. Probabilities,
///            or what log-probabilities are the logarithms of, sum to no more than 1 in a row, but for 1/16 of
///            rounding, which 16-bit storage needs; what is above 1 is divided away with every policy
/// @throws    std::invalid_argument for ids out of range or twice in a row, counts outside [0, k], entries of more mass
///            than that, a tail mass that is none, or a policy that needs a mass nobody knows; rows that weigh nothing
///            are not looked at
/// @gradient  in K (psi_i - q_i sum psi) / T with psi = dD / d log q; outside q_i (psi_tail / q_tail - sum psi) / T
///            for bucket and renormalise_teacher, 0 for renormalise_both. By the temperatures: as in `divergence`
/// @error     `top_k_bound`
/// @nan       as for a dense teacher. A divergence that is infinite where the student alone has mass (reverse KL) is
///            +inf with renormalise_teacher: use bucket, floor or renormalise_both
/// @cost      that of log_sum_exp with gradient, and O(k) a row, some microseconds for k = 64; two reads more for rows whose student has less
///            than a quarter of the teacher's mass outside K, and for a gradient of the temperature. uniform and floor,
///            and renormalise_teacher for a divergence that does not say `homogeneous`, are three reads. Memory O(k), and a bit
///            a class to find ids that are there twice
/// @source    truncate: verl, which also raises log-probabilities to -10 and the loss to 0. renormalise_teacher: DistillKit
///            (`ZERO`), tinker-cookbook. renormalise_both: TensorRT Model Optimizer, ms-swift, mlx-lm, NeMo-RL. bucket: TRL's
///            SDFT, Megatron-LM, DistillKit (`SYMMETRIC_UNIFORM`, one class). floor: NeMo-RL's zero_outside_topk
/// @example   distil::forward_kl.with_grad(student, distil::top_k(ids, values, {.form =
///            distil::teacher_form::log_probabilities, .tail = distil::tail_policy::bucket}), gradient)
template <class Ids, class Values>
[[nodiscard]] auto top_k(Ids const& ids, Values const& values, top_k_options const& options) {
  auto const seen = view(ids);
  using id = std::remove_const_t<typename decltype(seen)::element>;
  static_assert(std::integral<id> && (sizeof(id) == 4 || sizeof(id) == 8),
                "distil: the ids of a top-k teacher must be integers of 32 or 64 bits");
  auto const seen_values = detail::input_view(values);
  using element = std::remove_const_t<typename decltype(seen_values)::element>;
  return top_k_teacher<id, element>{seen, seen_values, options};
}

/// What is stated of every divergence for a top-k teacher: as `error_bound` has it, with m = 1, for summands and derivatives
/// of the size of p and q; |L| of the row in the place of 32 for its gradient where |L| is more: a student that leaves
/// next to nothing for a teacher's tail is known to the rounding of its logits. By either temperature relative to what the
/// value is.
inline constexpr error_bound top_k_bound{.value = 64, .gradient = 32, .temperature_gradient = 5};

namespace detail {

template <class>
inline constexpr bool is_top_k = false;
template <class Id, class Storage>
inline constexpr bool is_top_k<top_k_teacher<Id, Storage>> = true;

}  // namespace detail
}  // namespace distil
