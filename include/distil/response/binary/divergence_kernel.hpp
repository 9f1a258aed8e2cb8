#pragma once

#include "distil/response/binary/bernoulli.hpp"
#include "distil/response/binary/elements.hpp"
#include "distil/response/teacher/dense_teacher.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// Sums of KL(Bern(sigmoid(v)) || Bern(sigmoid(u))) with u = z / T, v = t / T', or of probabilities p the logit of p.
/// Its derivatives by the temperatures are -u / T and -v / T' times those by u and v.
template <class T>
class binary_divergence_kernel : public element_kernel<T> {
  using base = element_kernel<T>;
  using base::axis_;

 public:
  using strips = typename base::strips;

  class operands {
   public:
    template <class Term>
    operands(simd::axis way, Term const& term)
        : padding_(Term::form == teacher_form::probabilities ? T(0) : -simd::infinity<T>),
          ignored_(static_cast<T>(term.ignored_target())),
          ignores_(term.ignores),
          teacher_(way, term.teacher.matrix),
          targets_(way, term.targets),
          weights_(way, term.element_weights) {}

    DISTIL_INLINE strips open(simd::tile const& rows, simd::block const& columns) {
      strips result{};
      result.teacher = teacher_.open(rows, columns, padding_);
      if (ignores_) result.target = targets_.open(rows, columns, ignored_);
      if (weights_.given()) result.weight = weights_.open(rows, columns, T(0));
      return result;
    }

   private:
    T padding_, ignored_;
    bool ignores_;
    simd::block_reader<T> teacher_;
    number_reader<T> targets_, weights_;
  };

  /// The sum, and what by_student u and by_teacher v sum to.
  struct partial {
    lanes<T> value{0}, counted{0}, student_moment{0}, teacher_moment{0};
  };

  template <class Term, class Student>
  DISTIL_INLINE binary_divergence_kernel(Term const& term, Student const& student, simd::tile const& rows,
                                         lanes<T> scale)
      : base(term, student, rows),
        moves_(term.teacher.moves()),
        apart_(term.teacher_temperature.has_value()) {
    row_parameter const& of_teacher = apart_ ? *term.teacher_temperature : term.temperature;
    lanes<T> const temperature = rows.values<T>(term.temperature),
                   teacher_temperature = rows.values<T>(of_teacher);
    constexpr bool logits = Term::form == teacher_form::logits;
    adds_.weight = this->weight_;
    adds_.of_probabilities = !logits;
    adds_.together = logits && !apart_;
    adds_.derives = term.wants_derivative();
    adds_.inverse = rows.inverses<T>(term.temperature);
    by_teacher_temperature_ = rows.inverses<T>(of_teacher);
    adds_.teacher_inverse = moves_ ? by_teacher_temperature_ : lanes<T>(1);
    if (term.teacher.captured_at) adds_.teacher_inverse *= rows.values<T>(*term.teacher.captured_at);
    if (term.factor) {
      factor_ = rows.values<T>(*term.factor);
      scale_ = scale * factor_ * adds_.inverse;
    } else if (term.squared) {
      factor_ = temperature * teacher_temperature;
      factor_slope_ = apart_ ? teacher_temperature : lanes<T>(2) * temperature;
      teacher_factor_slope_ = apart_ ? temperature : lanes<T>(0);
      scale_ = scale * teacher_temperature;
    } else {
      scale_ = scale * adds_.inverse;
    }
  }

  struct adds_element {
    typename base::element_weight weight;
    bool of_probabilities, together, derives;
    lanes<T> inverse, teacher_inverse;

    template <class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& z, strips const& strip,
                                  index k, Keep const& keep) const {
      lanes<T> t = strip.teacher[k];
      if (simd::asked_again(of_probabilities)) t = log(t / (lanes<T>(1) - t));
      lanes<T> const u = z.logit * inverse, v = t * teacher_inverse;
      lanes<T> const d = simd::asked_again(together) ? (z.logit - t) * inverse : u - v;
      bernoulli_divergence<T> const divergence(u, v, d);
      lanes<T> const w = weight(strip, k, sums.counted);
      lanes<T> const by_student = zero_safe_product(w, divergence.by_student);
      sums.value += zero_safe_product(w, divergence.value);
      keep.put(0, by_student);
      if (simd::asked_again(derives)) {
        lanes<T> const by_teacher = zero_safe_product(w, divergence.by_teacher);
        sums.student_moment += zero_safe_product(by_student, u);
        sums.teacher_moment += zero_safe_product(by_teacher, v);
      }
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_element summand() const { return adds_; }
  DISTIL_INLINE void fold(partial const& sums) {
    sums_.value += sums.value;
    sums_.counted += sums.counted;
    sums_.student_moment += sums.student_moment;
    sums_.teacher_moment += sums.teacher_moment;
  }
  DISTIL_INLINE void join(binary_divergence_kernel const& other) { fold(other.sums_); }

  DISTIL_INLINE void close(simd::running_maximum<T> const&) {
    share_ = this->share_of(axis_.sum(sums_.counted));
    divergence_ = share_ * axis_.sum(sums_.value);
    this->multiply_by(scale_ * share_, divergence_);
    slope_ = -adds_.inverse * share_ * axis_.sum(sums_.student_moment);
    if (!moves_) return;
    lanes<T> const of_teacher = -by_teacher_temperature_ * share_ * axis_.sum(sums_.teacher_moment);
    (apart_ ? teacher_slope_ : slope_) += of_teacher;
  }
  [[nodiscard]] DISTIL_INLINE lanes<T> value() const { return factor_ * divergence_; }
  [[nodiscard]] DISTIL_INLINE lanes<T> temperature_derivative() const {
    return factor_slope_ * divergence_ + factor_ * slope_;
  }
  [[nodiscard]] DISTIL_INLINE lanes<T> teacher_temperature_derivative() const {
    return teacher_factor_slope_ * divergence_ + factor_ * teacher_slope_;
  }

 private:
  adds_element adds_;
  bool moves_, apart_;
  partial sums_;
  lanes<T> by_teacher_temperature_, scale_, factor_{1}, factor_slope_{0}, teacher_factor_slope_{0};
  lanes<T> share_{1}, divergence_{0}, slope_{0}, teacher_slope_{0};
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
