#pragma once

#include <algorithm>
#include <cmath>

#include "distil/core/contract.hpp"
#include "distil/simd/vectors.hpp"

namespace distil {

/// How a transport loss is differentiated.
enum class transport_gradient {
  exact,  ///< through all iterations: the derivative of the value that is returned
  fixed_plan  ///< envelope theorem: the derivative of cost less epsilon * entropy at the optimum, as if it were reached
};

namespace detail {

/// What transport losses have in common.
inline void require_transport(char const* where, double epsilon, int iterations,
                              transport_gradient gradient) {
  require(epsilon >= 1e-3 && epsilon <= 1e3, where, "epsilon", epsilon, "within [1e-3, 1e3]");
  require(iterations >= 1 && iterations <= 1000, where, "iterations", iterations, "within [1, 1000]");
  require(gradient == transport_gradient::exact || gradient == transport_gradient::fixed_plan, where,
          "gradient", static_cast<int>(gradient),
          "transport_gradient::exact or transport_gradient::fixed_plan");
}

}  // namespace detail

}  // namespace distil

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;

/// Optimal transport between masses a of the rows and b of the columns of a cost matrix M, smoothed by epsilon times
/// the entropy of the plan (Sinkhorn's iteration), in the logarithms of the scalings u and v of P = diag(u) e^(-M /
/// epsilon) diag(v), so that nothing underflows:
///
///   log v = log b - tau, tau_j = log sum_i e^(log u_i - N_ij)       N = M / epsilon, at first log u = log a
///   log u = log a - sigma, sigma_i = log sum_j e^(log v_j - N_ij)
///
/// The value is sum P M. Going back through the iterations costs as much again, and the sums of each to remember.
template <class T>
class transport_solver {
 public:
  /// Numbers of memory that a problem takes, besides its cost.
  static index memory(index rows, index columns, index iterations) {
    return (iterations + 5) * (rows + columns);
  }

  /// `scaled_cost` is M / epsilon, contiguous. Fill `log_rows()` and `log_columns()` with the logarithms of the
  /// masses.
  transport_solver(T const* scaled_cost, index rows, index columns, T epsilon, index iterations, T* numbers)
      : cost_(scaled_cost), rows_(rows), columns_(columns), iterations_(iterations), epsilon_(epsilon) {
    auto const take = [&numbers](index count) {
      T* const taken = numbers;
      numbers += count;
      return taken;
    };
    log_a_ = take(rows), log_u_ = take(rows), of_u_ = take(rows), of_a_ = take(rows);
    log_b_ = take(columns), log_v_ = take(columns), of_v_ = take(columns);
    sigma_ = take(iterations * rows), tau_ = take(iterations * columns);
  }

  [[nodiscard]] T* log_rows() const { return log_a_; }
  [[nodiscard]] T* log_columns() const { return log_b_; }

  /// Iterates; gives the cost of the plan.
  double solve() const {
    std::copy(log_a_, log_a_ + rows_, log_u_);
    for (index k = 0; k < iterations_; ++k) {
      T* const tau = tau_ + k * columns_;
      T* const sigma = sigma_ + k * rows_;
      sum_columns(tau);
      subtract(log_b_, tau, columns_, log_v_);
      for (index i = 0; i < rows_; ++i) sigma[i] = sum_row(i);
      subtract(log_a_, sigma, rows_, log_u_);
    }
    double value = 0.0;
    for (index i = 0; i < rows_; ++i) {
      value += static_cast<double>(simd::sum_of<T>(
          columns_, [&](auto place) { return plan(i, place) * (place.load(row(i)) * lanes<T>(epsilon_)); }));
    }
    return value;
  }

  /// The derivative by the cost, overwritten: [rows, columns], contiguous.
  void differentiate_by_cost(transport_gradient way, T* by_cost) const {
    for (index i = 0; i < rows_; ++i) {
      simd::for_each_register<T>(columns_, [&](auto place) {
        lanes<T> const p = plan(i, place);
        lanes<T> const slope = way == transport_gradient::exact ? p * (lanes<T>(1) - place.load(row(i))) : p;
        place.store(slope, by_cost + i * columns_);
      });
    }
    if (way == transport_gradient::exact) go_back<true>(by_cost);
  }

  /// The derivative by the logarithms of the masses of the rows.
  [[nodiscard]] T const* differentiate_by_log_rows(transport_gradient way) const {
    if (way == transport_gradient::exact) {
      go_back<false>(nullptr);
    } else {
      for (index i = 0; i < rows_; ++i) {
        T const mass = std::exp(log_a_[i]);
        of_a_[i] = mass == T(0) ? T(0) : mass * epsilon_ * log_u_[i];
      }
    }
    return of_a_;
  }

 private:
  static constexpr index strip = 128;

  [[nodiscard]] T const* row(index i) const { return cost_ + i * columns_; }

