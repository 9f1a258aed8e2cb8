#pragma once

#include "distil/response/sampled/kl_kernel.hpp"
#include "distil/response/teacher/term.hpp"

namespace distil {

/// Options of `sampled_kl`.
struct sampled_kl_options {
  /// Divides the logits before the softmax: the temperature the tokens were sampled at; one number or one per row,
  /// within [1e-15, 1e15]. The loss is not multiplied by T^2. Default 1.
  row_parameter temperature = 1;

  /// Which function of the two log-probabilities. Default k2: the one whose expected gradient is that of the reverse
  /// KL, which all of them estimate.
  kl_estimator estimator = kl_estimator::k2;

  /// The largest value of `clipped_k3`, > 0. Default 10, as in verl.
  double limit = 10.0;

  /// What multiplies the advantage of `policy_gradient`; finite and >= 0. Default 1.
  double advantage_coefficient = 1.0;

  /// Weights, ignored id, reduction, divisor.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

namespace detail {

template <class Teacher>
struct arithmetic_of_teacher {
  using type = float;  // numbers per row: the student decides
};
template <class Storage, teacher_form Form>
struct arithmetic_of_teacher<dense_teacher<Storage, Form>> {
  using type = arithmetic_t<Storage>;
};

/// An estimator of the divergence from sampled ids as a term, apart from its kernel.
template <class Teacher>
struct sampled_kl_base : tempered_term {
  static constexpr bool dense = !std::is_same_v<Teacher, sampled_log_probabilities>;

  Teacher teacher;
  label_view ids;
  kl_estimator estimator;
  double limit, advantage_coefficient;

  sampled_kl_base(Teacher const& the_teacher, label_view sampled_ids, sampled_kl_options const& options)
      : tempered_term{{.rows = options.rows}, options.temperature},
        teacher(the_teacher),
        ids(sampled_ids),
        estimator(options.estimator),
        limit(options.limit),
        advantage_coefficient(options.advantage_coefficient) {}

  [[nodiscard]] bool ignored(index row) const { return ids[row] == rows.ignore_label; }

  /// What divides the teacher's logits.
  [[nodiscard]] double teacher_temperature(index row) const {
    if (!teacher.moves()) return 1.0;
    return teacher.captured_at ? temperature[row] / (*teacher.captured_at)[row] : temperature[row];
  }

  void check(char const* where, index row_count, index columns) const {
    require(estimator >= kl_estimator::k1 && estimator <= kl_estimator::policy_gradient, where, "estimator",
            static_cast<int>(estimator), "one of kl_estimator");
    require(limit > 0.0, where, "limit", limit, "> 0");
    require(is_weight(advantage_coefficient), where, "advantage_coefficient", advantage_coefficient,
            must_be_weight);
    require_size(where, "sampled_ids", ids.size(), row_count);
    check_temperature(where, row_count);
    if constexpr (dense) {
      require_shape(where, "teacher", teacher.matrix, row_count, columns);
      check_rows(where, teacher.captured_at, row_count);
    } else {
      require(teacher.values.per_row(), where, "teacher", "one number", "one log-probability per row");
      require_size(where, "teacher", teacher.values.size(), row_count);
      check_rows(where, std::nullopt, row_count);
    }
  }

  void check_apart(char const* where, detail::matrix_extent const& gradient) const {
    if constexpr (dense) require_apart(where, gradient, "teacher", teacher.matrix);
  }

  void inspect(char const* where, index row_count, index columns) const {
    inspect_temperature(where);
    inspect_weights(where);
    if constexpr (dense) inspect_captured_at(where, teacher.captured_at);
    for (index row = 0; row < row_count; ++row) {
      require(
          ignored(row) || (ids[row] >= 0 && ids[row] < columns), where, "sampled id",
          [&] { return detail::said(ids[row], " in row ", row); },
          [&] { return detail::said("within [0, ", columns, ") or the ignored label ", rows.ignore_label); });
    }
  }

  [[nodiscard]] bool alike() const {
    if (!term_base::alike() || ids.contains(rows.ignore_label)) return false;
    if constexpr (dense) return !any_begins_masked(teacher);
    return true;
  }

  [[nodiscard]] row_weight weigh(bool student_is_masked, index row) const {
    row_weight const weight = weight_of(row);
    if (student_is_masked || !(weight.multiplier > 0.0) || ignored(row)) return {};
    if constexpr (dense) {
      if (fully_masked(teacher, row)) return {};
    }
    return weight;
  }
};

}  // namespace detail

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `sampled_kl`.
template <class Teacher>
struct sampled_kl_term : detail::sampled_kl_base<Teacher> {
  using arithmetic = typename detail::arithmetic_of_teacher<Teacher>::type;
  template <class T>
  using kernel = kernels::sampled_kl_kernel<T, sampled_kl_term>;

