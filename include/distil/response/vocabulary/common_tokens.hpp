#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "distil/core/labels.hpp"
#include "distil/response/divergence/summands.hpp"
#include "distil/simd/scratch.hpp"

namespace distil {

/// Tokens that both vocabularies of `universal_logits` have, which are compared as they are, and what both parts of the loss
/// count for.
struct common_tokens {
  /// Their classes in the student's vocabulary, each once. Default: none, every token is ranked.
  label_view student = {};

  /// And in the teacher's, in the same order.
  label_view teacher = {};

  /// The teacher's share of the mixture m = teacher_mix p + (1 - teacher_mix) q of the divergence between them, and the
  /// weight of the part under p; within [0, 1]. 0 is KL(p || q), 1 is KL(q || p). Default 0.5, as in TRL (beta).
  double teacher_mix = 0.5;

  /// Multiplies the divergence of the common tokens; finite and >= 0. Default: their share of the teacher's vocabulary, as
  /// in TRL.
  std::optional<double> weight = std::nullopt;

  /// Multiplies the distance of the ranked rest; finite and >= 0. Default: 1 less the share of the common tokens.
  std::optional<double> weight_of_others = std::nullopt;
};

namespace detail {

inline void require_common(char const* where, common_tokens const& common) {
  require(
      common.teacher.size() == common.student.size(), where, "in_common.teacher",
      [&] { return said("of size ", common.teacher.size()); },
      [&] { return said("of the size of in_common.student, ", common.student.size()); });
  require(common.teacher_mix >= 0.0 && common.teacher_mix <= 1.0, where, "in_common.teacher_mix",
          common.teacher_mix, "within [0, 1]");
}

}  // namespace detail

inline namespace DISTIL_ARCH_NAMESPACE {
namespace kernels {

/// A generalised Jensen-Shannon divergence between parts of two distributions, which need not sum to one. Its ends are those of
/// TRL: KL(p || q) and KL(q || p).
template <class Lanes>
class common_summand {
  using T = typename Lanes::value_type;

 public:
  explicit common_summand(double teacher_mix) : mix_(teacher_mix), mixes_(teacher_mix) {}

  [[nodiscard]] DISTIL_INLINE summand<Lanes> at(class_probabilities<Lanes> const& here) const {
    if (mix_ < least_share) return one_sided(here);
    if (1.0 - mix_ < least_share) return exchanged(one_sided(exchanged(here)));
    mixture<Lanes> const mixed(here, mixes_);
    Lanes const of_p = mixes_.share.template in<Lanes>(), of_q = mixes_.rest.template in<Lanes>();
    return {fma(of_p, kl_summand<T>(here.log_p, mixed.log_m, here.p, mixed.m),
                of_q * kl_summand<T>(here.log_q, mixed.log_m, here.q, mixed.m)),
            of_q * zero_safe_product(here.q, here.log_q - mixed.log_m),
            of_p * zero_safe_product(here.p, here.log_p - mixed.log_m)};
  }

 private:
  static DISTIL_INLINE summand<Lanes> one_sided(class_probabilities<Lanes> const& here) {
    Lanes const value = zero_safe_product(here.p, here.log_p - here.log_q);
    return {value, -here.p, value + here.p};
  }

  double mix_;
  mixing mixes_;
};

/// Classes that are not in common: those of a list, or all.
struct other_tokens {
  index const* classes;
  index count;

  [[nodiscard]] index operator[](index at) const { return classes != nullptr ? classes[at] : at; }
};
/// What a list of classes leaves of so many; refuses a class that is none, or is listed twice.
template <class Side>
[[nodiscard]] other_tokens tokens_beside(char const* where, char const* argument, label_view const& listed,
                                         index size) {
  if (listed.size() == 0) return {nullptr, size};
  index* const classes = simd::scratch<index, Side>(size);
  std::fill(classes, classes + size, index{0});
  for (index k = 0; k < listed.size(); ++k) {
    std::int64_t const id = listed[k];
    detail::require(
        id >= 0 && id < size, where, argument, [&] { return detail::said(id, " at ", k); },
        [&] { return detail::said("within [0, ", size, "), a class"); });
    detail::require(
        classes[id] == 0, where, argument, [&] { return detail::said(id, " a second time, at ", k); },
        "each class once");
    classes[id] = 1;
  }
  index count = 0;
  for (index id = 0; id < size; ++id) {
    if (classes[id] == 0) classes[count++] = id;
  }
  return {classes, count};
}

}  // namespace kernels
}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
