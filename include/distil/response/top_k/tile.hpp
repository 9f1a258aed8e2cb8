#pragma once

#include "distil/response/divergence/softening.hpp"
#include "distil/response/top_k/other_classes.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// The rows of a tile against their top-k teachers, between the sweeps over all classes: what is done row by row with
/// lanes along K, and what the sweeps then need of it in lanes.
template <class T, class Function>
class top_k_tile : public simd::kernel_defaults<T>, protected top_k_softening<T> {
  using softening = top_k_softening<T>;

 protected:
  using simd::kernel_defaults<T>::axis_;
  using softening::gradient_scale_, softening::inverse_, softening::sharpness_, softening::teacher_apart_,
      softening::teacher_inverse_, softening::teacher_moves_, softening::wants_derivative_;
  static constexpr std::size_t lane_count = static_cast<std::size_t>(lanes<T>::size);
  using terms_of = class_terms<T, Function>;
  using per_row = std::array<T, lane_count>;

  template <class Term, class Student>
  DISTIL_INLINE top_k_tile(Term const& term, Student const& student, simd::tile const& rows, lanes<T> scale)
      : simd::kernel_defaults<T>(rows),
        softening(term, rows, scale),
        tail_(*term.teacher.options.tail),
        terms_{term.function, tail_ != tail_policy::truncate},
        spreads_(tail_ == tail_policy::uniform || tail_ == tail_policy::floor ||
                 (tail_ == tail_policy::renormalise_teacher && !terms_of::homogeneous)) {
    index const k = term.teacher.ids.columns;
    std::size_t const bytes = top_k_row<T>::bytes(k);
    auto const blocks = static_cast<std::size_t>(rows.axis.blocks<T>(student.columns));
    auto const tile_rows = static_cast<std::size_t>(rows.axis.tile_rows<T>());
    std::byte* memory = term.memory.memory(bytes * tile_rows + blocks * sizeof(std::int32_t));
    for (std::size_t r = 0; r < tile_rows; ++r, memory += bytes) rows_[r].place(memory, k);
    block_begins_ = reinterpret_cast<std::int32_t*>(memory);
  }

 public:
  /// The rows that count: those that do not were not checked.
  template <class Term, class Student>
  void look_up(Term const& term, Student const& student, simd::tile const& rows) {
    for (index r = 0; r < rows.rows; ++r) {
      index const row = rows.first_row + r;
      if (!(term.weight_of(row).multiplier > 0.0)) continue;
      auto& here = rows_[static_cast<std::size_t>(r)];
      here.gather(axis_, term.teacher, student, row, block_begins_);
      if (here.support > 0) here.distribute(term.teacher, row, term.temperature_of_teacher(row));
    }
  }

  void close(simd::running_maximum<T> const& student) {
    sum_ = axis_.sum(sum_);
    log_sum_ = log_of_rows(sum_);
    student.shift().store(shift_of_.data());
    sum_.store(sum_of_.data());
    log_sum_.store(log_sum_of_.data());
    inverse_.store(inverse_of_.data());
    teacher_inverse_.store(teacher_inverse_of_.data());
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
    log_each_tail_ = axis_.of_rows(log_each_tail.data());
    pending_ = spreads_ || wants_derivative_ || any_distant_;
    if (!pending_) finish();
  }

