#pragma once

#include <functional>

#include "distil/response/top_k_outside.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// Rows of a divergence from a top-k teacher. One sweep takes the student's partition sum; what the policy makes of the
/// rest is then a problem of k classes, or k + 1 with the tail, and the gradient outside K is q_i times one number:
///
///   dL/dz_i = (psi_i - q_i sum psi) / T in K,   q_i (psi_tail / q_tail - sum psi) / T outside
///
/// The sweep writes the second everywhere, and what K differs by is a patch. Three cases need a second sweep, over what is
/// outside K: a tail of the student too small for 1 - sum over K of q (`distant`), policies that give each class outside a
/// mass of its own (`spreads_`), and a gradient of the temperature.
template <class T, class Axis, class Function>
class top_k_kernel : public simd::kernel_defaults<T, Axis> {
  static constexpr std::size_t lane_count = static_cast<std::size_t>(lanes<T>::size);
  using terms_of = class_terms<T, Function>;
  using per_row = std::array<T, lane_count>;

 public:
  static constexpr bool exponentials = true;
  static constexpr bool keeps_exponentials = true;

  using operands = listed_marks<T, Axis>;
  using strips = typename operands::strips;
  using refinement = outside_sums<T>;
  struct partial {
    lanes<T> exponentials{0};
  };

  template <class Term, class Student>
  DISTIL_INLINE top_k_kernel(Term const& term, Student const&, simd::tile rows, lanes<T> scale)
      : tail_(*term.teacher.options.tail),
        terms_{term.function, tail_ != tail_policy::truncate},
        wants_derivative_(!term.temperature_gradient.empty()),
        teacher_moves_(term.teacher.moves()),
        spreads_(tail_ == tail_policy::uniform || tail_ == tail_policy::floor ||
                 (tail_ == tail_policy::renormalise_teacher && !terms_of::homogeneous)) {
    lanes<T> const temperature = Axis::per_row(rows, term.temperature, std::identity{});
    inverse_ = Axis::per_row(rows, term.temperature, [](double number) { return 1.0 / number; });
    sharpness_ = inverse_ * lanes<T>(simd::log2e);
    factor_ = term.squared ? temperature * temperature : lanes<T>(1);
    factor_slope_ = term.squared ? lanes<T>(2) * temperature : lanes<T>(0);
    gradient_scale_ = scale * (term.squared ? temperature : inverse_);
    index const k = term.teacher.ids.columns;
    std::size_t const bytes = top_k_row<T>::bytes(k);
    std::byte* memory = term.memory.memory(bytes * static_cast<std::size_t>(Axis::tile_rows));
    for (index r = 0; r < Axis::tile_rows; ++r, memory += bytes) {
      rows_[static_cast<std::size_t>(r)].place(memory, k);
    }
  }

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

  /// The rows that count: those that do not were not checked.
  template <class Term, class Student>
  void look_up(Term const& term, Student const& student, simd::tile rows) {
    for (index r = 0; r < rows.rows; ++r) {
      index const row = rows.first_row + r;
      if (!(term.weight_of(row).multiplier > 0.0)) continue;
      auto& here = rows_[static_cast<std::size_t>(r)];
      here.gather(term.teacher, student, row);
      if (here.support > 0) here.distribute(term.teacher, row, term.temperature[row]);
    }
  }

  void close(simd::running_maximum<T> const& student) {
    sum_ = Axis::sum(sum_);
    log_sum_ = Axis::log_of_rows(sum_);
    student.shift().store(shift_of_.data());
    sum_.store(sum_of_.data());
    log_sum_.store(log_sum_of_.data());
    inverse_.store(inverse_of_.data());
    sharpness_.store(sharpness_of_.data());
    per_row log_each_tail{};
    each_row([&](std::size_t r) {
      log_each_tail[r] = rows_[r].log_each_tail;
      if (tail_ == tail_policy::renormalise_both) {
        renormalise_student(r);
      } else {
        split_student(r);
      }
      evaluate(r);
    });
    log_each_tail_ = Axis::of_rows(log_each_tail.data());
    pending_ = spreads_ || wants_derivative_ || any_distant_;
    if (!pending_) finish();
  }

