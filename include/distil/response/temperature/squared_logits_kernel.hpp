#pragma once

#include <limits>

#include "distil/response/teacher/teacher_reader.hpp"

namespace distil {

/// What a loss does with its terms for the classes of one row.
enum class over_classes {
  mean,  ///< divides by the number of classes that are not masked
  sum
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// Sums over the classes that neither side has masked.
template <class T, class Teacher>
class squared_logits_kernel : public simd::kernel_defaults<T> {
  using lanes = simd::lanes<T>;

 public:
  static constexpr bool needs_maximum = false;

  struct operands : Teacher {
    template <class Term>
    operands(simd::axis way, Term const& term) : Teacher(way, term.teacher) {}
  };

  /// Sums of so much of each number do not leave the range of T; what that takes from the smallest has no square.
  static constexpr T share = T(0x1p-32);
  /// Squares of so much of each number do not, where the squares themselves do.
  static constexpr T small_share = sizeof(T) == sizeof(float) ? T(0x1p-104) : T(0x1p-600);
  static constexpr T smallest = std::numeric_limits<T>::min();

  /// Of differences z - t and of t.
  struct partial {
    lanes count{0}, difference{0}, difference_square{0}, teacher{0}, teacher_square{0};

    DISTIL_INLINE void add(partial const& other) {
      count += other.count;
      difference += other.difference;
      difference_square += other.difference_square;
      teacher += other.teacher;
      teacher_square += other.teacher_square;
    }
  };
  /// The squares again, about the means, and of shares where they left the range of T.
  struct refinement {
    lanes difference_square{0}, teacher_square{0};
  };

  template <class Term, class Student>
  DISTIL_INLINE squared_logits_kernel(Term const& term, Student const&, simd::tile const& rows, lanes scale)
      : simd::kernel_defaults<T>(rows),
        centred_(term.centred),
        relative_(term.relative),
        summed_(term.classes == over_classes::sum),
        scale_(scale) {
    inverse_ = rows.inverses<T>(term.temperature);
  }

