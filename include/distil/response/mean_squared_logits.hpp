#pragma once

#include <functional>
#include <span>

#include "distil/response/teacher.hpp"

namespace distil {

/// What a loss does with its terms for the classes of one row.
enum class over_classes {
  mean,  ///< divides by the number of classes that are not masked
  sum
};

/// Options of `mean_squared_logits`.
struct mean_squared_logits_options {
  /// Default mean, as PyTorch's MSELoss has it (which with a mean over rows is its "mean over elements").
  over_classes classes = over_classes::mean;

  /// Removes the mean over the classes from the differences: what softmax cannot see costs nothing. Default false.
  bool centred = false;

  /// Divides by the mean square of the teacher's logits (centred, too, where the differences are): whatever the scale of
  /// its logits. Default false.
  bool relative = false;

  /// Divides both logits: one number or one per row; within [1e-15, 1e15]. No factor T^2 is on offer, since it would undo
  /// this. Default 1.
  row_parameter temperature = 1;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds to the gradient. Default false.
  bool accumulate = false;

  /// Where dL/dT is written: one element, or one per row. Default: nowhere.
  std::span<double> temperature_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// Sums over the classes that neither side has masked.
template <class T, class Axis, class Teacher>
class squared_logits_kernel : public simd::kernel_defaults<T, Axis> {
  using lanes = simd::lanes<T>;

 public:
  static constexpr bool needs_maximum = false;

  struct operands : Teacher {
    template <class Term>
    explicit operands(Term const& term) : Teacher(term.teacher) {}
  };

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
  /// The squares again, about the means.
  struct refinement {
    lanes difference_square{0}, teacher_square{0};
  };

