#pragma once

#include <concepts>

#include "distil/response/top_k/term.hpp"

namespace distil {

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

}  // namespace distil
