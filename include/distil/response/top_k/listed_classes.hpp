#pragma once

#include "distil/response/divergence/summands.hpp"
#include "distil/response/top_k/sums.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// What a class adds to a divergence, whichever way its Function says it: the one place that knows Functions where a
/// teacher is sparse.
template <class T, class Function>
struct class_terms {
  static constexpr bool expects = teacher_expectation<Function>;
  /// A function of several sums: value and derivatives come from what `top_k_sums` knows of the row.
  static constexpr bool several = !is_one_sum<Function>;
  static constexpr bool has_chi = expects || several || requires(Function const& function, lanes<T> x) {
    function.d_log_p(x, x);
  };
  /// f(0, q) is proportional to q, so that classes without a teacher's mass are one class. Said by the Function.
  static constexpr bool homogeneous = [] {
    if constexpr (requires { Function::homogeneous; }) {
      return static_cast<bool>(Function::homogeneous);
    } else {
      return expects;
    }
  }();

  struct nothing_known {};
  /// What the sums of a row say of its derivatives.
  using outcome = std::conditional_t<several, divergence_of_sums<T, Function>, nothing_known>;

  Function function;
  bool normalised;  ///< both sides sum to one, so that a KL can be summed without cancellation

  [[nodiscard]] DISTIL_INLINE lanes<T> value(lanes<T> log_p, lanes<T> log_q) const {
    if constexpr (expects) {
      lanes<T> const p = exp_nonpositive(log_p);
      if constexpr (requires { Function::is_kl; }) {
        if (normalised) return kl_summand<T>(log_p, log_q, p, exp_nonpositive(log_q));
      }
      return zero_safe_product(p, function.expectation(log_p, log_q));
    } else {
      auto const possible = (log_p != nowhere()) | (log_q != nowhere());
      return select(possible, function.value(log_p, log_q), lanes<T>(0));
    }
  }

  /// d value / d log q.
  [[nodiscard]] DISTIL_INLINE lanes<T> psi(lanes<T> log_p, lanes<T> log_q,
                                           [[maybe_unused]] outcome const& row) const {
    if constexpr (several) {
      auto const possible = (log_p != nowhere()) | (log_q != nowhere());
      return select(possible, row.psi(function, sparse_class<T>(log_p, log_q)), lanes<T>(0));
    } else if constexpr (expects) {
      return -exp_nonpositive(log_p);
    } else {
      auto const possible = (log_p != nowhere()) | (log_q != nowhere());
      return select(possible, function.d_log_q(log_p, log_q), lanes<T>(0));
    }
  }

  /// d value / d log p.
  [[nodiscard]] DISTIL_INLINE lanes<T> chi(lanes<T> log_p, lanes<T> log_q,
                                           [[maybe_unused]] outcome const& row) const {
    if constexpr (several) {
      return select(log_p != nowhere(), row.chi(function, sparse_class<T>(log_p, log_q)), lanes<T>(0));
    } else if constexpr (expects) {
      lanes<T> const zero(0),
          slope = function.expectation(lanes<T>(1), zero) - function.expectation(zero, zero);
      return zero_safe_product(exp_nonpositive(log_p), function.expectation(log_p, log_q) + slope);
    } else if constexpr (has_chi) {
      return select(log_p != nowhere(), function.d_log_p(log_p, log_q), lanes<T>(0));
    } else {
      return lanes<T>(0);
    }
  }

 private:
  static DISTIL_INLINE lanes<T> nowhere() { return lanes<T>(-simd::infinity<T>); }
};

/// The divergence of a few classes, side by side in arrays padded with -inf. psi is written.
template <class T>
struct listed_sums {
  T value, psi;
};
template <class T, class Function>
requires(!class_terms<T, Function>::several) listed_sums<T> over_classes(
    class_terms<T, Function> const& terms, T const* log_p, T const* log_q, T* psi, index size) {
  auto const [value, psi_sum] = sums_over<2, T>(size, [&](auto& sums, index at) {
    lanes<T> const log_p_here = lanes<T>::load(log_p + at), log_q_here = lanes<T>::load(log_q + at);
    lanes<T> const psi_here = terms.psi(log_p_here, log_q_here, {});
    sums[0] += terms.value(log_p_here, log_q_here);
    sums[1] += psi_here;
    psi_here.store(psi + at);
  });
  return {value, psi_sum};
}

/// The same for a function of several sums: these first, and psi once they say how.
template <class T, class Function>
top_k_sums<T, Function> sums_of_classes(class_terms<T, Function> const& terms, T const* log_p, T const* log_q,
                                        index size, bool derivatives) {
  top_k_sums<T, Function> total;
  constexpr index run = simd::longest_sum * lanes<T>::size;
  for (index first = 0; first < size; first += run) {
    top_k_sums<T, Function> part;
    for (index at = first; at < std::min(first + run, size); at += lanes<T>::size) {
      part.add_class(terms.function, {lanes<T>::load(log_p + at), lanes<T>::load(log_q + at)}, derivatives);
    }
    total.add(part);
  }
  return total;
}
template <class T, class Function>
void write_psi(class_terms<T, Function> const& terms, divergence_of_sums<T, Function> const& row,
               T const* log_p, T const* log_q, T* psi, index size) {
  for (index at = 0; at < size; at += lanes<T>::size) {
    terms.psi(lanes<T>::load(log_p + at), lanes<T>::load(log_q + at), row).store(psi + at);
  }
}

/// Their masses, and sums of logarithms under them.
template <class T>
struct listed_means {
  T q, q_log_q, p, p_log_p;
};
template <class T>
listed_means<T> means_of(T const* log_p, T const* log_q, index size) {
  auto const sum = sums_over<4, T>(size, [&](auto& sums, index at) {
    lanes<T> const log_p_here = lanes<T>::load(log_p + at), log_q_here = lanes<T>::load(log_q + at);
    lanes<T> const p = exp_nonpositive(log_p_here), q = exp_nonpositive(log_q_here);
    sums[0] += q;
    sums[1] += zero_safe_product(q, log_q_here);
    sums[2] += p;
    sums[3] += zero_safe_product(p, log_p_here);
  });
  return {sum[0], sum[1], sum[2], sum[3]};
}

/// What the derivative by the temperature needs of them: d log q / dT = -(log q - E_q log q) / T, and the same for p.
template <class T>
struct listed_moments {
  T psi_log_q, chi_log_p;  ///< logarithms from their means
};
template <class T, class Function>
listed_moments<T> moments_of(class_terms<T, Function> const& terms,
                             typename class_terms<T, Function>::outcome const& row, T const* log_p,
                             T const* log_q, T const* psi, index size, T mean_log_p, T mean_log_q) {
  lanes<T> const mean_p(mean_log_p), mean_q(mean_log_q);
  auto const sum = sums_over<2, T>(size, [&](auto& sums, index at) {
    lanes<T> const log_p_here = lanes<T>::load(log_p + at), log_q_here = lanes<T>::load(log_q + at);
    sums[0] += zero_safe_product(lanes<T>::load(psi + at), log_q_here - mean_q);
    sums[1] += zero_safe_product(terms.chi(log_p_here, log_q_here, row), log_p_here - mean_p);
  });
  return {sum[0], sum[1]};
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
