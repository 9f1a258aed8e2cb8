#pragma once

#include "distil/response/forward_kl.hpp"
#include "distil/response/labels/labelled_loss.hpp"

namespace distil {

/// What a row weighs in temperature matching.
enum class matching_weight {
  one,           ///< TTM
  sum_of_powers  ///< sum p^(1/T), more for a teacher that is less sure: WTTM
};

/// Options of transformed teacher matching.
struct temperature_matching_options {
  /// Softens the teacher alone: one number or one per row; within [1e-15, 1e15]. Default 4.
  row_parameter teacher_temperature = 4;

  /// What a row weighs, besides `rows.weights`. It is part of the value, not of what that is divided by. Default one.
  matching_weight weight = matching_weight::one;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// Forward KL with a temperature on the teacher's side, times sum p^(1/T) = sum e^(t/T) / (sum e^t)^(1/T).
template <class T, class Teacher>
class temperature_matching_kernel : public expectation_kernel<T, forward_kl_function, Teacher> {
  using base = expectation_kernel<T, forward_kl_function, Teacher>;

 public:
  struct partial {
    typename base::partial main;
    lanes<T> plain{0};
  };

  template <class Term, class Student>
  DISTIL_INLINE temperature_matching_kernel(Term const& term, Student const& student, simd::tile const& rows,
                                            lanes<T> scale)
      : base(term, student, rows, scale), weighs_(term.weight == matching_weight::sum_of_powers) {
    lanes<T> const temperature = rows.values<T>(term.softened_at);
    power_ = rows.inverses<T>(term.softened_at);
    if (term.teacher.moves()) this->teacher_inverse_ *= power_;
    this->teacher_sharpness_ = this->teacher_inverse_ * lanes<T>(simd::log2e);
    plain_sharpness_ = this->teacher_sharpness_ * temperature;
  }

  DISTIL_INLINE void observe(simd::strip<T> stored, simd::block const& here) {
    lanes<T> const before = this->maximum_.now;
    base::observe(stored, here);
    plain_ *= this->maximum_.decay_since(before, plain_sharpness_);
  }

  struct adds_both {
    typename base::adds_both main;
    lanes<T> sharpness;
    bool weighs;

    template <class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& z, simd::strip<T> stored,
                                  index k, Keep const& keep) const {
      main(sums.main, z, stored, k, keep);
      if (weighs)
        sums.plain += exp2_nonpositive((Teacher::logit(stored[k]) - main.teacher_shift) * sharpness);
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_both summand() const {
    return {base::summand(), plain_sharpness_, weighs_};
  }
  DISTIL_INLINE void fold(partial const& sums) {
    base::fold(sums.main);
    plain_ += sums.plain;
  }
  DISTIL_INLINE void join(temperature_matching_kernel const& other) {
    lanes<T> const before = this->maximum_.now;
    base::join(other);
    plain_ = plain_ * this->maximum_.decay_since(before, plain_sharpness_) +
             other.plain_ * this->maximum_.decay_since(other.maximum_.now, plain_sharpness_);
  }
  DISTIL_INLINE void close(simd::running_maximum<T> const& student) {
    base::close(student);
    if (weighs_) weight_ = exp(this->log_teacher_ - power_ * log_of_rows(this->axis_.sum(plain_)));
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> value() const { return weight_ * base::value(); }

  [[nodiscard]] DISTIL_INLINE auto gradient(lanes<T> decay, simd::kept<T> marks) const {
    auto result = base::gradient(decay, marks);
    result.of_student *= weight_;
    result.of_teacher *= weight_;
    return result;
  }

 private:
  bool weighs_;
  lanes<T> power_, plain_sharpness_, plain_{0}, weight_{1};
};

}  // namespace kernels

/// Transformed teacher matching as a term of a sum.
template <class Storage, teacher_form Form>
struct temperature_matching_term : detail::labelled_term<Storage, Form> {
  template <class T>
  using kernel = kernels::temperature_matching_kernel<T, kernels::teacher_reader<T, Form>>;

  forward_kl_function function = {};
  row_parameter softened_at;
  matching_weight weight;

  temperature_matching_term(dense_teacher<Storage, Form> const& the_teacher,
                            temperature_matching_options const& options)
      : detail::labelled_term<Storage, Form>(the_teacher, {}, options, 1, false),
        softened_at(options.teacher_temperature),
        weight(options.weight) {
    this->labelled = false;
  }

  void check(char const* where, index row_count, index columns) const {
    detail::labelled_term<Storage, Form>::check(where, row_count, columns);
    detail::require_parameter(where, "teacher_temperature", softened_at, row_count, detail::is_temperature,
                              detail::must_be_temperature);
  }
  void inspect(char const* where, index row_count, index columns) const {
    detail::labelled_term<Storage, Form>::inspect(where, row_count, columns);
    detail::require_row_values(where, "teacher_temperature", softened_at, detail::is_temperature,
                               detail::must_be_temperature);
  }
};

struct temperature_matching_definition {
  static constexpr char const* name = "temperature_matching";
  static constexpr error_bound bound{.value = 16, .gradient = 16};
  using options = temperature_matching_options;

  template <class Storage, teacher_form Form>
  static auto make_term(dense_teacher<Storage, Form> const& teacher, options const& chosen) {
    return temperature_matching_term<Storage, Form>(teacher, chosen);
  }
};

/// Transformed teacher matching: the student at temperature 1 matches the power 1/T of the teacher, normalised, which adds
/// a Renyi entropy of the student to Hinton's loss. @alias TTM, WTTM
///
/// @formula   L = w KL(p_T || q), the mean over rows, with p_T = softmax(t / T), q = softmax(z), and w = 1 or sum_i
///            p_i^(1/T), p = softmax(t) [nats]. Never negative
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher  [rows, classes] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`; a distribution
///            that does not say where it was captured is p_T
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  w (q - p_T)
/// @throws    std::invalid_argument when a shape, option, weight or temperature is refused; nothing is written then
/// @error     `bound`, with f = w, and with the weight times max(1, 1/T), the power's rounding
/// @nan       a NaN or +inf logit makes the loss and gradient of its row NaN (masked classes may get 0), no other's. A row
///            whose student or teacher is fully masked counts for nothing
/// @cost      one read of student and teacher and one write, 2 exponentials an element, 3 with the weight; one read more
///            for a row whose divergence is under 2^-6 nats (2^-20 in double); 2 numbers of scratch a class
/// @source    Zheng and Yang 2024, arXiv:2402.11148, sections 3 and 4. The authors' exponent is 1/T; no factor T^2
/// @example   distil::temperature_matching.with_grad(student, teacher, gradient,
///            {.weight = distil::matching_weight::sum_of_powers})
inline constexpr labelled_loss<temperature_matching_definition> temperature_matching{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