  template <class Term, class Student>
  DISTIL_INLINE squared_logits_kernel(Term const& term, Student const&, simd::tile rows, lanes scale)
      : centred_(term.centred),
        relative_(term.relative),
        summed_(term.classes == over_classes::sum),
        scale_(scale) {
    inverse_ = Axis::per_row(rows, term.temperature, [](double number) { return 1.0 / number; });
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
      sums.difference += difference;
      sums.difference_square = fma(difference, difference, sums.difference_square);
      sums.teacher += teacher;
      sums.teacher_square = fma(teacher, teacher, sums.teacher_square);
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_squares summand() const { return {}; }
  DISTIL_INLINE void fold(partial const& sums) { sums_.add(sums); }
  DISTIL_INLINE void join(squared_logits_kernel const& other) { sums_.add(other.sums_); }

  DISTIL_INLINE void close(simd::running_maximum<T> const& student) {
    shift_ = student.shift();
    count_ = Axis::sum(sums_.count);
    inverse_count_ = select(count_ == lanes(0), lanes(0), lanes(1) / count_);
    if (centred_) {
      mean_ = Axis::sum(sums_.difference) * inverse_count_;
      teacher_mean_ = Axis::sum(sums_.teacher) * inverse_count_;
    } else {
      finish(Axis::sum(sums_.difference_square), Axis::sum(sums_.teacher_square));
    }
  }

  [[nodiscard]] DISTIL_INLINE bool refines() const { return centred_; }
  DISTIL_INLINE void refine(refinement& sums, lanes centred, simd::strip<T> stored, index k) const {
    lanes const t = stored[k];
    lanes const z = centred + shift_;
    auto const counts = counted(z, t);
    lanes const difference = select(counts, z - t - mean_, lanes(0));
    lanes const teacher = select(counts, t - teacher_mean_, lanes(0));
    sums.difference_square = fma(difference, difference, sums.difference_square);
    sums.teacher_square = fma(teacher, teacher, sums.teacher_square);
  }
  DISTIL_INLINE void fold_refined(refinement const& sums) {
    refined_.difference_square += sums.difference_square;
    refined_.teacher_square += sums.teacher_square;
  }
  DISTIL_INLINE void join_refined(squared_logits_kernel const& other) { fold_refined(other.refined_); }
  DISTIL_INLINE void close_refined() {
    if (centred_) finish(Axis::sum(refined_.difference_square), Axis::sum(refined_.teacher_square));
  }

  [[nodiscard]] DISTIL_INLINE lanes value() const { return value_; }
  [[nodiscard]] DISTIL_INLINE lanes temperature_derivative() const {
    return relative_ ? lanes(0) : lanes(-2) * value_ * inverse_;
  }

  struct block_gradient {
    lanes factor, mean, infected;
    DISTIL_INLINE lanes operator()(simd::student_register<T> const& z, simd::strip<T> stored, index k,
                                   simd::kept<T>) const {
      lanes const t = stored[k];
      return select(counted(z.logit, t), fma(factor, z.logit - t - mean, infected), lanes(0));
    }
  };
  [[nodiscard]] DISTIL_INLINE block_gradient gradient(lanes, simd::kept<T>) const {
    return {scale_ * lanes(2) * factor_, mean_, value_ - value_};
  }

 private:
  static DISTIL_INLINE simd::mask<T> counted(lanes z, lanes t) {
    lanes const masked(-simd::infinity<T>);
    return (z != masked) & (t != masked);
  }

  DISTIL_INLINE void finish(lanes squares, lanes teacher_squares) {
    lanes const over = summed_ ? lanes(1) : inverse_count_;
    if (relative_) {  // T cancels; a teacher without size counts for nothing
      factor_ = select(teacher_squares == lanes(0), lanes(0), over * count_ / teacher_squares);
    } else {
      factor_ = over * inverse_ * inverse_;
    }
    value_ = zero_safe_product(factor_, squares);
    value_ += value_ - value_;  // infinity does not count as a loss here
  }

  bool centred_, relative_, summed_;
  lanes scale_, inverse_;
  partial sums_;
  refinement refined_;
  lanes shift_{0}, count_{0}, inverse_count_{0}, mean_{0}, teacher_mean_{0}, factor_{0}, value_{0};
};

}  // namespace kernels

/// Squared differences of logits as a term of a sum.
template <class Storage>
struct mean_squared_logits_term : detail::term_base {
  using arithmetic = arithmetic_t<Storage>;
  template <class T, class Axis>
  using kernel =
      kernels::squared_logits_kernel<T, Axis,
                                     kernels::teacher_reader<T, Axis, Storage, teacher_form::logits>>;

  dense_teacher<Storage, teacher_form::logits> teacher;
  over_classes classes;
  bool centred, relative;
  row_parameter temperature;

  mean_squared_logits_term(dense_teacher<Storage, teacher_form::logits> const& the_teacher,
                           mean_squared_logits_options const& options)
      : term_base{.rows = options.rows, .temperature_gradient = options.temperature_gradient},
        teacher(the_teacher),
        classes(options.classes),
        centred(options.centred),
        relative(options.relative),
        temperature(options.temperature) {}

  void check(char const* where, index rows_of_student, index columns) const {
    detail::require_shape(where, "teacher", teacher.matrix, rows_of_student, columns);
    detail::require_temperature(where, temperature, temperature_gradient, rows_of_student);
    detail::require(classes == over_classes::mean || classes == over_classes::sum, where, "classes",
                    static_cast<int>(classes), "over_classes::mean or over_classes::sum");
    detail::require_rows(where, rows, rows_of_student);
  }
  template <class Gradient>
  void check_apart(char const* where, matrix_view<Gradient> const& gradient) const {
    detail::require_apart(where, gradient, "teacher", teacher.matrix);
  }
  void inspect(char const* where, index /*rows*/, index /*columns*/) const {
    detail::require_row_values(where, "temperature", temperature, detail::is_temperature,
                               detail::must_be_temperature);
    detail::require_row_values(where, "rows.weights", rows.weights, detail::is_weight,
                               detail::must_be_weight);
  }
  [[nodiscard]] bool alike() const { return term_base::alike() && !detail::any_begins_masked(teacher); }
  [[nodiscard]] detail::row_weight weigh(bool student_is_masked, index row) const {
    if (student_is_masked || detail::fully_masked(teacher, row)) return {};
    return weight_of(row);
  }
};

/// See `mean_squared_logits`.
struct mean_squared_logits_loss {
  static constexpr char const* name = "mean_squared_logits";
  static constexpr error_bound bound{.value = 16, .gradient = 32, .temperature_gradient = 2};

