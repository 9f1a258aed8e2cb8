#pragma once

#include "distil/response/binary/bernoulli.hpp"
#include "distil/response/binary/elements.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// Sums of -a log sigmoid(z) - b log sigmoid(-z), with a = w+ y and b = 1 - y of smoothed targets y:
///
///   value = (a + b) log(1 + e^-|z|) + |z| (b for z > 0, else a)        gradient = b sigmoid(z) - a sigmoid(-z)
template <class T>
class binary_cross_entropy_kernel : public element_kernel<T> {
  using base = element_kernel<T>;
  using base::axis_;

 public:
  using strips = typename base::strips;

  class operands {
   public:
    template <class Term>
    operands(simd::axis way, Term const& term)
        : ignored_(static_cast<T>(term.ignored_target())),
          by_class_(term.positive_weight.per_row()),
          targets_(way, term.targets),
          weights_(way, term.element_weights),
          positive_(way, term.positive_weight) {}

    DISTIL_INLINE strips open(simd::tile const& rows, simd::block const& columns) {
      strips result{};
      result.target = targets_.open(rows, columns, ignored_);
      if (weights_.given()) result.weight = weights_.open(rows, columns, T(0));
      if (by_class_) result.positive = positive_.open(columns);
      return result;
    }

   private:
    T ignored_;
    bool by_class_;
    number_reader<T> targets_, weights_;
    class_parameter_reader<T> positive_;
  };

  struct partial {
    lanes<T> value{0}, counted{0};
  };

  template <class Term, class Student>
  DISTIL_INLINE binary_cross_entropy_kernel(Term const& term, Student const& student, simd::tile const& rows,
                                            lanes<T> scale)
      : base(term, student, rows), scale_(scale) {
    adds_.weight = this->weight_;
    adds_.by_class = term.positive_weight.per_row();
    adds_.positive = lanes<T>(adds_.by_class ? 1.0 : term.positive_weight[0]);
    adds_.keep = lanes<T>(1.0 - term.label_smoothing);
    adds_.spread = lanes<T>(term.label_smoothing / 2);
  }

  struct adds_element {
    typename base::element_weight weight;
    bool by_class;
    lanes<T> positive, keep, spread;

    template <class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& z, strips const& strip,
                                  index k, Keep const& keep_register) const {
      lanes<T> const w = weight(strip, k, sums.counted);
      lanes<T> const y = fma(keep, strip.target[k], spread), b = lanes<T>(1) - y;
      lanes<T> const a = (simd::asked_again(by_class) ? strip.positive[k] : positive) * y;
      both_outcomes<T> const student(z.logit);
      auto const above = z.logit > lanes<T>(0);
      lanes<T> const value =
          fma(a + b, student.softplus(), zero_safe_product(select(above, b, a), abs(z.logit)));
      lanes<T> const q = select(above, student.likely, student.unlikely);
      lanes<T> const other_q = select(above, student.unlikely, student.likely);
      sums.value += zero_safe_product(w, value);
      keep_register.put(0, zero_safe_product(w, fma(b, q, -a * other_q)));
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_element summand() const { return adds_; }
  DISTIL_INLINE void fold(partial const& sums) {
    sums_.value += sums.value;
    sums_.counted += sums.counted;
  }
  DISTIL_INLINE void join(binary_cross_entropy_kernel const& other) { fold(other.sums_); }

  DISTIL_INLINE void close(simd::running_maximum<T> const&) {
    lanes<T> const share = this->share_of(axis_.sum(sums_.counted));
    value_ = share * axis_.sum(sums_.value);
    this->multiply_by(scale_ * share, value_);
  }
  [[nodiscard]] DISTIL_INLINE lanes<T> value() const { return value_; }

 private:
  adds_element adds_;
  partial sums_;
  lanes<T> scale_, value_{0};
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
