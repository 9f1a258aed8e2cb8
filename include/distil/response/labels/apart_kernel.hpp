#pragma once

#include "distil/response/divergence/expectation_kernel.hpp"
#include "distil/response/labels/apart_sums.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// Rows of a loss that treats the label y apart: of the probability of the label, and of a divergence between the
/// distributions among the other classes, p^ and q^. These have maxima of their own, so that they keep their precision
/// however sure of the label a row is, and however few other classes there are.
///
/// `Rule` says what the loss makes of that:
///
///   subtracts_entropy      static: the divergence is sum p^ (log p^ - log q^), else -sum p^ log q^
///   asks                   static: for what besides
///   Rule(term, rows)
///   power()                with `unpowered_teacher`: the power of the teacher that p^ is
///   value(row)             the loss
///   gradient(row, second)  by the student's logits; `second` says whether what was asked for differs from the rest
///   slope(row, student, teacher, rest)   by the temperature, where there is a closed form, from the slopes of both odds' logits and of the divergence
template <class T, class Rule, class Teacher>
class label_apart_kernel : public label_apart_sums<T, Rule, Teacher> {
  using base = label_apart_sums<T, Rule, Teacher>;
  using base::axis_, base::inverse_, base::label_, base::label_number_, base::rule_, base::second_,
      base::second_teacher_inverse_, base::student_, base::student_of, base::student_sharpness, base::sums_,
      base::teacher_, base::teacher_inverse_, base::teacher_of, base::teacher_sharpness;
  using base::has_second, base::softens_twice;
  using typename base::strips;
  static constexpr bool has_slope = requires(Rule const& rule, apart<T> const& row, lanes<T> x) {
    rule.slope(row, x, x, x);
  };

 public:
  struct refinement {
    lanes<T> value{0};
    lanes<T> chi{0}, chi_v{0}, p{0}, p_u{0}, p_v{0}, q{0}, q_u{0};  // for the temperature
  };

  template <class Term, class Student>
  DISTIL_INLINE label_apart_kernel(Term const& term, Student const&, simd::tile const& rows, lanes<T> scale)
      : base(term, rows),
        scale_(scale),
        wants_derivative_(!term.temperature_gradient.empty()),
        teacher_moves_(term.teacher.moves()) {}

  template <class Term, class Student>
  DISTIL_INLINE void look_up(Term const& term, Student const& student, simd::tile const& rows) {
    student_label_ = label_.in(student, rows, T(0));
    teacher_label_ = Teacher::logit(label_.in(term.teacher.matrix, rows, T(1)));
  }

  DISTIL_INLINE void close(simd::running_maximum<T> const&) {
    lanes<T> const student = axis_.sum(sums_.student), teacher = axis_.sum(sums_.teacher);
    student_sum_ = inverse_of(student);
    teacher_sum_ = inverse_of(teacher);
    log_student_ = log_of(student);
    log_teacher_ = log_of(teacher);
    row_.has_rest = select(teacher == lanes<T>(0), lanes<T>(0), lanes<T>(1));
    student_u_ = (student_label_ - student_.shift()) * inverse_;
    teacher_v_ = (teacher_label_ - teacher_.shift()) * teacher_inverse_;
    lanes<T> const student_poison = poison(student_label_), teacher_poison = poison(teacher_label_);
    row_.student = odds(student_u_, student, log_student_, student_poison);
    row_.teacher = odds(teacher_v_, teacher, log_teacher_, teacher_poison);
    row_.top = row_.teacher.others * teacher_sum_;
    row_.teacher_lead = select(teacher == lanes<T>(0), lanes<T>(simd::infinity<T>), teacher_v_);
    if constexpr (has_second) {
      row_.second_student = row_.student;
      row_.second_teacher = row_.teacher;
      if (second_) {
        lanes<T> const of_teacher = axis_.sum(sums_.second_teacher);
        row_.second_teacher = odds((teacher_label_ - teacher_.shift()) * second_teacher_inverse_, of_teacher,
                                   log_of(of_teacher), teacher_poison);
        if constexpr (softens_twice) {
          lanes<T> const of_student = axis_.sum(sums_.second_student);
          second_sum_ = inverse_of(of_student);
          row_.second_student =
              odds(student_label_ - student_.shift(), of_student, log_of(of_student), student_poison);
        } else {
          row_.log_mass = log_teacher_ - rule_.power() * log_of(of_teacher);
        }
      }
    }
    lanes<T> const entropy = Rule::subtracts_entropy ? log_teacher_ : lanes<T>(0);
    row_.rest =
        zero_safe_product(row_.has_rest, axis_.sum(sums_.expected) * lanes<T>(simd::ln2) * teacher_sum_ +
                                             log_student_ - entropy);
    parts_ = rule_.gradient(row_, second_);
  }

  /// A small divergence is summed again without cancellation.
  [[nodiscard]] DISTIL_INLINE bool refines() const { return wants_derivative_ || any(is_small()); }

