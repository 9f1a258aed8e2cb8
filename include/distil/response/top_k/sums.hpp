#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "distil/response/divergence/sums.hpp"
#include "distil/response/top_k/row.hpp"

/// Divergences that are functions of several sums, where a teacher is sparse: the sums over K and over the classes outside
/// come one after the other, and the weights of their derivatives only once both are there.
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// A class as `divergence_sums` takes it, with log p and `u`, log q but for a constant, for moments.
template <class T>
struct sparse_class {
  lanes<T> log_p, log_q, p, q, u, v;

  DISTIL_INLINE sparse_class(lanes<T> of_p, lanes<T> of_q, lanes<T> scaled)
      : log_p(of_p), log_q(of_q), p(exp_nonpositive(of_p)), q(exp_nonpositive(of_q)), u(scaled), v(of_p) {}
  DISTIL_INLINE sparse_class(lanes<T> of_p, lanes<T> of_q) : sparse_class(of_p, of_q, of_q) {}
  DISTIL_INLINE operator class_probabilities<lanes<T>>() const { return {log_p, log_q, p, q}; }
};

/// The sums over some classes, and what of them counts once those of all classes are known.
template <class T, class Function>
class top_k_sums : public divergence_sums<T, Function> {
  using base = divergence_sums<T, Function>;
  using base::sums_, base::top_;

 public:
  using typename base::result;

  DISTIL_INLINE void add_class(Function const& function, sparse_class<T> const& at, bool derivatives) {
    base::add(function, at, derivatives);
  }

  /// The sums of one row of a tile, its classes along the lanes.
  [[nodiscard]] top_k_sums of_row(simd::axis way, std::size_t row) const {
    if (!way.across) return *this;
    top_k_sums one;
    auto const pick = [row](lanes<T> all, T nothing) {
      alignas(64) T each[static_cast<std::size_t>(lanes<T>::size)];
      all.store(each);
      T const mine = each[row];
      std::fill(each, each + lanes<T>::size, nothing);
      each[0] = mine;
      return lanes<T>::load(each);
    };
    for (std::size_t k = 0; k < result::count; ++k) {
      auto const& from = sums_[k];
      one.sums_[k] = {pick(from.value, T(0)), pick(from.psi, T(0)), pick(from.chi, T(0)),
                      pick(from.chi_v, T(0)), pick(from.psi_u, T(0))};
    }
    one.top_ = pick(top_, -simd::infinity<T>);
    return one;
  }

  /// These sums with the weights that the outcome of all classes gives them.
  [[nodiscard]] class_sum<T> weighted(result const& row) const {
    class_sum<T> total;
    for (std::size_t k = 0; k < result::count; ++k) {
      class_sum<T> part = sums_[k];
      lanes<T> weight = row.weights[k];
      if (k == result::plain) weight *= exp_nonpositive(relative_to_top(top_, row.log_sum));
      part.multiply(weight, [](lanes<T> a, lanes<T> b) { return zero_safe_product(a, b); });
      total.add(part);
    }
    return total;
  }
};

/// What the rows of a tile came to, each by itself, in the lanes of the tile: what `psi` takes of it.
template <class T, class Function, std::size_t Rows>
[[nodiscard]] divergence_of_sums<T, Function> outcome_of_rows(
    simd::axis way, std::array<divergence_of_sums<T, Function>, Rows> const& rows) {
  std::array<T, static_cast<std::size_t>(lanes<T>::size)> numbers{};
  auto const of_rows = [&](auto const& number) {
    for (std::size_t r = 0; r < Rows; ++r) numbers[r] = first_of(number(rows[r]));
    return way.of_rows(numbers.data());
  };
  divergence_of_sums<T, Function> tile;
  for (std::size_t k = 0; k < tile.weights.size(); ++k) {
    tile.weights[k] = of_rows([k](auto const& row) { return row.weights[k]; });
  }
  tile.log_sum = of_rows([](auto const& row) { return row.log_sum; });
  return tile;
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
