#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "distil/response/coupled/batch.hpp"
#include "distil/response/labels/apart_loss.hpp"

namespace distil {

/// What orders the classes that are not the label, from both heads: w^ and q^ are their probabilities without the label.
enum class self_ranking {
  of_probabilities,  ///< w^_i + q^_i, places among the other classes: the paper
  of_code  ///< w^_i + log q_i / (1 - log q_y), and the label takes a place among the others: the authors' code
};

/// Options of universal self-distillation.
struct universal_self_kd_options {
  /// Multiplies the part of the label, the paper's alpha; finite and >= 0. Default 1.
  double target_weight = 1.0;

  /// Multiplies the part of the other classes, the paper's beta; finite and >= 0. Default 0.1.
  double non_target_weight = 0.1;

  /// What orders the other classes. Default of_probabilities.
  self_ranking ranking = self_ranking::of_probabilities;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its logits hold. Default 1.
  double weight = 1.0;

  /// Weights, ignored label, reduction, divisor. A row of weight 2 counts as two in the mean of q_y^2.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// Cross entropy with the label, weighed row by row, and with the soft labels of the others.
template <class T>
class universal_self_rule {
 public:
  static constexpr bool subtracts_entropy = false;
  static constexpr besides asks = besides::nothing;

  template <class Term>
  DISTIL_INLINE universal_self_rule(Term const& term, simd::tile const& rows)
      : target_(rows.per_row<T>([&](index row) { return term.target[row]; })),
        others_(term.non_target_weight) {}

  [[nodiscard]] DISTIL_INLINE lanes<T> value(apart<T> const& row) const {
    return zero_safe_product(target_, -row.student.log_label) + zero_safe_product(others_, row.rest);
  }
  [[nodiscard]] DISTIL_INLINE apart_gradient<T> gradient(apart<T> const& row, bool) const {
    lanes<T> const of_others = others_ * row.has_rest, of_label = target_ * row.student.others;
    return {of_others + of_label, of_others, lanes<T>(0), -of_label};
  }

 private:
  lanes<T> target_, others_;
};

/// One head's row of logits, relative to those without the label.
struct head_without_label {
  double const* logits;
  double label, top = -std::numeric_limits<double>::infinity(), sum = 0.0;

  head_without_label(double const* row, index classes, index of_label) : logits(row), label(row[of_label]) {
    auto const each = [&](auto const& take) {
      for (index i = 0; i < classes; ++i) {
        if (i != of_label && row[i] > -std::numeric_limits<double>::infinity()) take(row[i]);
      }
    };
    each([&](double x) { top = std::max(top, x); });
    each([&](double x) { sum += std::exp(x - top); });
  }
  /// The logarithm of the label's odds.
  [[nodiscard]] double lead() const { return label - (top + std::log(sum)); }
  [[nodiscard]] double of_label() const { return 1.0 / (1.0 + std::exp(-lead())); }
  [[nodiscard]] double share(index i) const { return sum > 0.0 ? std::exp(logits[i] - top) / sum : 0.0; }
  [[nodiscard]] double log_sum_of_all() const {
    double const d = lead();
    return std::max(label, top + std::log(sum)) + std::log1p(std::exp(-std::abs(d)));
  }
};

/// Writes the soft labels of a row, Zipf's law in the order of the classes, and 1 for the label, which the kernel leaves
/// out; and returns the student's probability of the label. NaN where a logit of either head is NaN or +inf.
template <class T, class Student, class Weak>
double make_soft_labels(detail::row_view<Student> const& student, detail::row_view<Weak> const& weak,
                        index row, index label, self_ranking ranking, T* soft) {
  struct of_soft_labels {};
  index const classes = student.columns;
  double const infinity = std::numeric_limits<double>::infinity();
  double* const z = simd::scratch<double, of_soft_labels>(3 * classes);
  double* const w = z + classes;
  double* const score = w + classes;
  std::int32_t* const order = simd::scratch<std::int32_t, of_soft_labels>(classes);
  bool known = true;
  for (index i = 0; i < classes; ++i) {
    z[i] = static_cast<double>(detail::widen<T>(student(row, i)));
    w[i] = static_cast<double>(detail::widen<T>(weak(row, i)));
    known = known && z[i] < infinity && w[i] < infinity;
  }
  if (!known) {
    std::fill(soft, soft + classes, std::numeric_limits<T>::quiet_NaN());
    return std::numeric_limits<double>::quiet_NaN();
  }
  head_without_label const of_student(z, classes, label), of_weak(w, classes, label);
  bool const as_code = ranking == self_ranking::of_code;
  double const log_sum = as_code ? of_student.log_sum_of_all() : 0.0;
  double const log_label = of_student.label - log_sum;
  index count = 0;
  for (index i = 0; i < classes; ++i) {
    soft[i] = i == label ? T(1) : T(0);
    if (z[i] == -infinity || (i == label && !as_code)) continue;
    double const own = as_code ? (z[i] - log_sum) / (1.0 - log_label) : of_student.share(i);
    score[i] = of_weak.share(i) + own;
    order[count++] = static_cast<std::int32_t>(i);
  }
  std::sort(order, order + count, [score](std::int32_t a, std::int32_t b) {
    return score[a] != score[b] ? score[a] > score[b] : a < b;
  });
  for (index place = 0; place < count; ++place) {
    if (order[place] != label) soft[order[place]] = T(1) / static_cast<T>(place + 1);
  }
  return of_student.of_label();
}

}  // namespace kernels

/// Universal self-distillation as a term, once its soft labels are made.
template <class T, class Weak>
struct universal_self_term : detail::labelled_term<T, teacher_form::probabilities> {
  template <class U>
  using kernel = kernels::label_apart_kernel<U, kernels::universal_self_rule<U>,
                                             kernels::teacher_reader<U, teacher_form::probabilities>>;

