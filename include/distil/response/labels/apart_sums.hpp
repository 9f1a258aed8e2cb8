#pragma once

#include "distil/response/labels/apart_row.hpp"
#include "distil/response/labels/look_up.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// The first sweep of `label_apart_kernel`: partition sums and an expectation over all classes but the label's, relative
/// to maxima that leave out the label, too.
template <class T, class Rule, class Teacher>
class label_apart_sums : public simd::kernel_defaults<T> {
 public:
  static constexpr bool needs_maximum = false;
  static constexpr index saved_registers = Rule::asks == besides::temperature_one ? 3 : 2;
  static constexpr index block_marks = 2;

  struct strips {
    simd::strip<T> student, teacher;
    class_numbers<T> numbers;
    [[nodiscard]] DISTIL_INLINE strips from(index k, bool partial) const {
      return {student.from(k, partial), teacher.from(k, partial), numbers.from(k, partial)};
    }
  };

  class operands {
   public:
    template <class Term>
    operands(simd::axis way, Term const& term) : teacher_(way, term.teacher) {}
    DISTIL_INLINE strips open(simd::tile const& rows, simd::block const& columns, simd::strip<T> student) {
      return {student, teacher_.open(rows, columns), {rows.axis, columns}};
    }

   private:
    Teacher teacher_;
  };

  struct partial {
    lanes<T> student{0}, teacher{0},
        expected{0};  // the last over ln 2, since u and v are exponents of 2 here
    lanes<T> second_student{0}, second_teacher{0};
  };
  DISTIL_INLINE void observe(strips const& here, simd::block const& block) {
    lanes<T> student(-simd::infinity<T>), teacher(masked_teacher);
    for (index k = 0; k < block.steps; ++k) {
      strips const at = here.from(k, k == block.whole);
      auto const is_label = at.numbers[0] == label_number_;
      student = max(student, student_of(is_label, at.student[0]));
      teacher = max(teacher, teacher_of(is_label, at.teacher[0]));
    }
    raise(this->axis_.max(student), this->axis_.max(Teacher::logit(teacher)));
  }

  template <class Keep>
  DISTIL_INLINE void mark(Keep const& keep) const {
    keep.put(0, student_.now);
    keep.put(1, teacher_.now);
  }

  struct adds_others {
    lanes<T> label, sharpness, teacher_sharpness, shift, teacher_shift, second_teacher_sharpness;
    bool second;

    template <class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& z, strips const& here,
                                  index k, Keep const& keep) const {
      lanes<T> const masked(-simd::infinity<T>);
      auto const is_label = here.numbers[k] == label;
      lanes<T> const centred = student_of(is_label, z.logit) - shift;
      lanes<T> const teacher_centred = Teacher::logit(teacher_of(is_label, here.teacher[k])) - teacher_shift;
      lanes<T> const u = centred * sharpness;
      lanes<T> const v = teacher_centred * teacher_sharpness;
      lanes<T> const q = exp2_nonpositive(u);
      lanes<T> const p = exp2_nonpositive(v);
      sums.student += q;
      sums.teacher += p;
      sums.expected += zero_safe_product(p, Rule::subtracts_entropy ? v - u : -u);
      keep.put(0, q);
      keep.put(1, select(u == masked, lanes<T>(0), p));  // a masked class has no gradient
      if constexpr (has_second) {
        if (second) sums.second_teacher += exp2_nonpositive(teacher_centred * second_teacher_sharpness);
      }
      if constexpr (softens_twice) {
        lanes<T> const at_one = second ? exp2_nonpositive(centred * lanes<T>(simd::log2e)) : lanes<T>(0);
        sums.second_student += at_one;
        keep.put(2, at_one);
      }
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_others summand() const {
    return {label_number_,    student_sharpness(), teacher_sharpness(),
            student_.shift(), teacher_.shift(),    second_sharpness(),
            second_};
  }
  DISTIL_INLINE void fold(partial const& sums) {
    sums_.student += sums.student;
    sums_.teacher += sums.teacher;
    sums_.expected += sums.expected;
    sums_.second_student += sums.second_student;
    sums_.second_teacher += sums.second_teacher;
  }
  DISTIL_INLINE void join(label_apart_sums other) {
    raise(other.student_.now, other.teacher_.now);
    other.raise(student_.now, teacher_.now);
    fold(other.sums_);
  }

 protected:
  static constexpr bool has_second = Rule::asks != besides::nothing;
  static constexpr bool softens_twice = Rule::asks == besides::temperature_one;

  template <class Term>
  DISTIL_INLINE label_apart_sums(Term const& term, simd::tile const& rows)
      : simd::kernel_defaults<T>(rows),
        rule_(term, rows),
        label_(rows, [&](index row) { return term.class_of(row); }),
        label_number_(label_.number()) {
    lanes<T> const temperature = rows.values<T>(term.temperature);
    inverse_ = rows.inverses<T>(term.temperature);
    teacher_inverse_ = teacher_inverse<T, Teacher::form>(term, rows, inverse_);
    second_teacher_inverse_ = teacher_inverse_;
    if constexpr (softens_twice) {
      second_teacher_inverse_ *= temperature;
      second_ = !all(temperature == lanes<T>(1));
    } else if constexpr (has_second) {
      teacher_inverse_ *= rule_.power();
      second_ = !all(rule_.power() == lanes<T>(1));
    }
  }

  /// A logit of the student, and what is stored of the teacher: masked where it is that of the label.
  [[nodiscard]] static DISTIL_INLINE lanes<T> student_of(simd::mask<T> is_label, lanes<T> logit) {
    return select(is_label, lanes<T>(-simd::infinity<T>), logit);
  }
  [[nodiscard]] static DISTIL_INLINE lanes<T> teacher_of(simd::mask<T> is_label, lanes<T> stored) {
    return select(is_label, lanes<T>(masked_teacher), stored);
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> student_sharpness() const { return inverse_ * lanes<T>(simd::log2e); }
  [[nodiscard]] DISTIL_INLINE lanes<T> teacher_sharpness() const {
    return teacher_inverse_ * lanes<T>(simd::log2e);
  }
  [[nodiscard]] DISTIL_INLINE lanes<T> second_sharpness() const {
    return second_teacher_inverse_ * lanes<T>(simd::log2e);
  }

  Rule rule_;
  looked_up<T> label_;
  lanes<T> label_number_;
  bool second_ = false;  ///< what the rule asked for differs from the rest
  lanes<T> inverse_, teacher_inverse_, second_teacher_inverse_;
  simd::running_maximum<T> student_, teacher_;
  partial sums_;

 private:
  static constexpr T masked_teacher =
      Teacher::form == teacher_form::probabilities ? T(0) : -simd::infinity<T>;

  /// Both maxima are at least these: brings the sums along.
  DISTIL_INLINE void raise(lanes<T> student, lanes<T> teacher) {
    if (student_.raise(student)) {
      sums_.expected -= zero_safe_product(sums_.teacher, student_.drift(student_sharpness()));
      sums_.student *= student_.decay(student_sharpness());
      sums_.second_student *= student_.decay(lanes<T>(simd::log2e));
      student_.settle();
    }
    if (teacher_.raise(teacher)) {
      lanes<T> const decay = teacher_.decay(teacher_sharpness());
      if constexpr (Rule::subtracts_entropy) {
        sums_.expected += zero_safe_product(sums_.teacher, teacher_.drift(teacher_sharpness()));
      }
      sums_.expected = zero_safe_product(decay, sums_.expected);
      sums_.teacher *= decay;
      sums_.second_teacher *= teacher_.decay(second_sharpness());
      teacher_.settle();
    }
  }
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