  /// e^x of what is at most 0 but for rounding.
  static DISTIL_INLINE lanes<T> share(lanes<T> x) {
    return exp_nonpositive(select(x > lanes<T>(0), lanes<T>(0), x));  // a NaN stays
  }

  template <class Place>
  DISTIL_INLINE lanes<T> plan(index i, Place place) const {
    return share(lanes<T>(log_u_[i]) + place.load(log_v_) - place.load(row(i)));
  }

  static void subtract(T const* log_mass, T const* log_sum, index size, T* to) {
    for (index i = 0; i < size; ++i) {
      to[i] = log_mass[i] == -simd::infinity<T> ? -simd::infinity<T> : log_mass[i] - log_sum[i];
    }
  }

  [[nodiscard]] T sum_row(index i) const {
    T const* const cost = row(i);
    lanes<T> top(-simd::infinity<T>);
    simd::for_each_register<T>(columns_, [&](auto place) {
      top = max(top, place.only(place.load(log_v_) - place.load(cost), -simd::infinity<T>));
    });
    lanes<T> const largest = simd::max_across(top);
    T const sum = simd::sum_of<T>(
        columns_, [&](auto place) { return share(place.load(log_v_) - place.load(cost) - largest); });
    return simd::first_of(largest) + std::log(sum);
  }

  void sum_columns(T* tau) const {
    for (index first = 0; first < columns_; first += strip) {
      index const width = std::min(strip, columns_ - first);
      alignas(64) T top[strip], sum[strip] = {};
      std::fill(top, top + strip, -simd::infinity<T>);
      for (index i = 0; i < rows_; ++i) {
        lanes<T> const own(log_u_[i]);
        simd::for_each_register<T>(width, [&](auto place) {
          place.store(max(place.load(top), own - place.load(row(i) + first)), top);
        });
      }
      for (index i = 0; i < rows_; ++i) {
        lanes<T> const own(log_u_[i]);
        simd::for_each_register<T>(width, [&](auto place) {
          place.store(place.load(sum) + share(own - place.load(row(i) + first) - place.load(top)), sum);
        });
      }
      for (index j = 0; j < width; ++j) tau[first + j] = top[j] + std::log(sum[j]);
    }
  }

  template <bool ByCost>
  void go_back(T* by_cost) const {
    lanes<T> const inverse(T(1) / epsilon_);
    // From the cost of the plan to the logarithms of its scalings.
    std::fill(of_v_, of_v_ + columns_, T(0));
    std::fill(of_a_, of_a_ + rows_, T(0));
    for (index i = 0; i < rows_; ++i) {
      of_u_[i] = simd::sum_of<T>(columns_, [&](auto place) {
        lanes<T> const part = plan(i, place) * (place.load(row(i)) * lanes<T>(epsilon_));
        place.store(place.load(of_v_) + part, of_v_);
        return part;
      });
    }
    for (index k = iterations_ - 1; k >= 0; --k) {
      T const* const tau = tau_ + k * columns_;
      T const* const sigma = sigma_ + k * rows_;
      subtract(log_b_, tau, columns_, log_v_);
      if (k > 0) {
        subtract(log_a_, sigma - rows_, rows_, log_u_);
      } else {
        std::copy(log_a_, log_a_ + rows_, log_u_);
      }
      for (index i = 0; i < rows_; ++i) {  // log u = log a - sigma(log v, N)
        of_a_[i] += of_u_[i];
        lanes<T> const own(of_u_[i]), sum(sigma[i]);
        simd::for_each_register<T>(columns_, [&](auto place) {
          lanes<T> const pull = own * share(place.load(log_v_) - place.load(row(i)) - sum);
          place.store(place.load(of_v_) - pull, of_v_);
          if constexpr (ByCost) {
            T* const to = by_cost + i * columns_;
            place.store(fma(pull, inverse, place.load(to)), to);
          }
        });
      }
      for (index i = 0; i < rows_; ++i) {  // log v = log b - tau(log u, N)
        lanes<T> const own(log_u_[i]);
        of_u_[i] = -simd::sum_of<T>(columns_, [&](auto place) {
          lanes<T> const pull = place.load(of_v_) * share(own - place.load(row(i)) - place.load(tau));
          if constexpr (ByCost) {
            T* const to = by_cost + i * columns_;
            place.store(fma(pull, inverse, place.load(to)), to);
          }
          return pull;
        });
      }
      std::fill(of_v_, of_v_ + columns_, T(0));
    }
    for (index i = 0; i < rows_; ++i) of_a_[i] += of_u_[i];  // at first log u = log a
  }

  T const* cost_;
  index rows_, columns_, iterations_;
  T epsilon_;
  T *log_a_, *log_u_, *of_u_, *of_a_, *log_b_, *log_v_, *of_v_, *sigma_, *tau_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
