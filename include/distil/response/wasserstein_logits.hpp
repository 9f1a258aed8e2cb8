#pragma once

#include <cmath>

#include "distil/response/distribution/rows.hpp"
#include "distil/response/distribution/transport_solver.hpp"

namespace distil {

/// Options of `wasserstein_logits`.
struct wasserstein_logits_options {
  /// Divides both logits before the softmax: one number or one per row; within [1e-15, 1e15]. Default 2, as in the
  /// authors' code.
  row_parameter temperature = 2;

  /// Multiplies the transport by T^2. Default false, as in the authors' code.
  bool scale_by_temperature_squared = false;

  /// Strength of the entropy of the plan; within [1e-3, 1e3]. Default 0.05, as in the paper.
  double epsilon = 0.05;

  /// Of Sinkhorn's algorithm, within [1, 1000]. Default 10, as in the authors' code.
  int iterations = 10;

  /// Default: exact.
  transport_gradient gradient = transport_gradient::exact;

  /// Separates each row's label from its other classes, among which alone mass is then transported; rows with
  /// `rows.ignore_label` do not count. Default: none, and all classes are transported.
  label_view labels = {};

  /// Multiplies the transport; finite and >= 0. Default 1.
  double transport_weight = 1.0;

  /// Multiplies what labels add, -p_y log q_y at temperature 1; finite and >= 0. Default 1.
  double target_weight = 1.0;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its logits hold. Default 1.
  double weight = 1.0;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// Rows of the transport between q and p.
template <class Storage, teacher_form Form, class Cost>
class wasserstein_logits_term : public distribution_term<Storage, Form> {
  using base = distribution_term<Storage, Form>;
  struct of_costs {};
  struct of_rows {};

 public:
  static constexpr bool logarithmic = true;
  static constexpr bool logarithmic_teacher = true;

  wasserstein_logits_term(dense_teacher<Storage, Form> const& the_teacher,
                          matrix_view<Cost const> const& cost, wasserstein_logits_options const& options)
      : base(the_teacher, options.temperature, options.rows), cost_(cost), options_(options) {
    this->labels_of_loss = options.labels;
  }

  void check(char const* where, index row_count, index columns) const {
    base::check(where, row_count, columns);
    detail::require(
        cost_.rows == columns && cost_.columns == columns, where, "cost",
        [&] { return detail::shape_text(cost_.rows, cost_.columns); },
        [&] { return detail::said(detail::shape_text(columns, columns), ", from each class to each"); });
    detail::require(cost_.data != nullptr, where, "cost", "a null pointer", "a matrix");
    detail::require_transport(where, options_.epsilon, options_.iterations, options_.gradient);
    if (options_.labels.size() > 0) detail::require_size(where, "labels", options_.labels.size(), row_count);
  }

  void check_numbers(char const* where, detail::computing_type type) const {
    detail::require_factor(where, "transport_weight", options_.transport_weight, type);
    detail::require_factor(where, "target_weight", options_.target_weight, type);
  }

  void check_apart(char const* where, detail::matrix_extent const& gradient) const {
    base::check_apart(where, gradient);
    detail::require_apart(where, gradient, "cost", cost_);
  }

  void inspect(char const* where, index row_count, index columns) const {
    base::inspect(where, row_count, columns);
    for (index row = 0; row < options_.labels.size(); ++row) {
      std::int64_t const label = options_.labels[row];
      detail::require((label >= 0 && label < columns) || label == this->rows.ignore_label, where, "label",
                      [&] { return detail::said(label, " in row ", row); },
                      [&] {
                        return detail::said("within [0, ", columns, ") or the ignored label ",
                                            this->rows.ignore_label);
                      });
    }
    for (index i = 0; i < columns; ++i) {
      for (index j = 0; j < columns; ++j) {
        double const cost = detail::widen<double>(cost_(i, j));
        detail::require(
            std::isfinite(cost), where, "cost", [&] { return detail::said(cost, " at ", i, ", ", j); },
            "finite");
      }
    }
  }

  /// The costs over epsilon.
  template <class T>
  [[nodiscard]] T const* prepare(index classes) const {
    (void)reserve<T>(classes);
    T* const scaled = simd::scratch<T, of_costs>(classes * classes);
    for (index i = 0; i < classes; ++i) {
      for (index j = 0; j < classes; ++j) {
        scaled[i * classes + j] = static_cast<T>(detail::widen<double>(cost_(i, j)) / options_.epsilon);
      }
    }
    return scaled;
  }

