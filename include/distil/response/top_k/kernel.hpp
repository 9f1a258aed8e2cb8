#pragma once

#include "distil/response/top_k/tile.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// Rows of a divergence from a top-k teacher. One sweep takes the student's partition sum; what the policy makes of the
/// rest is then a problem of k classes, or k + 1 with the tail, and the gradient outside K is q_i times one number:
///
///   dL/dz_i = (psi_i - q_i sum psi) / T in K,   q_i (psi_tail / q_tail - sum psi) / T outside
///
/// The sweep writes the second everywhere, -q_i sum psi in K where each class outside has a psi of its own, and what K
/// differs by is a patch. Three cases need a second sweep, over what is
/// outside K: a tail of the student too small for 1 - sum over K of q (`distant`), policies that give each class outside a
/// mass of its own (`spreads_`), and a gradient of the temperature.
template <class T, class Function>
class top_k_kernel : public top_k_tile<T, Function> {
  using base = top_k_tile<T, Function>;
  using base::any_distant_, base::axis_, base::inverse_, base::log_each_tail_, base::log_sum_, base::pending_,
      base::refined_, base::rows_, base::sharpness_, base::spreads_, base::sum_, base::terms_,
      base::wants_derivative_;
  using typename base::terms_of;

 public:
  static constexpr bool exponentials = true;
  static constexpr bool keeps_exponentials = true;

  using operands = listed_marks<T>;
  using strips = typename operands::strips;
  using refinement = outside_sums<T, Function>;
  struct partial {
    lanes<T> exponentials{0};
  };

  template <class Term, class Student>
  DISTIL_INLINE top_k_kernel(Term const& term, Student const& student, simd::tile const& rows, lanes<T> scale)
      : base(term, student, rows, scale) {}

  [[nodiscard]] DISTIL_INLINE lanes<T> sharpness() const { return sharpness_; }

  DISTIL_INLINE void rescale(simd::running_maximum<T> const& student) { sum_ *= student.decay(sharpness_); }

  struct adds_exponentials {
    template <class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& z, strips const&, index,
                                  Keep const&) const {
      sums.exponentials += z.exponential;
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_exponentials summand() const { return {}; }
  DISTIL_INLINE void fold(partial const& sums) { sum_ += sums.exponentials; }
  DISTIL_INLINE void join(top_k_kernel const& other) { sum_ += other.sum_; }

  [[nodiscard]] DISTIL_INLINE bool refines() const { return pending_; }

  DISTIL_INLINE void refine(refinement& sums, lanes<T> centred, strips const& strip, index k) const {
    if (!pending_) return;
    lanes<T> const minus_infinity(-simd::infinity<T>);
    auto const outside = strip.outside(k, rows_);
    lanes<T> const log_q = select(outside, fma(centred, inverse_, -log_sum_), minus_infinity);
    lanes<T> const u = centred * inverse_;
    if (!spreads_ || wants_derivative_) sums.add_mass(log_q, u);
    if (!spreads_) return;
    lanes<T> const log_p = select(outside, log_each_tail_, minus_infinity);
    sums.add_class(terms_, log_p, log_q, u, wants_derivative_);
  }
  DISTIL_INLINE void fold_refined(refinement const& sums) {
    if (pending_) refined_.join(sums);
  }
  DISTIL_INLINE void join_refined(top_k_kernel const& other) { fold_refined(other.refined_); }

  [[nodiscard]] DISTIL_INLINE lanes<T> value() const {
    return base::factor_ * axis_.of_rows(base::value_of_.data());
  }
  [[nodiscard]] DISTIL_INLINE lanes<T> temperature_derivative() const {
    return base::factor_slope_ * axis_.of_rows(base::value_of_.data()) +
           base::factor_ * axis_.of_rows(base::slope_of_.data());
  }
  [[nodiscard]] DISTIL_INLINE lanes<T> teacher_temperature_derivative() const {
    return base::teacher_factor_slope_ * axis_.of_rows(base::value_of_.data()) +
           base::factor_ * axis_.of_rows(base::teacher_slope_of_.data());
  }

  [[nodiscard]] DISTIL_INLINE bool rereads() const { return base::rereads_; }

  struct block_gradient {
    terms_of terms;
    typename terms_of::outcome rows;
    typename base::rows_of_tile const& listed;
    bool spreads, any_distant;
    lanes<T> coefficient, scale, inverse, log_sum, log_each_tail, psi_each_tail, log_q_tail, psi_tail,
        distant;

    DISTIL_INLINE lanes<T> psi_of_each(lanes<T> log_q) const {
      if constexpr (terms_of::expects) return psi_each_tail;
      return terms.psi(log_each_tail, log_q, rows);
    }
    DISTIL_INLINE lanes<T> operator()(simd::student_register<T> const& z, strips const& strip, index k,
                                      simd::kept<T>) const {
      lanes<T> const of_softmax = coefficient * z.exponential;
      if (!strip.opened() || (!spreads && !any_distant)) return of_softmax;
      lanes<T> const log_q = fma(z.centred, inverse, -log_sum);
      if (spreads) {
        // What psi would be of a class in K, for a mass it does not have, may be infinite.
        lanes<T> const psi = select(strip.outside(k, listed), psi_of_each(log_q), lanes<T>(0));
        return of_softmax + scale * psi;
      }
      lanes<T> const share = exp_nonpositive(min(log_q - log_q_tail, lanes<T>(0)));
      return select(distant > lanes<T>(0), of_softmax + scale * psi_tail * share, of_softmax);
    }
  };
  [[nodiscard]] DISTIL_INLINE block_gradient gradient(lanes<T> decay, simd::kept<T>) const {
    lanes<T> psi_each_tail(0);
    if constexpr (terms_of::expects) psi_each_tail = terms_.psi(log_each_tail_, lanes<T>(0), {});
    return {terms_,
            base::outcome_of_tile(),
            rows_,
            spreads_,
            any_distant_,
            base::coefficient_ * decay,
            base::gradient_scale_,
            inverse_,
            log_sum_,
            log_each_tail_,
            psi_each_tail,
            axis_.of_rows(base::log_q_tail_of_.data()),
            axis_.of_rows(base::psi_tail_of_.data()),
            axis_.of_rows(base::distant_of_.data())};
  }

  template <class Term, class Target>
  DISTIL_INLINE void patch(Term const&, simd::tile const& rows, simd::block const& columns,
                           Target const& target) const {
    for (index r = 0; r < rows.rows; ++r) {
      auto const& row = rows_[static_cast<std::size_t>(r)];
      each_listed_in(row, columns, [&](index i, index column) { target.element(r, column) += row.psi[i]; });
    }
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