  struct adds_squares {
    template <class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& z, simd::strip<T> stored,
                                  index k, Keep const&) const {
      lanes const t = stored[k];
      auto const counts = counted(z.logit, t);
      lanes const difference = select(counts, z.logit - t, lanes(0));
      lanes const teacher = select(counts, t, lanes(0));
      sums.count += select(counts, lanes(1), lanes(0));
      sums.difference = fma(difference, lanes(share), sums.difference);
      sums.difference_square = fma(difference, difference, sums.difference_square);
      sums.teacher = fma(teacher, lanes(share), sums.teacher);
      sums.teacher_square = fma(teacher, teacher, sums.teacher_square);
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_squares summand() const { return {}; }
  DISTIL_INLINE void fold(partial const& sums) { sums_.add(sums); }
  DISTIL_INLINE void join(squared_logits_kernel const& other) { sums_.add(other.sums_); }

  DISTIL_INLINE void close(simd::running_maximum<T> const& student) {
    shift_ = student.shift();
    count_ = this->axis_.sum(sums_.count);
    inverse_count_ = select(count_ == lanes(0), lanes(0), lanes(1) / count_);
    lanes const squares = this->axis_.sum(sums_.difference_square),
                of_teacher = this->axis_.sum(sums_.teacher_square);
    if (centred_) {
      lanes const whole(T(1) / share);
      mean_ = this->axis_.sum(sums_.difference) * (inverse_count_ * whole);
      teacher_mean_ = this->axis_.sum(sums_.teacher) * (inverse_count_ * whole);
    }
    if (centred_ || relative_) {
      share_ = share_of(squares);
      teacher_share_ = share_of(of_teacher);
      refines_ = centred_ || any((share_ != lanes(1)) | (teacher_share_ != lanes(1)));
    }
    if (!refines_) finish(squares, of_teacher);
  }

  [[nodiscard]] DISTIL_INLINE bool refines() const { return refines_; }
  DISTIL_INLINE void refine(refinement& sums, lanes centred, simd::strip<T> stored, index k) const {
    lanes const t = stored[k];
    lanes const z = centred + shift_;
    auto const counts = counted(z, t);
    lanes const difference = select(counts, (z - t - mean_) * share_, lanes(0));
    lanes const teacher = select(counts, fma(t, teacher_share_, -teacher_mean_ * teacher_share_), lanes(0));
    sums.difference_square = fma(difference, difference, sums.difference_square);
    sums.teacher_square = fma(teacher, teacher, sums.teacher_square);
  }
  DISTIL_INLINE void fold_refined(refinement const& sums) {
    refined_.difference_square += sums.difference_square;
    refined_.teacher_square += sums.teacher_square;
  }
  DISTIL_INLINE void join_refined(squared_logits_kernel const& other) { fold_refined(other.refined_); }
  DISTIL_INLINE void close_refined() {
    if (!refines_) return;
    // A row's bits do not depend on its neighbours'.
    auto const anew = [this](lanes of, lanes refined, lanes first) {
      return centred_ ? refined : select(of == lanes(1), first, refined);
    };
    finish(
        anew(share_, this->axis_.sum(refined_.difference_square), this->axis_.sum(sums_.difference_square)),
        anew(teacher_share_, this->axis_.sum(refined_.teacher_square),
             this->axis_.sum(sums_.teacher_square)));
  }

  [[nodiscard]] DISTIL_INLINE lanes value() const { return value_; }
  [[nodiscard]] DISTIL_INLINE lanes temperature_derivative() const {
    return relative_ ? lanes(0) : lanes(-2) * value_ * inverse_;
  }

  struct block_gradient {
    lanes factor, mean, share, infected;
    DISTIL_INLINE lanes operator()(simd::student_register<T> const& z, simd::strip<T> stored, index k,
                                   simd::kept<T>) const {
      lanes const t = stored[k];
      return select(counted(z.logit, t), fma(factor, (z.logit - t - mean) * share, infected), lanes(0));
    }
  };
  [[nodiscard]] DISTIL_INLINE block_gradient gradient(lanes, simd::kept<T>) const {
    return {scale_ * lanes(2) * factor_, mean_, gradient_share_, value_ - value_};
  }

 private:
  static DISTIL_INLINE simd::mask<T> counted(lanes z, lanes t) {
    lanes const masked(-simd::infinity<T>);
    return (z != masked) & (t != masked);
  }

  static DISTIL_INLINE lanes share_of(lanes squares) {
    return select(squares == lanes(simd::infinity<T>), lanes(small_share), lanes(1));
  }

  /// From the squares of shares. Relative: T cancels; a teacher without size counts for nothing.
  DISTIL_INLINE void finish(lanes squares, lanes teacher_squares) {
    lanes const over = summed_ ? lanes(1) : inverse_count_;
    factor_ = over * inverse_ * inverse_;
    if (relative_) {
      factor_ = select(teacher_squares == lanes(0), lanes(0), over * count_ / teacher_squares);
    }
    if (refines_) {
      lanes const ratio = (relative_ ? teacher_share_ : lanes(1)) / share_;
      value_ = zero_safe_product(factor_ * ratio, squares) * ratio;
    } else {
      value_ = zero_safe_product(factor_, squares);
    }
    if (refines_ && relative_) {  // a factor that is in range whatever the teacher's size
      auto const large = teacher_share_ != lanes(1);
      factor_ *= select(large, lanes(small_share / smallest * small_share), lanes(1));
      gradient_share_ = select(large, lanes(smallest), lanes(1));
    }
    value_ += value_ - value_;                                   // infinity does not count as a loss here,
    if (relative_) value_ += teacher_squares - teacher_squares;  // nor does a quotient by it
  }

  bool refines_ = false;
  bool centred_, relative_, summed_;
  lanes scale_, inverse_;
  partial sums_;
  refinement refined_;
  lanes shift_{0}, count_{0}, inverse_count_{0}, mean_{0}, teacher_mean_{0}, factor_{0}, value_{0}, share_{1},
      gradient_share_{1}, teacher_share_{1};
};

}  // namespace kernels

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