  [[nodiscard]] DISTIL_INLINE bool refines() const { return pending_; }

  DISTIL_INLINE void refine(refinement& sums, lanes<T> centred, strips const& strip, index k) const {
    if (!pending_) return;
    lanes<T> const minus_infinity(-simd::infinity<T>);
    auto const outside = strip.outside(k, rows_);
    lanes<T> const log_q = select(outside, fma(centred, inverse_, -log_sum_), minus_infinity);
    sums.add_mass(log_q);
    if (!spreads_) return;
    lanes<T> const log_p = select(outside, log_each_tail_, minus_infinity);
    lanes<T> const psi = terms_.psi(log_p, log_q);
    sums.value += terms_.value(log_p, log_q);
    sums.psi += psi;
    if (wants_derivative_) {
      sums.psi_log_q += zero_safe_product(psi, log_q);
      sums.chi += terms_.chi(log_p, log_q);
    }
  }
  DISTIL_INLINE void fold_refined(refinement const& sums) {
    if (pending_) refined_.join(sums);
  }
  DISTIL_INLINE void join_refined(top_k_kernel const& other) { fold_refined(other.refined_); }

  void close_refined() {
    if (!pending_) return;
    refinement const sums = refined_.template of_rows<Axis>();
    per_row top, q, q_log_q, value, psi, psi_log_q, chi;
    sums.top.store(top.data());
    sums.q.store(q.data());
    sums.q_log_q.store(q_log_q.data());
    sums.value.store(value.data());
    sums.psi.store(psi.data());
    sums.psi_log_q.store(psi_log_q.data());
    sums.chi.store(chi.data());
    each_row([&](std::size_t r) {
      T const log_mass = q[r] > T(0) ? top[r] + std::log(q[r]) : -simd::infinity<T>;
      if (distant_of_[r] > T(0)) {
        auto& row = rows_[r];
        row.log_q[row.support] = log_mass;
        // No class is left, and what the teacher's tail seems to have is rounding.
        bool const rounding =
            row.tail_is_rest && std::exp(row.log_tail) <= 16 * std::numeric_limits<T>::epsilon();
        if (!(q[r] > T(0)) && rounding) row.log_p[row.support] = -simd::infinity<T>;
        evaluate(r);
      }
      if (spreads_) {
        value_of_[r] += value[r];
        psi_sum_of_[r] += psi[r];
      }
      if (wants_derivative_) {
        T const mean = q[r] > T(0) ? q_log_q[r] / q[r] : T(0);  // of log q, outside K
        slope_of_[r] = slope(r, {mean, std::exp(log_mass), psi_log_q[r], chi[r]});
      }
    });
    finish();
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> value() const { return factor_ * Axis::of_rows(value_of_.data()); }
  [[nodiscard]] DISTIL_INLINE lanes<T> temperature_derivative() const {
    return factor_slope_ * Axis::of_rows(value_of_.data()) + factor_ * Axis::of_rows(slope_of_.data());
  }

  [[nodiscard]] DISTIL_INLINE bool rereads() const { return spreads_ || any_distant_; }

  struct block_gradient {
    terms_of terms;
    bool spreads, any_distant;
    lanes<T> coefficient, scale, inverse, log_sum, log_each_tail, log_q_tail, psi_tail, distant;

    DISTIL_INLINE lanes<T> operator()(simd::student_register<T> const& z, strips const&, index,
                                      simd::kept<T>) const {
      lanes<T> const of_softmax = coefficient * z.exponential;
      if (!spreads && !any_distant) return of_softmax;
      lanes<T> const log_q = fma(z.centred, inverse, -log_sum);
      if (spreads) return of_softmax + scale * terms.psi(log_each_tail, log_q);
      lanes<T> const share = exp_nonpositive(min(log_q - log_q_tail, lanes<T>(0)));
      return select(distant > lanes<T>(0), of_softmax + scale * psi_tail * share, of_softmax);
    }
  };
  [[nodiscard]] DISTIL_INLINE block_gradient gradient(lanes<T> decay, simd::kept<T>) const {
    return {terms_,
            spreads_,
            any_distant_,
            coefficient_ * decay,
            gradient_scale_,
            inverse_,
            log_sum_,
            log_each_tail_,
            Axis::of_rows(log_q_tail_of_.data()),
            Axis::of_rows(psi_tail_of_.data()),
            Axis::of_rows(distant_of_.data())};
  }

  template <class Term, class Target>
  DISTIL_INLINE void patch(Term const&, simd::tile rows, simd::block columns, Target const& target) const {
    for (index r = 0; r < rows.rows; ++r) {
      auto const& row = rows_[static_cast<std::size_t>(r)];
      each_listed_in(row, columns, [&](index i, index column) { target.element(r, column) += row.psi[i]; });
    }
  }

 private:
  struct outside_moments {
    T mean_log_q, q, psi_log_q, chi;
  };

  template <class Each>
  void each_row(Each const& each) {
    for (std::size_t r = 0; r < static_cast<std::size_t>(Axis::tile_rows); ++r) {
      if (rows_[r].support > 0) each(r);
    }
  }

  /// q of K alone, from the logits: it may have as little mass as it likes.
  void renormalise_student(std::size_t r) {
    auto& row = rows_[r];
    map(row, [&](lanes<T> logit) { return (logit - lanes<T>(shift_of_[r])) * lanes<T>(inverse_of_[r]); });
    T const log_mass = log_sum_of_exponentials(row.log_q, row.size);
    if (log_mass == -simd::infinity<T>) return;
    map(row, [&](lanes<T> u) { return u - lanes<T>(log_mass); });
  }

  /// q of K, and what is left. The mass is summed from the exponentials of the sweep, so that their rounding cancels.
  void split_student(std::size_t r) {
    auto& row = rows_[r];
    lanes<T> const shift(shift_of_[r]), sharpness(sharpness_of_[r]);
    auto const [mass] = sums_over<1, T>(row.size, [&](auto& sums, index at) {
      sums[0] += exp2_nonpositive((lanes<T>::load(row.log_q + at) - shift) * sharpness);
    });
    lanes<T> const inverse(inverse_of_[r]), minus_log_sum(-log_sum_of_[r]);
    map(row, [&](lanes<T> logit) { return fma(logit - shift, inverse, minus_log_sum); });
    bool const has_tail = row.outside > 0 && !spreads_ && tail_ != tail_policy::truncate;
    if (!has_tail) return;
    T const rest = (sum_of_[r] - mass) / sum_of_[r];
    row.log_p[row.support] = row.log_tail;
    row.log_q[row.support] = std::log(rest > T(0) || !(rest == rest) ? rest : T(0));
    // Small tails of the student have the rounding of the whole.
    bool const lost = !terms_of::expects && rest < 64 * std::numeric_limits<T>::epsilon();
    if (std::exp(row.log_tail) > 4 * rest || lost) {
      distant_of_[r] = T(1);
      any_distant_ = true;
    }
  }

  template <class Change>
  static DISTIL_INLINE void map(top_k_row<T>& row, Change const& change) {
    for (index at = 0; at < row.size; at += lanes<T>::size) {
      change(lanes<T>::load(row.log_q + at)).store(row.log_q + at);
    }
  }

  void evaluate(std::size_t r) {
    auto& row = rows_[r];
    auto const found = over_classes(terms_, row.log_p, row.log_q, row.psi, row.size);
    value_of_[r] = found.value + (log_sum_of_[r] - log_sum_of_[r]);  // NaN outside K, too
    psi_sum_of_[r] = found.psi;
    psi_tail_of_[r] = row.psi[row.support];
    log_q_tail_of_[r] = row.log_q[row.support];
  }

  /// dD/dT = -(1/T) (sum psi (log q - E_q log q) + sum chi (log p - E_p log p)), where a tail moves as its classes do.
  T slope(std::size_t r, outside_moments const& outside) {
    auto& row = rows_[r];
    index const tail = row.support;
    T chi_tail = T(0);
    if (tail_ == tail_policy::bucket) {
      chi_tail = first_of(terms_.chi(lanes<T>(row.log_p[tail]), lanes<T>(row.log_q[tail])));
    } else if (tail_ == tail_policy::uniform) {
      chi_tail = outside.chi;
    }
    row.log_p[tail] = row.log_q[tail] = -simd::infinity<T>;
    row.psi[tail] = T(0);
    auto const in = moments_of(terms_, row.log_p, row.log_q, row.psi, row.size);
    T q_log_q = in.q_log_q, psi_log_q = in.psi_log_q;
    if (tail_ != tail_policy::renormalise_both) {
      q_log_q += outside.q * outside.mean_log_q;
      psi_log_q += spreads_ ? outside.psi_log_q : psi_tail_of_[r] * outside.mean_log_q;
    }
    T sum = psi_log_q - q_log_q * psi_sum_of_[r];
    if (teacher_moves_) {
      T const p_tail = std::exp(row.log_tail);
      T const moves = p_tail > T(0) ? row.tail_moves : T(0);
      T const mean = (in.p_log_p + p_tail * moves) / (in.p + p_tail);
      sum += in.chi_log_p - mean * in.chi + chi_tail * (moves - mean);
    }
    return -inverse_of_[r] * sum;
  }

  /// What the gradient is made of, once psi and its sum are known.
  void finish() {
    per_row coefficient{}, scale;
    gradient_scale_.store(scale.data());
    each_row([&](std::size_t r) {
      T const q_tail = std::exp(log_q_tail_of_[r]);
      bool const distant = distant_of_[r] > T(0);
      bool const one_number = !distant && !spreads_ && tail_ != tail_policy::renormalise_both;
      T const ratio = one_number && q_tail > T(0) ? psi_tail_of_[r] / q_tail : T(0);
      T const of_softmax = tail_ == tail_policy::renormalise_both ? T(0) : ratio - psi_sum_of_[r];
      coefficient[r] = of_softmax / sum_of_[r];
      correct(r, scale[r], ratio, distant);
    });
    coefficient_ = gradient_scale_ * Axis::of_rows(coefficient.data());
  }

  /// What the gradients of K differ by from what the sweep writes; nothing where the student is masked.
  void correct(std::size_t r, T scale, T ratio, bool distant) {
    auto& row = rows_[r];
    lanes<T> const minus_infinity(-simd::infinity<T>);
    for (index at = 0; at < row.size; at += lanes<T>::size) {
      lanes<T> const log_q = lanes<T>::load(row.log_q + at);
      lanes<T> written;
      if (tail_ == tail_policy::renormalise_both) {
        written = exp_nonpositive(log_q) * lanes<T>(psi_sum_of_[r]);
      } else if (spreads_) {
        written = terms_.psi(lanes<T>(row.log_each_tail), log_q);
      } else if (distant) {
        lanes<T> const share = exp_nonpositive(min(log_q - lanes<T>(log_q_tail_of_[r]), lanes<T>(0)));
        written = lanes<T>(psi_tail_of_[r]) * share;
      } else {
        written = exp_nonpositive(log_q) * lanes<T>(ratio);
      }
      lanes<T> const correction = lanes<T>(scale) * (lanes<T>::load(row.psi + at) - written);
      bool const absent = scale == T(0);  // a term without weight, whatever it holds
      select(log_q == minus_infinity, lanes<T>(0), absent ? lanes<T>(0) : correction).store(row.psi + at);
    }
  }

  tail_policy tail_;
  terms_of terms_;
  bool wants_derivative_, teacher_moves_, spreads_, any_distant_ = false, pending_ = false;
  lanes<T> inverse_, sharpness_, factor_, factor_slope_, gradient_scale_;
  lanes<T> sum_{0}, log_sum_{0}, coefficient_{0}, log_each_tail_{0};
  std::array<top_k_row<T>, static_cast<std::size_t>(Axis::tile_rows)> rows_;
  per_row shift_of_{}, sum_of_{}, log_sum_of_{}, inverse_of_{}, sharpness_of_{};
  per_row value_of_{}, psi_sum_of_{}, psi_tail_of_{}, log_q_tail_of_{}, distant_of_{}, slope_of_{};
  refinement refined_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