  template <class T>
  [[nodiscard]] double row(T const* scaled_cost, whole_row<T> const& here) const {
    index const classes = here.classes;
    index const label = options_.labels.size() > 0 ? static_cast<index>(options_.labels[here.row]) : -1;
    bool const wants_gradient = here.upstream != nullptr;
    if (wants_gradient) std::fill(here.upstream, here.upstream + classes, T(0));
    double value = 0.0;
    if (options_.transport_weight > 0.0) {
      transport_solver<T> const solver(scaled_cost, classes, classes, static_cast<T>(options_.epsilon),
                                       options_.iterations, reserve<T>(classes));
      double const factor =
          options_.transport_weight *
          (options_.scale_by_temperature_squared ? here.temperature * here.temperature : 1.0);
      bool const any = leave_out(here.student, classes, label, solver.log_rows()) &&
                       leave_out(here.teacher, classes, label, solver.log_columns());
      if (any) {
        value += factor * solver.solve();
        if (wants_gradient) pull_back_masses(here, label, solver, static_cast<T>(factor) * here.scale);
      }
    }
    if (label >= 0 && options_.target_weight > 0.0) value += options_.target_weight * target(here, label);
    return value;
  }

 private:
  template <class T>
  [[nodiscard]] T* reserve(index classes) const {
    return simd::scratch<T, of_rows>(transport_solver<T>::memory(classes, classes, options_.iterations));
  }

  /// log sum e^(scale * x) of log-probabilities, without one class.
  template <class T>
  static T log_sum(T const* values, index classes, index without, double scale) {
    T top = -simd::infinity<T>;
    double sum = 0.0;
    for (index i = 0; i < classes; ++i) {
      if (i != without) top = values[i] > top || std::isnan(values[i]) ? values[i] : top;
    }
    if (top == -simd::infinity<T>) return top;
    for (index i = 0; i < classes; ++i) {
      if (i != without) sum += std::exp(scale * static_cast<double>(values[i] - top));
    }
    return static_cast<T>(scale * static_cast<double>(top) + std::log(sum));
  }

  /// Logarithms of the masses of the classes but one, which sum to one again. False when there are none.
  template <class T>
  static bool leave_out(T const* log_probabilities, index classes, index label, T* to) {
    if (label < 0) {
      std::copy(log_probabilities, log_probabilities + classes, to);
      return true;
    }
    T const sum = log_sum(log_probabilities, classes, label, 1.0);
    if (sum == -simd::infinity<T>) return false;
    for (index i = 0; i < classes; ++i) to[i] = i == label ? -simd::infinity<T> : log_probabilities[i] - sum;
    return true;
  }

  /// By log a, and from there by log q: log a_i = log q_i - log sum q_j, both without the label.
  template <class T>
  void pull_back_masses(whole_row<T> const& here, index label, transport_solver<T> const& solver,
                        T scale) const {
    T const* const slope = solver.differentiate_by_log_rows(options_.gradient);
    T const sum =
        label < 0 ? T(0) : simd::sum_of<T>(here.classes, [&](auto place) { return place.load(slope); });
    for (index i = 0; i < here.classes; ++i) {
      T const log_mass = solver.log_rows()[i];
      T const share = label < 0 ? T(0) : std::exp(log_mass) * sum;
      here.upstream[i] = log_mass == -simd::infinity<T> ? T(0) : scale * (slope[i] - share);
    }
  }

  /// -p_y log q_y at temperature 1, whose logits are T log q and, for a teacher that moves with T, T log p.
  template <class T>
  [[nodiscard]] double target(whole_row<T> const& here, index label) const {
    double const own = here.temperature, of_teacher = this->teacher.moves() ? own : 1.0;
    T const sum = log_sum(here.student, here.classes, -1, own);
    T const teacher_sum = log_sum(here.teacher, here.classes, -1, of_teacher);
    double const p =
        std::exp(of_teacher * static_cast<double>(here.teacher[label]) - static_cast<double>(teacher_sum));
    double const log_q = own * static_cast<double>(here.student[label]) - static_cast<double>(sum);
    if (here.upstream != nullptr) {
      double const pull = options_.target_weight * own * p * static_cast<double>(here.scale);
      for (index i = 0; i < here.classes; ++i) {
        double const q = std::exp(own * static_cast<double>(here.student[i]) - static_cast<double>(sum));
        here.upstream[i] += static_cast<T>(pull * (i == label ? q - 1.0 : q));
      }
    }
    return p == 0.0 ? 0.0 : -p * log_q;
  }

