#pragma once

#include <array>
#include <utility>

#include "distil/response/cross_entropy/targets.hpp"
#include "distil/sweep/evaluate.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;

/// Rows of -sum w_i log q_i for a target w (see cross_entropy_base): with u = (z - max z) / T and W = sum w,
///
///   value = W log sum e^u - sum w_i u_i        dL/dz = (W q - w) / T        dL/dT = -(1/T) sum (W q_i - w_i)
///   u_i
///
/// The labels' share of w is a patch of one or two elements; what lies on every class is read as strips.
template <class T, class Term>
class cross_entropy_kernel : public simd::kernel_defaults<T> {
  using base = simd::kernel_defaults<T>;
  using base::axis_;
  using targets_of = decltype(Term::targets);
  static constexpr bool dense = targets_of::dense;
  static constexpr int labels = targets_of::per_row;
  static constexpr std::size_t slots = labels > 0 ? labels : 1;
  static constexpr std::size_t lane_count = static_cast<std::size_t>(lanes<T>::size);
  static constexpr bool can_compare = labels > 0;

 public:
  static constexpr bool exponentials = true;
  static constexpr bool keeps_exponentials = true;

  struct strips {
    simd::strip<T> class_weight, target;
    [[nodiscard]] DISTIL_INLINE strips from(index k, bool partial) const {
      return {class_weight.from(k, partial), target.from(k, partial)};
    }
  };

  class operands {
   public:
    operands(simd::axis way, Term const& term)
        : spreads_(dense || term.label_smoothing > 0.0),
          class_weights_(way, term.class_weights.data()),
          targets_(way, view_of(term)) {}

    DISTIL_INLINE strips open(simd::tile const& rows, simd::block const& columns) {
      strips result{};
      if (spreads_) result.class_weight = class_weights_.open(columns, T(0));
      if constexpr (dense) result.target = targets_.open(rows, columns, T(0));
      return result;
    }

   private:
    using storage = typename targets_of::storage;
    static detail::row_view<storage const> view_of(Term const& term) {
      if constexpr (dense) {
        return term.targets.matrix;
      } else {
        return {};
      }
    }

    bool spreads_;
    simd::class_reader<T, float> class_weights_;
    simd::block_reader<T> targets_;
  };

  /// What lies on every class: class weight * (keep * target + spread).
  struct spread_weight {
    lanes<T> keep{0}, spread{0};
    DISTIL_INLINE lanes<T> operator()(strips const& strip, index k) const {
      if constexpr (dense) return strip.class_weight[k] * fma(keep, strip.target[k], spread);
      return strip.class_weight[k] * spread;
    }
  };

  struct partial {
    lanes<T> exponentials{0}, mass{0}, logits{0};  // logits: sum w u / ln 2
  };
  struct refinement {
    lanes<T> q{0}, q_u{0};
  };

