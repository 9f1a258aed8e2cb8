#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "distil/response/divergence/function.hpp"
#include "distil/sweep/axes.hpp"

/// The sums over classes that the Function of a divergence asks for, register by register, and what they come to. Written
/// once for every kernel that has log-probabilities of both sides.
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;
using simd::mask;

template <class Function, class T = float>
concept function_by_class = requires(Function const& function, class_probabilities<lanes<T>> here) {
  function.at(here);
};
template <class Function, class T = float>
concept function_with_logarithm = requires(Function const& function, class_probabilities<lanes<T>> here) {
  function.log_at(here);
};
template <class Function, class T = float>
concept function_by_log_p = function_by_class<Function, T> || requires(Function const& function, lanes<T> x) {
  function.d_log_p(x, x);
};

/// A Function as a kernel holds it: for a tile of rows, if it looks at whole rows first (see adaptive_kl.hpp).
template <class T, class Function>
struct function_in_rows {
  using type = Function;
};
template <class T, class Function>
requires requires { typename Function::template in_rows<T>; }
struct function_in_rows<T, Function> {
  using type = typename Function::template in_rows<T>;
};

/// Every Function's summands at a class.
template <class Function, class Lanes>
DISTIL_INLINE auto summands_at(Function const& function, class_probabilities<Lanes> const& here) {
  using T = typename Lanes::value_type;
  if constexpr (function_by_class<Function, T>) {
    using found = decltype(function.at(here));
    // A copy of several would be one of memory.
    if constexpr (std::is_same_v<found, summand<Lanes>>) {
      return std::array<found, 1>{function.at(here)};
    } else {
      return function.at(here);
    }
  } else {
    summand<Lanes> result{function.value(here.log_p, here.log_q), function.d_log_q(here.log_p, here.log_q),
                          Lanes(0)};
    if constexpr (function_by_log_p<Function, T>) result.d_log_p = function.d_log_p(here.log_p, here.log_q);
    return std::array<summand<Lanes>, 1>{result};
  }
}

template <class Function, class T>
inline constexpr std::size_t plain_sums_of =
    decltype(summands_at(std::declval<Function const&>(), class_probabilities<lanes<T>>{})){}.size();

/// Calls `each` with the numbers below Count as constants: what loops take from arrays stays in memory.
template <std::size_t Count, class Each>
DISTIL_INLINE void each_number(Each const& each) {
  [&]<std::size_t... K>(std::index_sequence<K...>) { (each(std::integral_constant<std::size_t, K>()), ...); }
  (std::make_index_sequence<Count>());
}

/// The sum over classes of one summand, of its derivatives psi by log q and chi by log p, and of these times u and v,
/// which dL/dT is made of (see two_sided_kernel.hpp).
template <class T>
struct class_sum {
  lanes<T> value{0}, psi{0}, chi{0}, chi_v{0}, psi_u{0};

  DISTIL_INLINE void add(class_sum const& other) {
    value += other.value;
    psi += other.psi;
    chi += other.chi;
    chi_v += other.chi_v;
    psi_u += other.psi_u;
  }
  /// `product` of a factor and each; with zero_safe_product a factor of 0 silences what is infinite, or NaN.
  template <class Product>
  DISTIL_INLINE void multiply(lanes<T> factor, Product product) {
    value = product(factor, value);
    psi = product(factor, psi);
    chi = product(factor, chi);
    chi_v = product(factor, chi_v);
    psi_u = product(factor, psi_u);
  }
  DISTIL_INLINE void add_moments(lanes<T> d_log_p, lanes<T> d_log_q, lanes<T> u, lanes<T> v) {
    chi += d_log_p;
    chi_v += zero_safe_product(d_log_p, v);
    psi_u += zero_safe_product(d_log_q, u);
  }
};

/// x - top for exponentials: 0 at the top itself, though it be +inf, and -inf below a top of -inf.
template <class T>
DISTIL_INLINE lanes<T> relative_to_top(lanes<T> x, lanes<T> top) {
  lanes<T> const shift = select(top == lanes<T>(-simd::infinity<T>), lanes<T>(0), top);
  return select(x == shift, lanes<T>(0), x - shift);
}

/// What the sums of a row come to: the divergence, the weight of each summand, and what psi and dL/dT need of it.
template <class T, class Function>
struct divergence_of_sums {
  static constexpr bool has_logarithm = function_with_logarithm<Function, T>;
  static constexpr bool has_outcome = has_logarithm || plain_sums_of<Function, T> != 1 ||
                                      requires(Function const& function, std::array<lanes<T>, 1> sums) {
    function.outcome(sums);
  };
  static constexpr std::size_t plain = plain_sums_of<Function, T>;
  static constexpr std::size_t count = plain + (has_logarithm ? 1 : 0);

  lanes<T> value{0};
  class_sum<T> total;  ///< weighted; psi over all lanes, the others lane by lane
  std::array<lanes<T>, count> weights;
  lanes<T> log_sum{0};