  matrix_view<Cost const> cost_;
  wasserstein_logits_options options_;
};

template <class Storage, teacher_form Form, class Cost>
auto make_wasserstein_term(dense_teacher<Storage, Form> const& teacher, matrix_view<Cost const> const& cost,
                           wasserstein_logits_options const& options) {
  return wasserstein_logits_term<Storage, Form, Cost>(teacher, cost, options);
}

}  // namespace kernels

/// See `wasserstein_logits`.
struct wasserstein_logits_loss : detail::ternary_face<wasserstein_logits_loss, wasserstein_logits_options,
                                                      loss_value, detail::any_argument> {
  static constexpr char const* name = "wasserstein_logits";
  static constexpr error_bound bound{.value = 16, .gradient = 64};

  template <class Student, class Teacher, class Cost, class Output>
  [[nodiscard]] static loss_value evaluate(detail::any_policy policy, Student const& student,
                                           Teacher const& teacher, Cost const& cost, Output const& output,
                                           wasserstein_logits_options const& options) {
    return kernels::evaluate_rows(
        name, policy, student, output, options.accumulate,
        detail::with_weight(
            name, options.weight,
            kernels::make_wasserstein_term(detail::as_teacher(teacher), detail::input_view(cost), options)));
  }
};

/// Wasserstein distance between the distributions of teacher and student over classes that are more or less alike:
/// mass that goes to a similar class costs little. @alias WKD-L, WKD, earth mover's distance, Sinkhorn
///
/// @formula   L = (1 / sum w) * sum_b w_b (transport_weight sum_ij P_ij M_ij - target_weight p1_y log q1_y); P the
///            plan between q = softmax(z / T) and p = softmax(t / T), after the given number of Sinkhorn's iterations
///            with epsilon, each fitting the teacher first and the student last. With labels y, q and p are those of
///            the other classes alone, normalised, and q1, p1 those of all classes at temperature 1; without, there
///            is no second term
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher  [rows, classes] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`
/// @param     cost     [classes, classes] M, finite, of any storage: from a class of the student to one of the
///            teacher, such as 1 - cosine of their prototypes (the rows of the teacher's last layer)
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never teacher or cost
/// @gradient  (h - q sum h) / T of h = dL/d log q, by going back through all iterations; with
///            `transport_gradient::fixed_plan` h = q epsilon log u of the scaling u of the student's rows, by the
///            envelope theorem the exact gradient of sum P M - epsilon H(P) once the iterations have converged, and
///            not that of the value
/// @throws    std::invalid_argument when a shape, option, weight, label or cost is refused; nothing is written then
/// @error     `bound`, times 1 + (largest |cost|) / epsilon, by which the plan magnifies
///            rounding, times the largest |cost|, and times the largest |z| / T of the row, whose logarithms are rounded
/// @nan       a NaN or +inf logit makes the loss and gradient of its row NaN, no other's; a row whose student or
///            teacher is fully masked counts for nothing. Where no class but the label has mass there is no transport
/// @cost      a row takes 2 C^2 exponentials an iteration, and 4 with the exact gradient: for classes by the hundred,
///            not for vocabularies. Scratch of a thread: 2 iterations + 13 numbers a class; of the calling one also
///            C^2
/// @source    Lv et al. 2024, Wasserstein distance rivals Kullback-Leibler divergence for knowledge distillation,
///            arXiv:2412.08139. The authors' code clamps costs at 0, adds 1e-8 to the sums of the iteration, begins
///            it with equal scalings instead of the student's masses, and differentiates by autograd; the limits are
///            the same
/// @example   distil::wasserstein_logits.with_grad(student, teacher, cost, gradient, {.labels = labels})
inline constexpr wasserstein_logits_loss wasserstein_logits{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