  using detail::sampled_kl_base<Teacher>::sampled_kl_base;
};

/// See `sampled_kl`.
struct sampled_kl_loss : detail::ternary_face<sampled_kl_loss, sampled_kl_options> {
  static constexpr char const* name = "sampled_kl";
  static constexpr error_bound bound{.value = 16, .gradient = 16};

  template <class Student, class Teacher, class Output>
  [[nodiscard]] static loss_value evaluate(detail::any_policy policy, Student const& student,
                                           Teacher const& teacher, label_view sampled_ids,
                                           Output const& output, sampled_kl_options const& options) {
    return simd::evaluate(name, policy, student, output, {.accumulate = options.accumulate},
                          make_term(teacher, sampled_ids, options));
  }

  /// As a term of `fuse`. Teacher, ids and every span in the options must outlive the objective.
  template <class Teacher, detail::labels_like Ids>
  [[nodiscard]] auto term(Teacher const& teacher, Ids const& sampled_ids,
                          sampled_kl_options const& options = {}) const {
    detail::require(!options.accumulate, name, "accumulate", "set on a term", "set on the objective");
    return make_term(teacher, sampled_ids, options);
  }

 private:
  template <class Teacher>
  [[nodiscard]] static auto make_term(Teacher const& teacher, label_view ids,
                                      sampled_kl_options const& options) {
    if constexpr (std::is_same_v<Teacher, sampled_log_probabilities>) {
      return sampled_kl_term<Teacher>(teacher, ids, options);
    } else {
      auto const dense = detail::as_teacher(teacher);
      return sampled_kl_term<std::remove_const_t<decltype(dense)>>(dense, ids, options);
    }
  }
};

/// Divergence between teacher and student by single sampled tokens: on-policy distillation. The student samples a token
/// x in every position; the loss looks at log p(x) and log q(x), and x does not move. @alias k1, k2, k3, low_var_kl,
/// Schulman's estimators, on-policy distillation, OPD
///
/// @formula   L = (1 / sum w) * sum_b w_b k(log p_b(x_b), log q_b(x_b)), p = softmax(t / T), q = softmax(z / T) [nats],
///            k as `kl_estimator` says
/// @param     student     [tokens, vocabulary] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher     [tokens, vocabulary] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`; or
///            `sampled_log_probabilities{values}`, log p(x) one per row
/// @param     sampled_ids one per row, 32 or 64 bits; a row with `rows.ignore_label` counts for nothing
/// @param     gradient    [tokens, vocabulary] dL/dz, overwritten or added; may be the student itself, never the
///            teacher
/// @gradient  w_b / sum w * k' (e_x - q) / T with k' = dk / d log q: that of automatic differentiation with x held
///            fixed. For x drawn from q its expectation is 0 for k1; that of reverse KL(q || p) for k2 and
///            policy_gradient (times its coefficient); that of forward KL(p || q) for k3
/// @throws    std::invalid_argument when a shape, option, weight or id is refused; nothing is written then
/// @error     `bound`: the value relative to |k| + |k'| (1 + log C), for policy_gradient with
///            |k'| + advantage_coefficient |log q| for |k'|; the gradient to (|k'| + |k''| (1 + log C)) / T
/// @nan       a NaN or +inf logit on either side makes its row NaN, no other. A token the teacher excludes (log p =
///            -inf) makes the value infinite, and k2's and policy_gradient's gradient the largest finite numbers, as
///            does a token the student has masked. k3 overflows where r > 88 in float (709 in double); clipped_k3 does
///            not. A fully masked row counts for nothing
/// @cost      one read of student and of a teacher matrix and one write, 1 exponential an element of either; 1 number
///            of scratch a class
/// @source    Schulman 2020, "Approximating KL divergence"; Gu et al. 2023, arXiv:2306.08543; Thinking Machines 2025,
///            "On-policy distillation". verl clamps r to [-20, 20] before its clipped k3, which the limit of 10 makes
///            idle. Discounting and whitening are row weights or the caller's
/// @example   distil::sampled_kl.with_grad(student, distil::sampled_log_probabilities{log_p}, ids, gradient,
///            {.estimator = distil::kl_estimator::policy_gradient})
inline constexpr sampled_kl_loss sampled_kl{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
