#pragma once

#include "distil/response/top_k/listed_classes.hpp"
#include "distil/sweep/kernel.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// Calls with the place in the row's arrays, and within the block of a sweep, of each listed class.
template <class T, class Each>
DISTIL_INLINE void each_listed_in(top_k_row<T> const& row, simd::block const& here, Each const& each) {
  auto const* const last = row.classes + row.support;
  auto const* at = std::partition_point<detail::listed_class const*>(
      row.classes, last, [&](detail::listed_class one) { return one.column < here.first_column; });
  for (; at != last && at->column < here.first_column + here.columns; ++at) {
    each(at - row.classes, at->column - here.first_column);
  }
}

/// Which classes of a block no entry lists, made when somebody asks: most sweeps do not.
template <class T>
class listed_marks {
  static constexpr index lane_count = lanes<T>::size;

 public:
  /// Registers of one block from `first` on.
  struct strips {
    listed_marks* marks = nullptr;
    index first = 0;
    [[nodiscard]] DISTIL_INLINE strips from(index k, bool) const { return {marks, first + k}; }

    /// False in a sweep that does not look at the rows again.
    [[nodiscard]] DISTIL_INLINE bool opened() const { return marks != nullptr; }

    /// True where a class is neither listed nor past the last.
    template <class Rows>
    [[nodiscard]] DISTIL_INLINE simd::mask<T> outside(index k, Rows const& rows) const {
      if (!marks->made_) marks->make(rows);
      return lanes<T>::load(marks->listed_ + (first + k) * lane_count) == lanes<T>(0);
    }
  };

  template <class Term>
  listed_marks(simd::axis way, Term const&) : axis_(way) {}

  DISTIL_INLINE strips open(simd::tile const&, simd::block const& here) {
    here_ = here;
    made_ = false;
    return {this, 0};
  }

 private:
  template <class Rows>
  void make(Rows const& rows) {
    std::fill(listed_, listed_ + here_.steps * lane_count, T(0));
    if (!axis_.across) {
      std::fill(listed_ + here_.columns, listed_ + here_.steps * lane_count, T(1));
    }
    for (index row = 0; row < axis_.tile_rows<T>(); ++row) {
      each_listed_in(rows[static_cast<std::size_t>(row)], here_,
                     [&](index, index column) { listed_[axis_.at(row, column, lane_count)] = T(1); });
    }
    made_ = true;
  }

  simd::axis axis_;
  simd::block here_{};
  bool made_ = false;
  alignas(64) T listed_[simd::block_elements];
};

/// Sums over the classes outside K, which only a second sweep can give: of the whole tail relative to its own largest
/// class, so that the mass a student leaves it may be as small as it likes, or class by class. Moments are of u, the scaled
/// distance from the row's largest logit, which is log q but for a constant and small where log q rounds.
template <class T, class Function>
struct outside_sums {
  // e^(log q - top), and times u
  lanes<T> top{-simd::infinity<T>}, q{0}, q_u{0};
  // of f at the same log p for each
  lanes<T> value{0}, psi{0}, psi_u{0}, chi{0};
  // instead of them, for a function of several sums
  std::conditional_t<class_terms<T, Function>::several, top_k_sums<T, Function>, simd::nothing> several = {};

  DISTIL_INLINE void add_class(class_terms<T, Function> const& terms, lanes<T> log_p, lanes<T> log_q,
                               lanes<T> u, bool derivatives) {
    if constexpr (class_terms<T, Function>::several) {
      several.add_class(terms.function, {log_p, log_q, u}, derivatives);
    } else {
      lanes<T> const psi_here = terms.psi(log_p, log_q, {});
      value += terms.value(log_p, log_q);
      psi += psi_here;
      if (!derivatives) return;
      psi_u += zero_safe_product(psi_here, u);
      chi += terms.chi(log_p, log_q, {});
    }
  }

  DISTIL_INLINE void add_mass(lanes<T> log_q, lanes<T> u) {
    outside_sums one;
    one.top = log_q;
    one.q = select(log_q == lanes<T>(-simd::infinity<T>), lanes<T>(0), lanes<T>(1));
    one.q_u = zero_safe_product(one.q, u);
    join_mass(one);
  }
  DISTIL_INLINE void join_mass(outside_sums const& other) {
    lanes<T> const before = top;
    top = max(top, other.top);
    lanes<T> const shift = simd::running_maximum<T>::finite(top);
    lanes<T> const mine = exp_nonpositive(before - shift), others = exp_nonpositive(other.top - shift);
    q = mine * q + others * other.q;
    q_u = mine * q_u + others * other.q_u;
  }
  DISTIL_INLINE void join(outside_sums const& other) {
    join_mass(other);
    value += other.value;
    psi += other.psi;
    psi_u += other.psi_u;
    chi += other.chi;
    if constexpr (class_terms<T, Function>::several) several.add(other.several);
  }
  /// Over all lanes, where a row has them; but for `several`, see there.
  [[nodiscard]] DISTIL_INLINE outside_sums of_rows(simd::axis way) const {
    outside_sums all;
    all.top = way.max(top);
    lanes<T> const decay = exp_nonpositive(top - simd::running_maximum<T>::finite(all.top));
    all.q = way.sum(decay * q);
    all.q_u = way.sum(decay * q_u);
    all.value = way.sum(value);
    all.psi = way.sum(psi);
    all.psi_u = way.sum(psi_u);
    all.chi = way.sum(chi);
    return all;
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