  detail::row_view<Weak const> weak;
  double const* target;  ///< what multiplies the cross entropy of each row
  double non_target_weight;

  universal_self_term(matrix_view<T const> soft, detail::row_view<Weak const> the_weak, label_view the_labels,
                      double const* the_target, universal_self_kd_options const& options)
      : detail::labelled_term<T, teacher_form::probabilities>({soft}, the_labels, options, 1, false),
        weak(the_weak),
        target(the_target),
        non_target_weight(options.non_target_weight) {}

  void check_apart(char const* where, detail::matrix_extent const& gradient) const {
    detail::require_apart(where, gradient, "weak", weak);
  }
};

/// See `universal_self_kd`.
struct universal_self_kd_loss : detail::ternary_face<universal_self_kd_loss, universal_self_kd_options> {
  static constexpr char const* name = "universal_self_kd";
  static constexpr error_bound bound{.value = 16, .gradient = 16};
  static constexpr bool takes_teacher_logits = false;  // the weak output is the student's own

  template <class Student, class Weak, class Output>
  [[nodiscard]] static loss_value evaluate(detail::any_policy policy, Student const& student,
                                           Weak const& weak, label_view labels, Output const& output,
                                           universal_self_kd_options const& options) {
    return simd::evaluate(
        name, policy, student, output, {.accumulate = options.accumulate},
        detail::with_weight(name, options.weight, term(policy, student, weak, labels, options)));
  }

 private:
  template <class Student, class Weak>
  static void check(Student const& student, Weak const& weak, label_view labels,
                    universal_self_kd_options const& options) {
    detail::require_matrix(name, "student", student);
    detail::require_shape(name, "weak", weak, student.rows, student.columns);
    detail::require_size(name, "labels", labels.size(), student.rows);
    detail::require(student.columns <= detail::most_labelled_classes, name, "classes", student.columns,
                    "at most 2^24");
    using T = std::common_type_t<arithmetic_t<std::remove_const_t<typename Student::element>>,
                                 arithmetic_t<std::remove_const_t<typename Weak::element>>>;
    constexpr auto type = detail::computing_type::of<T>();
    detail::require_factor(name, "target_weight", options.target_weight, type);
    detail::require_factor(name, "non_target_weight", options.non_target_weight, type);
    detail::require_rows(name, options.rows, student.rows);
    detail::require_row_weights(name, options.rows);
    detail::require_labels(name, labels, options.rows.ignore_label, student.columns);
  }