  DISTIL_INLINE void refine(refinement& sums, lanes<T>, strips const& here, index k) const {
    auto const is_label = here.numbers[k] == label_number_;
    lanes<T> const u = (student_of(is_label, here.student[k]) - student_.shift()) * inverse_;
    lanes<T> const v =
        (Teacher::logit(teacher_of(is_label, here.teacher[k])) - teacher_.shift()) * teacher_inverse_;
    lanes<T> const log_q = u - log_student_, log_p = v - log_teacher_;
    lanes<T> const q = exp_nonpositive(log_q), p = exp_nonpositive(log_p);
    if constexpr (Rule::subtracts_entropy) sums.value += kl_summand<T>(log_p, log_q, p, q);
    if (wants_derivative_) {
      lanes<T> const expected = Rule::subtracts_entropy ? log_p - log_q : -log_q;
      lanes<T> const chi = zero_safe_product(p, expected - row_.rest);
      sums.chi += chi;
      sums.chi_v += zero_safe_product(chi, v);
      sums.p += p;
      sums.p_u += zero_safe_product(p, u);
      sums.p_v += zero_safe_product(p, v);
      sums.q += q;
      sums.q_u += zero_safe_product(q, u);
    }
  }
  DISTIL_INLINE void fold_refined(refinement const& sums) {
    refined_.value += sums.value;
    refined_.chi += sums.chi;
    refined_.chi_v += sums.chi_v;
    refined_.p += sums.p;
    refined_.p_u += sums.p_u;
    refined_.p_v += sums.p_v;
    refined_.q += sums.q;
    refined_.q_u += sums.q_u;
  }
  DISTIL_INLINE void join_refined(label_apart_kernel const& other) { fold_refined(other.refined_); }
  DISTIL_INLINE void close_refined() {
    apart<T> summed = row_;  // without cancellation, for dL/dT, where T^2 D hardly moves at large T
    if constexpr (Rule::subtracts_entropy) {
      summed.rest = zero_safe_product(row_.has_rest, axis_.sum(refined_.value));
      row_.rest = select(is_small(), summed.rest, row_.rest);
    }
    if constexpr (has_slope) {
      if (wants_derivative_) slope_ = slope(summed);
    }
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> value() const { return rule_.value(row_); }
  [[nodiscard]] DISTIL_INLINE lanes<T> temperature_derivative() const { return slope_; }

  [[nodiscard]] DISTIL_INLINE bool rereads() const { return false; }

  struct block_gradient {
    lanes<T> student, teacher, second;
    DISTIL_INLINE lanes<T> operator()(simd::student_register<T> const&, strips const&, index,
                                      simd::kept<T> saved) const {
      lanes<T> const both = student * saved[0] - teacher * saved[1];
      if constexpr (softens_twice) return both + second * saved[2];
      return both;
    }
  };
  [[nodiscard]] DISTIL_INLINE block_gradient gradient(lanes<T>, simd::kept<T> marks) const {
    return {scale_ * parts_.student * student_sum_ * student_.decay_since(marks[0], student_sharpness()),
            scale_ * parts_.teacher * teacher_sum_ * teacher_.decay_since(marks[1], teacher_sharpness()),
            scale_ * parts_.second * second_sum_ * student_.decay_since(marks[0], lanes<T>(simd::log2e))};
  }
  template <class Term, class Target>
  DISTIL_INLINE void patch(Term const&, simd::tile const& rows, simd::block const& columns,
                           Target const& target) const {
    lanes<T> const masked(-simd::infinity<T>);
    lanes<T> const at_label = zero_safe_product(scale_, parts_.label);
    label_.add(select(student_label_ == masked, lanes<T>(0), at_label), rows, columns, target);
  }

 private:
  static constexpr T threshold = sizeof(T) == sizeof(float) ? T(0x1p-6) : T(0x1p-20);

  [[nodiscard]] DISTIL_INLINE lanes<T> slope(apart<T> const& row) const {
    // d(u_y - log sum e^u) / dT = -(u_y - E u) / T, and the divergence as in two_sided_kernel.hpp.
    lanes<T> const over_p = inverse_of(axis_.sum(refined_.p) * row_.has_rest);
    lanes<T> const mean_u = axis_.sum(refined_.q_u) * inverse_of(axis_.sum(refined_.q));
    lanes<T> const mean_v = axis_.sum(refined_.p_v) * over_p, u_of_p = axis_.sum(refined_.p_u) * over_p;
    lanes<T> const moves = teacher_moves_ ? lanes<T>(1) : lanes<T>(0);
    lanes<T> const of_teacher = axis_.sum(refined_.chi_v) - mean_v * axis_.sum(refined_.chi);
    return rule_.slope(row, -inverse_ * (student_u_ - mean_u), -inverse_ * moves * (teacher_v_ - mean_v),
                       -inverse_ * row_.has_rest * (moves * of_teacher - u_of_p + mean_u));
  }

  /// Of sums that are 0 when there are no other classes.
  static DISTIL_INLINE lanes<T> inverse_of(lanes<T> sum) {
    return select(sum == lanes<T>(0), lanes<T>(0), lanes<T>(1) / sum);
  }
  static DISTIL_INLINE lanes<T> log_of(lanes<T> sum) {
    return select(sum == lanes<T>(0), lanes<T>(0), log_of_rows(sum));
  }
  static DISTIL_INLINE label_odds<T> odds(lanes<T> label, lanes<T> sum, lanes<T> log_sum,
                                          lanes<T> poison_of_label) {
    return label_odds<T>(select(sum == lanes<T>(0), lanes<T>(simd::infinity<T>), label - log_sum) +
                         poison_of_label);
  }

  [[nodiscard]] DISTIL_INLINE auto is_small() const {
    T const bound = Rule::subtracts_entropy ? threshold : -simd::infinity<T>;
    return (row_.rest < lanes<T>(bound)) & (row_.has_rest == lanes<T>(1));
  }

  lanes<T> scale_;
  bool wants_derivative_, teacher_moves_;
  refinement refined_;
  apart<T> row_;
  apart_gradient<T> parts_;
  lanes<T> student_label_{0}, teacher_label_{0}, student_u_{0}, teacher_v_{0};
  lanes<T> student_sum_{0}, teacher_sum_{0}, second_sum_{0}, log_student_{0}, log_teacher_{0}, slope_{0};
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
