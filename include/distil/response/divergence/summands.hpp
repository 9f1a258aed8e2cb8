#pragma once

#include <limits>
#include <type_traits>

#include "distil/response/divergence/function.hpp"
#include "distil/simd/logarithm.hpp"

/// Summands that several divergences share. Each vanishes with the difference of both sides, instead of cancelling with
/// others over the row.
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;

/// Sum q * phi(log p - log q) with phi(r) = r e^r - expm1(r) >= 0 is KL(p || q) without cancellation: every summand is
/// >= 0. Near 0 by its series sum r^k (k - 1) / k!, elsewhere as p (r - 1) + q.
template <class T>
DISTIL_INLINE lanes<T> kl_summand(lanes<T> log_p, lanes<T> log_q, lanes<T> p, lanes<T> q) {
  constexpr T coefficients[] = {T(1) / 2,      T(1) / 3,       T(1) / 8,        T(1) / 30,
                                T(1) / 144,    T(1) / 840,     T(1) / 5760,     T(1) / 45360,
                                T(1) / 403200, T(1) / 3991680, T(1) / 43545600, T(1) / 518918400};
  constexpr int terms = sizeof(T) == sizeof(float) ? 7 : 12;
  lanes<T> const r = log_p - log_q;
  lanes<T> series(coefficients[terms - 1]);
  for (int k = terms - 2; k >= 0; --k) series = fma(series, r, lanes<T>(coefficients[k]));
  lanes<T> const distant = zero_safe_product(p, r - lanes<T>(1)) + q;
  return select(abs(r) < lanes<T>(0.25), q * r * r * series, distant);
}

/// The same class with teacher and student exchanged, and a summand of it for the right sides again.
template <class Lanes>
DISTIL_INLINE class_probabilities<Lanes> exchanged(class_probabilities<Lanes> const& here) {
  return {here.log_q, here.log_p, here.q, here.p};
}
template <class Lanes>
DISTIL_INLINE summand<Lanes> exchanged(summand<Lanes> const& of) {
  return {of.value, of.d_log_p, of.d_log_q};
}

/// KL(p || q) as p r - p + q >= 0, r = log p - log q.
template <class Lanes>
DISTIL_INLINE summand<Lanes> forward_summand(class_probabilities<Lanes> const& here) {
  using T = typename Lanes::value_type;
  return {kl_summand<T>(here.log_p, here.log_q, here.p, here.q), here.q - here.p,
          zero_safe_product(here.p, here.log_p - here.log_q)};
}

/// KL(q || p).
template <class Lanes>
DISTIL_INLINE summand<Lanes> reverse_summand(class_probabilities<Lanes> const& here) {
  return exchanged(forward_summand(exchanged(here)));
}

/// |p - q| / 2, with the derivative 0 between equal probabilities.
template <class Lanes>
DISTIL_INLINE summand<Lanes> total_variation_summand(class_probabilities<Lanes> const& here) {
  Lanes const half_sign =
      select(here.log_q > here.log_p, Lanes(0.5), select(here.log_q < here.log_p, Lanes(-0.5), Lanes(0)));
  return {Lanes(0.5) * abs(here.p - here.q), half_sign * here.q, -half_sign * here.p};
}

/// A number of a Function in both types: what is converted at each class does not leave a loop with conditions, since a
/// conversion may trap.
class number_in_loops {
 public:
  constexpr number_in_loops(double number) : in_double_(number), in_float_(static_cast<float>(number)) {}
  template <class Lanes>
  [[nodiscard]] DISTIL_INLINE Lanes in() const {
    return std::is_same_v<typename Lanes::value_type, float> ? Lanes(in_float_) : Lanes(in_double_);
  }

 private:
  double in_double_;
  float in_float_;
};

/// Both shares of a mixture, and what its derivatives are multiplied by.
struct mixing {
  number_in_loops share, rest, product, share_squared, rest_squared;
  constexpr explicit mixing(double of_p)
      : share(of_p),
        rest(1.0 - of_p),
        product(of_p * (1.0 - of_p)),
        share_squared(of_p * of_p),
        rest_squared((1.0 - of_p) * (1.0 - of_p)) {}
};

/// m = share * p + (1 - share) * q and its logarithm; where both p and q are less than the smallest normal number, that
/// of this one, which is multiplied by nothing larger.
template <class Lanes>
struct mixture {
  Lanes m, at_least, log_m;

  DISTIL_INLINE mixture(class_probabilities<Lanes> const& here, mixing const& of)
      : m(fma(of.share.in<Lanes>(), here.p, of.rest.in<Lanes>() * here.q)),
        at_least(select(m < Lanes(smallest), Lanes(smallest), m)),
        log_m(log_normal(at_least)) {}

  /// By it as a factor.
  [[nodiscard]] DISTIL_INLINE Lanes inverse() const { return Lanes(1) / at_least; }

  static constexpr auto smallest = std::numeric_limits<typename Lanes::value_type>::min();
};

/// A share of a mixture that is less counts as 0: quotients of probabilities leave the range of numbers.
inline constexpr double least_share = 1e-30;

/// With all of the other side in the mixture nothing would be left to learn.
inline void require_skew(char const* where, double skew) {
  detail::require(skew >= 0.0 && skew < 1.0, where, "skew", skew,
                  "within [0, 1), the loss is 0 at 1: for KL(teacher || student) use forward_kl, for "
                  "KL(student || teacher) reverse_kl");
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