  template <class Student>
  DISTIL_INLINE cross_entropy_kernel(Term const& term, Student const& student, simd::tile const& rows,
                                     lanes<T> scale)
      : base(rows),
        spreads_(dense || term.label_smoothing > 0.0),
        compares_(can_compare && rows.axis.across && student.columns <= simd::compared_columns),
        wants_derivative_(!term.temperature_gradient.empty()) {
    index const columns = student.columns;
    lanes<T> const temperature = rows.values<T>(term.temperature);
    inverse_ = rows.inverses<T>(term.temperature);
    sharpness_ = inverse_ * lanes<T>(simd::log2e);
    factor_ = term.squared ? temperature * temperature : lanes<T>(1);
    factor_slope_ = term.squared ? lanes<T>(2) * temperature : lanes<T>(0);
    gradient_scale_ = scale * factor_ * inverse_;
    gradient_scale_.store(row_scale_);
    weight_.keep = lanes<T>(term.keep(columns));
    if (spreads_) {
      double const spread = term.spread(columns);
      weight_.spread =
          dense ? lanes<T>(spread) : rows.per_row<T>([&](index row) { return spread * share(term, row); });
    }
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> sharpness() const { return sharpness_; }

  DISTIL_INLINE void rescale(simd::running_maximum<T> const& student) {
    sums_.exponentials *= student.decay(sharpness_);
    sums_.logits += sums_.mass * student.drift(sharpness_);
  }

  struct adds_target {
    bool spreads;
    lanes<T> sharpness;
    spread_weight weight;

    template <class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& z, strips const& strip,
                                  index k, Keep const&) const {
      sums.exponentials += z.exponential;
      if (spreads) {
        lanes<T> const w = weight(strip, k);
        sums.mass += w;
        sums.logits = zero_safe_fma(w, z.centred * sharpness, sums.logits);
      }
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_target summand() const { return {spreads_, sharpness_, weight_}; }
  DISTIL_INLINE void fold(partial const& sums) {
    sums_.exponentials += sums.exponentials;
    sums_.mass += sums.mass;
    sums_.logits += sums.logits;
  }

  DISTIL_INLINE void join(cross_entropy_kernel const& other) { fold(other.sums_); }

  [[nodiscard]] DISTIL_INLINE bool rides() const { return !spreads_; }
  [[nodiscard]] DISTIL_INLINE bool gradient_rides() const { return !spreads_ && !compares_; }
  DISTIL_INLINE void add_exponentials(lanes<T> sum) { sums_.exponentials += sum; }
  [[nodiscard]] DISTIL_INLINE lanes<T> multiple(lanes<T> decay) const { return probability_scale_ * decay; }

  template <class Student>
  DISTIL_INLINE void look_up(Term const& term, Student const& student, simd::tile const& rows) {
    double const keep = term.keep(student.columns);
    for (std::size_t i = 0; i < static_cast<std::size_t>(labels); ++i) {
      T label_of_row[lane_count] = {};
      for (index r = 0; r < rows.rows; ++r) {
        index const row = rows.first_row + r;
        std::int64_t const label = term.targets.label(static_cast<int>(i), row);
        bool const ignored = term.ignored(label);
        if (can_compare) label_of_row[r] = static_cast<T>(label);
        logits_of_[i][r] = ignored ? T(0) : detail::widen<T>(student(row, static_cast<index>(label)));
        masses_of_[i][r] = ignored ? T(0)
                                   : static_cast<T>(term.targets.share(static_cast<int>(i), row) * keep *
                                                    term.class_weight(label));
      }
      label_mass_[i] = axis_.of_rows(masses_of_[i]);
      label_logit_[i] = axis_.of_rows(logits_of_[i]);
      if constexpr (can_compare) {
        lanes<T> const masked(-simd::infinity<T>);
        label_[i] = axis_.of_rows(label_of_row);
        label_gradient_[i] = select(label_logit_[i] == masked, lanes<T>(0), gradient_scale_ * label_mass_[i]);
      }
    }
  }

  DISTIL_INLINE void close(simd::running_maximum<T> const& student) {
    lanes<T> const sum = axis_.sum(sums_.exponentials);
    log_sum_ = log_of_rows(sum);
    mass_ = axis_.sum(sums_.mass);
    target_logit_ = axis_.sum(sums_.logits) * lanes<T>(simd::ln2);
    for (std::size_t i = 0; i < static_cast<std::size_t>(labels); ++i) {
      lanes<T> const u = (label_logit_[i] - student.shift()) * inverse_;
      mass_ += label_mass_[i];
      target_logit_ += zero_safe_product(label_mass_[i], u);
    }
    loss_ = mass_ * log_sum_ - target_logit_;
    probability_scale_ = gradient_scale_ * mass_ / sum;
  }

  [[nodiscard]] DISTIL_INLINE bool refines() const { return wants_derivative_; }

  DISTIL_INLINE void refine(refinement& sums, lanes<T> centred, strips const&, index) const {
    lanes<T> const u = centred * inverse_;
    lanes<T> const q = exp_nonpositive(fma(centred, inverse_, -log_sum_));
    sums.q += q;
    sums.q_u += zero_safe_product(q, u);
  }
  DISTIL_INLINE void fold_refined(refinement const& sums) {
    refined_.q += sums.q;
    refined_.q_u += sums.q_u;
  }
  DISTIL_INLINE void join_refined(cross_entropy_kernel const& other) { fold_refined(other.refined_); }
  DISTIL_INLINE void close_refined() {
    slope_ = inverse_ * (target_logit_ - mass_ * (axis_.sum(refined_.q_u) / axis_.sum(refined_.q)));
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> value() const { return factor_ * loss_; }
  [[nodiscard]] DISTIL_INLINE lanes<T> temperature_derivative() const {
    return factor_slope_ * loss_ + factor_ * slope_;
  }

  [[nodiscard]] DISTIL_INLINE bool rereads() const { return spreads_; }

  struct block_gradient {
    bool spreads, compares;
    lanes<T> expected, scale;
    std::array<lanes<T>, slots> label, of_label;
    spread_weight weight;

    DISTIL_INLINE lanes<T> operator()(simd::student_register<T> const& z, strips const& strip, index k,
                                      simd::kept<T>) const {
      lanes<T> result = expected * z.exponential;
      if (spreads) result -= scale * weight(strip, k);
      if constexpr (can_compare) {
        if (compares) {
          lanes<T> const column(static_cast<T>(z.column));
          for (std::size_t i = 0; i < slots; ++i) {
            result -= select(label[i] == column, of_label[i], lanes<T>(0));
          }
        }
      }
      return result;
    }
  };
  [[nodiscard]] DISTIL_INLINE block_gradient gradient(lanes<T> decay, simd::kept<T>) const {
    return {spreads_,        compares_, probability_scale_ * decay, gradient_scale_, label_,
            label_gradient_, weight_};
  }
  template <class Target>
  DISTIL_INLINE void patch(Term const& term, simd::tile const& rows, simd::block const& columns,
                           Target const& target) const {
    if (can_compare && compares_) return;
    for (index row = 0; row < rows.rows; ++row) {
      for (int i = 0; i < labels; ++i) {
        std::int64_t const label = term.targets.label(i, rows.first_row + row);
        if (term.ignored(label)) continue;
        index const column = static_cast<index>(label) - columns.first_column;
        if (column < 0 || column >= columns.columns) continue;
        auto const [slot, lane] = std::pair(static_cast<std::size_t>(i), static_cast<std::size_t>(row));
        bool const masked = logits_of_[slot][lane] == -simd::infinity<T>;
        if (!masked) {  // the scale of a row that does not count is 0
          target.element(row, column) -= row_scale_[lane] * masses_of_[slot][lane];
        }
      }
    }
  }

 private:
  static double share(Term const& term, index row) {
    double sum = 0.0;
    term.each_label(row, [&](std::int64_t, double share_of_label) { sum += share_of_label; });
    return sum;
  }

  bool spreads_, compares_, wants_derivative_;
  lanes<T> inverse_, sharpness_, factor_, factor_slope_, gradient_scale_;
  spread_weight weight_;
  lanes<T> label_mass_[slots], label_logit_[slots];
  std::array<lanes<T>, slots> label_, label_gradient_;  // where gradients are patched by comparison
  T row_scale_[lane_count], masses_of_[slots][lane_count] = {}, logits_of_[slots][lane_count] = {};
  partial sums_;
  refinement refined_;
  lanes<T> log_sum_, mass_, target_logit_, loss_, probability_scale_, slope_{0};
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