  /// Makes the soft labels, in memory of this thread.
  template <class Policy, class StudentMatrix, class WeakMatrix>
  static auto term(Policy policy, StudentMatrix const& student_matrix, WeakMatrix const& weak_matrix,
                   label_view labels, universal_self_kd_options const& options) {
    auto const student = detail::logit_rows(student_matrix);
    auto const weak = detail::logit_rows(weak_matrix);
    check(student, weak, labels, options);
    using of_weak = std::remove_const_t<typename decltype(weak)::element>;
    using T = std::common_type_t<arithmetic_t<std::remove_const_t<typename decltype(student)::element>>,
                                 arithmetic_t<of_weak>>;
    index const rows = student.rows, classes = student.columns;
    T* const soft = simd::scratch<T, universal_self_kd_options>(rows * classes);
    double* const target = simd::scratch<double, universal_self_kd_loss>(2 * rows);
    double* const weight = target + rows;
    detail::term_base const counted{.rows = options.rows, .labels_of_loss = labels};
    kernels::sum_chunks(policy, rows, 1, rows * classes, [&](index first, index last, index) {
      for (index row = first; row < last; ++row) {
        weight[row] = counted.weight_of(row).multiplier;
        if (weight[row] > 0.0 && (detail::fully_masked(student, row) || detail::fully_masked(weak, row))) {
          weight[row] = 0.0;
        }
        if (weight[row] > 0.0) {
          target[row] = kernels::make_soft_labels(student, weak, row, static_cast<index>(labels[row]),
                                                  options.ranking, soft + row * classes);
        } else {
          std::fill(soft + row * classes, soft + (row + 1) * classes, T(0));
        }
      }
      return 0.0;
    });
    weigh_targets(target, weight, rows, options.target_weight);
    matrix_view<T const> const made{soft, rows, classes};
    return universal_self_term<T, of_weak>(made, weak, labels, target, options);
  }

  /// From q_y to target_weight (1 + q_y^2 - mean q_y^2). A row that is NaN stays out of the mean.
  static void weigh_targets(double* target, double const* weight, index rows, double target_weight) {
    double sum = 0.0, total = 0.0;
    for (index row = 0; row < rows; ++row) {
      if (!(weight[row] > 0.0) || !(target[row] == target[row])) continue;
      sum += weight[row] * target[row] * target[row];
      total += weight[row];
    }
    double const mean = total > 0.0 ? sum / total : 0.0;
    for (index row = 0; row < rows; ++row) {
      target[row] = weight[row] > 0.0 ? target_weight * (1.0 + target[row] * target[row] - mean) : 0.0;
    }
  }
};

/// Universal self-distillation, without a teacher: the label is weighed by how sure the student is of it, beside the rest
/// of the batch, and the other classes have soft labels by Zipf's law, in the order in which the student's head and a weak
/// head on an earlier layer see them together. @alias USKD
///
/// @formula   L = -target_weight P log q_y + non_target_weight sum_(i != y) -s_i log q^_i, the mean over rows, with q =
///            softmax(z), q^ and w^ the softmax of z and of the weak logits without the label, P = 1 + q_y^2 - mean over
///            the batch of q_y^2, s_i = (1 / place of i) / sum, the places by w^_i + q^_i from the largest down [nats].
///            Equal ones stand as their classes do
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0, no place)
/// @param     weak     [rows, classes] logits of the weak head. Its own loss is the paper's mu = 0.005 times cross entropy
///            with label smoothing 0.1, through its own gradient: see the example
/// @param     labels   one per row, 32 or 64 bits; a row with `rows.ignore_label` counts for nothing
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the weak head
/// @gradient  target_weight P (q - e_y) + non_target_weight (q^ - s), the second part off the label. P, its mean and the
///            order are constants, as the authors' code detaches them
/// @throws    std::invalid_argument when a shape, option, weight or label is refused; nothing is written then
/// @error     `bound`, with f = 2 target_weight + non_target_weight
/// @nan       a NaN or +inf logit of either head makes the loss and gradient of its row NaN and no other's: it is left out
///            of the mean. Without other classes the second part is 0. A row with a fully masked head counts for nothing
/// @cost      sorting, some 60 ns an element, then as `normalized_kd`; memory of a number an element, kept by the thread.
///            The mean of q_y^2 is that of the rows of the call, whoever divides by more
/// @source    Yang et al. 2023, arXiv:2303.13005, section 3.3; cls_KD, `uskd.py`. There the order is taken of log q in the
///            place of q, with the label among the others, so that a place is missing (`self_ranking::of_code`); 1e-6 is
///            added to 1 - w_y; and a mixed label has its two largest classes as labels
/// @example   distil::universal_self_kd.with_grad(student, weak, labels, gradient);
///            0.005 * distil::cross_entropy.term(labels, {.label_smoothing = 0.1}) on the weak logits
inline constexpr universal_self_kd_loss universal_self_kd{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