  template <matrix_argument Student, class Teacher>
  [[nodiscard]] loss_value operator()(Student const& student, Teacher const& teacher,
                                      mean_squared_logits_options const& options = {}) const {
    return (*this)(serial, student, teacher, options);
  }
  template <execution_policy Policy, class Student, class Teacher>
  [[nodiscard]] loss_value operator()(Policy policy, Student const& student, Teacher const& teacher,
                                      mean_squared_logits_options const& options = {}) const {
    return simd::evaluate(name, policy, student, {}, make_term(teacher, options));
  }
  template <matrix_argument Student, class Teacher, class Gradient>
  loss_value with_grad(Student const& student, Teacher const& teacher, Gradient&& gradient,
                       mean_squared_logits_options const& options = {}) const {
    return with_grad(serial, student, teacher, gradient, options);
  }
  template <execution_policy Policy, class Student, class Teacher, class Gradient>
  loss_value with_grad(Policy policy, Student const& student, Teacher const& teacher, Gradient&& gradient,
                       mean_squared_logits_options const& options = {}) const {
    return simd::evaluate_with_gradient(name, policy, student, gradient, {.accumulate = options.accumulate},
                                        make_term(teacher, options));
  }

  /// As a term of `fuse`.
  template <class Teacher>
  [[nodiscard]] auto term(Teacher const& teacher, mean_squared_logits_options const& options = {}) const {
    detail::require(!options.accumulate, name, "accumulate", "set on a term", "set on the objective");
    return make_term(teacher, options);
  }

 private:
  template <class Teacher>
  static auto make_term(Teacher const& teacher, mean_squared_logits_options const& options) {
    return mean_squared_logits_term(detail::as_teacher(teacher), options);
  }
};

/// Mean squared difference of logits. @alias MSE of logits, logits matching, L2 logits, normalized MSE
///
/// @formula   L = (1 / sum w) * sum_b w_b (1 / C) sum_i d_i^2, d = (z - t) / T; `centred`: d - mean d for d; `relative`: the
///            whole over (1 / C) sum_i (t_i / T)^2; `over_classes::sum`: without the 1 / C in front
/// @param     student, teacher [rows, classes] logits. A class that either has masked (-inf) counts for nothing, and C is
///            the number of the others
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  w_b / sum w * 2 d_i / (C T)
/// @throws    std::invalid_argument when a shape, option, weight or temperature is refused; nothing is written then
/// @nan       a NaN or +inf logit makes the loss and gradient of its row NaN, as do differences whose squares no number
///            holds. A row of which one side is fully masked counts for nothing, and with `relative` one whose teacher's
///            logits are all 0 (all the same where centred) has loss and gradient 0
/// @error     `mean_squared_logits_loss::bound`, relative to the largest square
/// @cost      one read of student and teacher, one more where centred and one with gradient; no exponentials
/// @source    Ba and Caruana 2014, arXiv:1312.6184, equation 1 (centred by hand there); Kim et al. 2021, arXiv:2105.08919.
///            TextBrewer divides by T as here; DistilBERT's option sums over classes. `relative` is Model Optimizer's
///            normalized_mse a row at a time, which divides by the mean square of the whole batch: that is a factor of the
///            caller's
/// @example   distil::mean_squared_logits.with_grad(student, teacher, gradient, {.centred = true})
inline constexpr mean_squared_logits_loss mean_squared_logits{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