  /// The derivative by log q at a class.
  DISTIL_INLINE lanes<T> psi(Function const& function, class_probabilities<lanes<T>> const& here) const {
    return derivative(function, here, [](auto const& part) { return part.d_log_q; });
  }
  /// That by log p.
  DISTIL_INLINE lanes<T> chi(Function const& function, class_probabilities<lanes<T>> const& here) const {
    return derivative(function, here, [](auto const& part) { return part.d_log_p; });
  }

 private:
  template <class Of>
  DISTIL_INLINE lanes<T> derivative(Function const& function, class_probabilities<lanes<T>> const& here,
                                    Of const& of) const {
    auto const parts = summands_at(function, here);
    if constexpr (!has_outcome) {
      return of(parts[0]);
    } else {
      lanes<T> sum(0);
      each_number<plain>([&](auto k) { sum += zero_safe_product(weights[k], of(parts[k])); });
      if constexpr (has_logarithm) {
        auto const part = function.log_at(here);
        sum += weights[plain] *
               zero_safe_product(exp_nonpositive(relative_to_top(part.exponent, log_sum)), of(part));
      }
      return sum;
    }
  }
};

/// Whether the divergence is the sum over classes itself.
template <class Function>
inline constexpr bool is_one_sum = !divergence_of_sums<float, Function>::has_outcome;
template <teacher_expectation Function>
inline constexpr bool is_one_sum<Function> = true;

template <class T, class Function>
class divergence_sums {
 public:
  using result = divergence_of_sums<T, Function>;

  /// `here` has log_p, log_q, p, q, and for `derivatives` u and v, too. A class that neither side can choose counts for
  /// nothing. Gives psi of the first sum.
  template <class Class>
  DISTIL_INLINE lanes<T> add(Function const& function, Class const& here, bool derivatives) {
    lanes<T> const impossible(-simd::infinity<T>);
    mask<T> const nowhere = (here.log_p == impossible) & (here.log_q == impossible);
    class_probabilities<lanes<T>> const of_class{here.log_p, here.log_q, here.p, here.q};
    auto const parts = summands_at(function, of_class);
    lanes<T> of_first(0);
    each_number<result::plain>([&](auto k) {
      sums_[k].value += zero_where(nowhere, parts[k].value);
      lanes<T> const psi = zero_where(nowhere, parts[k].d_log_q);
      sums_[k].psi += psi;
      if constexpr (k == 0) of_first = psi;
      if (derivatives) {
        sums_[k].add_moments(zero_where(nowhere, parts[k].d_log_p), psi, here.u, here.v);
      }
    });
    if constexpr (result::has_logarithm) {
      auto const part = function.log_at(of_class);
      lanes<T> const exponent = select(nowhere, impossible, part.exponent);
      if (any(exponent > top_)) raise(max(top_, exponent));
      class_sum<T>& sum = sums_[result::plain];
      lanes<T> const weight = exp_nonpositive(relative_to_top(exponent, top_));
      lanes<T> const psi = zero_safe_product(weight, part.d_log_q);
      sum.value += weight;
      sum.psi += psi;
      if (derivatives) sum.add_moments(zero_safe_product(weight, part.d_log_p), psi, here.u, here.v);
    }
    return of_first;
  }

  DISTIL_INLINE void add(divergence_sums other) {
    if constexpr (result::has_logarithm) {
      lanes<T> const top = max(top_, other.top_);
      raise(top);
      other.raise(top);
    }
    for (std::size_t k = 0; k < result::count; ++k) sums_[k].add(other.sums_[k]);
  }

  [[nodiscard]] DISTIL_INLINE result close(simd::axis way, Function const& function) {
    result row;
    if constexpr (!result::has_outcome) {
      row.value = way.sum(sums_[0].value);
      row.total = sums_[0];
      row.total.psi = way.sum(row.total.psi);
    } else {
      if constexpr (result::has_logarithm) raise(way.max(top_));
      std::array<lanes<T>, result::count> complete;
      for (std::size_t k = 0; k < result::count; ++k) complete[k] = way.sum(sums_[k].value);
      if constexpr (result::has_logarithm) {
        lanes<T>& last = complete[result::plain];
        row.log_sum = top_ + log(last);
        sums_[result::plain].multiply(zero_where(last == lanes<T>(0), lanes<T>(1) / last), plain_product);
        last = row.log_sum;
      }
      auto const outcome = function.outcome(complete);
      row.value = outcome.value;
      row.weights = outcome.weights;
      for (std::size_t k = 0; k < result::count; ++k) {
        class_sum<T> weighted = sums_[k];
        weighted.multiply(row.weights[k],
                          [](lanes<T> weight, lanes<T> sum) { return zero_safe_product(weight, sum); });
        weighted.psi = way.sum(weighted.psi);
        row.total.add(weighted);
      }
    }
    // A row whose sum of psi is infinite has no gradient that numbers could hold.
    row.total.psi += row.total.psi - row.total.psi;
    return row;
  }

 protected:
  static DISTIL_INLINE lanes<T> plain_product(lanes<T> a, lanes<T> b) { return a * b; }

  DISTIL_INLINE void raise(lanes<T> top) {
    sums_[result::plain].multiply(exp_nonpositive(relative_to_top(top_, top)), plain_product);
    top_ = top;
  }

  std::array<class_sum<T>, result::count> sums_;
  lanes<T> top_{-simd::infinity<T>};
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