  void close_refined() {
    if (!pending_) return;
    auto const sums = refined_.of_rows(axis_);
    per_row top, q, q_u, value{}, psi{}, psi_u{}, chi{};
    sums.top.store(top.data());
    sums.q.store(q.data());
    sums.q_u.store(q_u.data());
    if constexpr (!terms_of::several) {
      sums.value.store(value.data());
      sums.psi.store(psi.data());
      sums.psi_u.store(psi_u.data());
      sums.chi.store(chi.data());
    }
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
      if constexpr (terms_of::several) {
        if (spreads_) {
          auto const outside = refined_.several.of_row(axis_, r);
          sums_of_rows_[r].add(outside);
          settle(r);
          auto const weighted = outside.weighted(outcome_of_[r]);
          psi[r] = first_of(sum_across(weighted.psi));
          psi_u[r] = first_of(sum_across(weighted.psi_u));
          chi[r] = first_of(sum_across(weighted.chi));
        }
      } else if (spreads_) {
        value_of_[r] += value[r];
        psi_sum_of_[r] = finite_or_nan(psi_sum_of_[r] + psi[r]);
      }
      if (wants_derivative_) {
        T const mean_u = q[r] > T(0) ? q_u[r] / q[r] : T(0);
        find_slopes(r, {mean_u, std::exp(log_mass), psi[r], psi_u[r], chi[r]});
      }
    });
    finish();
  }

 protected:
  /// What the sums of each row say of its derivatives.
  [[nodiscard]] typename terms_of::outcome outcome_of_tile() const {
    if constexpr (terms_of::several) return outcome_of_rows(axis_, outcome_of_);
    return {};
  }

 private:
  struct outside_moments {
    T mean_u, q, psi, psi_u, chi;
  };

  template <class Each>
  void each_row(Each const& each) {
    for (std::size_t r = 0; r < lane_count; ++r) {
      if (rows_[r].support > 0) each(r);
    }
  }

  /// q of K alone, from the logits: it may have as little mass as it likes.
  void renormalise_student(std::size_t r) {
    auto& row = rows_[r];
    lanes<T> top(-simd::infinity<T>);
    for (index at = 0; at < row.size; at += lanes<T>::size) top = max(top, lanes<T>::load(row.log_q + at));
    lanes<T> const shift = simd::running_maximum<T>::finite(max_across(top));
    map(row, [&](lanes<T> logit) { return (logit - shift) * lanes<T>(inverse_of_[r]); });
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

  /// An infinite sum of psi means that no number could hold the gradient: NaN then.
  static T finite_or_nan(T sum) { return sum + (sum - sum); }

  void evaluate(std::size_t r) {
    auto& row = rows_[r];
    log_q_tail_of_[r] = row.log_q[row.support];
    if constexpr (terms_of::several) {
      sums_of_rows_[r] = sums_of_classes(terms_, row.log_p, row.log_q, row.size, wants_derivative_);
      if (!spreads_) settle(r);
    } else {
      auto const found = over_classes(terms_, row.log_p, row.log_q, row.psi, row.size);
      value_of_[r] = found.value + (log_sum_of_[r] - log_sum_of_[r]);  // NaN outside K, too
      psi_sum_of_[r] = finite_or_nan(found.psi);
      psi_tail_of_[r] = row.psi[row.support];
    }
  }

  /// What complete sums come to.
  void settle(std::size_t r) {
    auto& row = rows_[r];
    auto& outcome = outcome_of_[r];
    outcome = sums_of_rows_[r].close(simd::along, terms_.function);
    value_of_[r] = first_of(outcome.value) + (log_sum_of_[r] - log_sum_of_[r]);
    psi_sum_of_[r] = first_of(outcome.total.psi);
    write_psi(terms_, outcome, row.log_p, row.log_q, row.psi, row.size);
    psi_tail_of_[r] = row.psi[row.support];
  }

  /// dD/dT = -(1/T) (sum psi (log q - E_q log q) + sum chi (log p - E_p log p)), where a tail moves as its classes do.
  void find_slopes(std::size_t r, outside_moments const& outside) {
    auto& row = rows_[r];
    index const tail = row.support;
    T chi_tail = tail_ == tail_policy::uniform ? outside.chi : T(0);
    if (tail_ == tail_policy::bucket) {
      chi_tail = first_of(terms_.chi(lanes<T>(row.log_p[tail]), lanes<T>(row.log_q[tail]), outcome_of_[r]));
    }
    row.log_p[tail] = row.log_q[tail] = -simd::infinity<T>;
    row.psi[tail] = T(0);
    bool const student_has_outside = tail_ != tail_policy::renormalise_both;
    T const q_outside = student_has_outside ? outside.q : T(0);
    T const p_tail = std::exp(row.log_tail), moves = p_tail > T(0) ? row.tail_moves : T(0);
    auto const in = means_of(row.log_p, row.log_q, row.size);
    // Over the sums of the same probabilities: what their rounding has in common cancels.
    T const q = in.q + q_outside;
    T const log_sum = log_sum_of_[r], mean_outside = outside.mean_u - log_sum;  // log q = u - log_sum
    T const mean_q = q > T(0) ? (in.q_log_q + q_outside * mean_outside) / q : T(0);
    T const mean_p = (in.p_log_p + p_tail * moves) / (in.p + p_tail);
    auto const [psi_log_q, chi_log_p] =
        moments_of(terms_, outcome_of_[r], row.log_p, row.log_q, row.psi, row.size, mean_p, mean_q);
    T const of_tail = student_has_outside ? psi_tail_of_[r] * (mean_outside - mean_q) : T(0);
    T const of_each = outside.psi_u - (mean_q + log_sum) * outside.psi;
    slope_of_[r] = -inverse_of_[r] * (psi_log_q + (spreads_ ? of_each : of_tail));
    if (teacher_moves_) {
      T const of_teacher = -teacher_inverse_of_[r] * (chi_log_p + chi_tail * (moves - mean_p));
      (teacher_apart_ ? teacher_slope_of_ : slope_of_)[r] += of_teacher;
    }
  }

  /// What the gradient is made of, once psi and its sum are known.
  void finish() {
    rereads_ = spreads_ || any_distant_;
    per_row coefficient{}, scale;
    gradient_scale_.store(scale.data());
    each_row([&](std::size_t r) {
      T const q_tail = std::exp(log_q_tail_of_[r]);
      bool const distant = distant_of_[r] > T(0);
      bool const one_number = !distant && !spreads_ && tail_ != tail_policy::renormalise_both;
      T const ratio = one_number && q_tail > T(0) ? psi_tail_of_[r] / q_tail : T(0);
      T const of_softmax = tail_ == tail_policy::renormalise_both ? T(0) : ratio - psi_sum_of_[r];
      coefficient[r] = of_softmax / sum_of_[r];
      rereads_ = rereads_ || !(of_softmax == of_softmax);  // 0 * NaN is none for masked classes
      correct(r, scale[r], ratio, distant);
    });
    coefficient_ = gradient_scale_ * axis_.of_rows(coefficient.data());
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
        written = lanes<T>(0);
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

 protected:
  tail_policy tail_;
  terms_of terms_;
  bool spreads_, any_distant_ = false, pending_ = false, rereads_ = false;
  lanes<T> sum_{0}, log_sum_{0}, coefficient_{0}, log_each_tail_{0};
  using rows_of_tile = std::array<top_k_row<T>, lane_count>;
  rows_of_tile rows_;
  std::int32_t* block_begins_;
  per_row shift_of_{}, sum_of_{}, log_sum_of_{}, inverse_of_{}, sharpness_of_{};
  per_row value_of_{}, psi_sum_of_{}, psi_tail_of_{}, log_q_tail_of_{}, distant_of_{}, slope_of_{};
  per_row teacher_inverse_of_{}, teacher_slope_of_{};
  outside_sums<T, Function> refined_;
  std::array<typename terms_of::outcome, lane_count> outcome_of_{};
  std::array<std::conditional_t<terms_of::several, top_k_sums<T, Function>, simd::nothing>, lane_count>
      sums_of_rows_{};
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
