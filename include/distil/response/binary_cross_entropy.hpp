#pragma once

#include <concepts>

#include "distil/response/binary/cross_entropy_kernel.hpp"
#include "distil/response/binary/one_column.hpp"

namespace distil {

/// Options of binary cross entropy.
struct binary_cross_entropy_options {
  /// Multiplies the loss of the positive outcome: one number or one per class; finite and >= 0. Default 1.
  class_parameter positive_weight = 1;

  /// Moves targets towards 1/2, within [0, 1]: y becomes (1 - s) y + s / 2. Default 0.
  double label_smoothing = 0.0;

  /// What a row is, and what a mean divides by. Default mean over the elements that count, as in PyTorch.
  over_elements elements = over_elements::mean;

  /// Multiplies the loss of each element, finite and >= 0: a matrix of the student's shape, of any numbers. An
  /// element of weight 0 does not influence the result, but is divided by; see `ignore_label`. Default: none.
  number_matrix element_weights = {};

  /// Weights, reduction, divisor of rows. Elements whose target is `ignore_label` do not count.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

namespace detail {

/// Targets of single elements.
struct element_targets : target_argument {
  template <class Argument>
  static constexpr bool takes = std::convertible_to<Argument const&, number_matrix>;
};

}  // namespace detail

inline namespace DISTIL_ARCH_NAMESPACE {

/// Binary cross entropy as a term of a sum.
struct binary_cross_entropy_term : element_term<detail::term_base> {
  using arithmetic = float;
  template <class T>
  using kernel = kernels::binary_cross_entropy_kernel<T>;

  class_parameter positive_weight;
  double label_smoothing;

  binary_cross_entropy_term(number_matrix const& the_targets, binary_cross_entropy_options const& options)
      : element_term({.rows = options.rows}, options.elements, the_targets, options.element_weights, true),
        positive_weight(options.positive_weight),
        label_smoothing(options.label_smoothing) {}

  void check(char const* where, index row_count, index columns) const {
    detail::require(targets.given(), where, "targets", "left out", "a matrix");
    check_elements(where, row_count, columns);
    detail::require(detail::is_share(label_smoothing), where, "label_smoothing", label_smoothing,
                    detail::must_be_share);
    if (positive_weight.per_row()) {
      detail::require(
          positive_weight.size() == columns, where, "positive_weight",
          [&] { return detail::said("of size ", positive_weight.size()); },
          [&] { return detail::said("one number or one per class, ", columns); });
    }
    detail::require_rows(where, rows, row_count);
  }

  void check_numbers(char const* where, detail::computing_type type) const {
    for (index c = 0; c < (positive_weight.per_row() ? positive_weight.size() : 1); ++c) {
      detail::require_factor(where, "positive_weight", positive_weight[c], type);
    }
  }

  void check_apart(char const* where, detail::matrix_extent const& gradient) const {
    check_elements_apart(where, gradient);
  }

  void inspect(char const* where, index row_count, index /*columns*/) const {
    detail::require_row_weights(where, rows);
    inspect_targets(where, row_count);
    inspect_element_weights(where, row_count);
  }

  [[nodiscard]] detail::row_weight weigh(bool /*student_is_masked*/, index row) const {
    return weigh_elements(row, targets.extent().columns);
  }

  [[nodiscard]] bool can_be_cut(index /*rows*/) const {
    return !positive_weight.per_row() || positive_weight.size() == 1;
  }
  /// The term of a column of elements as rows of so many.
  [[nodiscard]] binary_cross_entropy_term in_rows_of(index length) const {
    binary_cross_entropy_term result = *this;
    result.width = length;
    result.positive_weight = positive_weight[0];
    result.elements = over_elements::mean;
    result.targets = targets.column_in_rows_of(length);
    result.element_weights = element_weights.column_in_rows_of(length);
    return result;
  }
};

/// See `binary_cross_entropy`.
struct binary_cross_entropy_loss
    : detail::binary_face<binary_cross_entropy_loss, binary_cross_entropy_options, loss_value,
                          detail::element_targets> {
  static constexpr char const* name = "binary_cross_entropy";
  static constexpr error_bound bound{.value = 4, .gradient = 4};

  template <class Student, class Output>
  [[nodiscard]] static loss_value evaluate(detail::any_policy policy, Student const& student,
                                           number_matrix const& targets, Output const& output,
                                           binary_cross_entropy_options const& options) {
    auto const logits = detail::input_rows(student);
    binary_cross_entropy_term const whole(targets, options);
    objective_options const of_sum{.accumulate = options.accumulate};
    index const width = detail::width_of_column(logits, output, whole);
    if (width == 0) return simd::evaluate(name, policy, logits, output, of_sum, whole);
    return simd::evaluate(name, policy, detail::column_in_rows_of(width, logits),
                          detail::column_in_rows_of(width, output), of_sum, whole.in_rows_of(width));
  }

  /// As a term of `fuse`. Targets and spans must outlive the objective.
  [[nodiscard]] binary_cross_entropy_term term(number_matrix const& targets,
                                               binary_cross_entropy_options const& options = {}) const {
    detail::require(!options.accumulate, name, "accumulate", "set on a term", "set on the objective");
    return {targets, options};
  }
};

/// Cross entropy of independent sigmoids: multi-label heads, detectors, masks. @alias BCE, BCEWithLogitsLoss, sigmoid
/// cross entropy
///
/// @formula   L = (1 / n) * sum over elements that count of w_bi (-w+_i y log sigmoid(z) - (1 - y) log(1 -
///            sigmoid(z))), n their number; y the smoothed target [nats]. See `over_elements` for other divisors
/// @param     student  [rows, classes] logits; a column, too: a mask of one channel
/// @param     targets  [rows, classes] of any numbers within [0, 1], `bool` and integers included; one that is
///            `rows.ignore_label` leaves its element out of sum and divisor. Of a column also a vector
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the targets
/// @gradient  w_bi / n * ((1 - y) sigmoid(z) - w+_i y sigmoid(-z))
/// @throws    std::invalid_argument when a shape, option, weight or target is refused; nothing is written then
/// @error     `bound`, relative to each element alone: `value` to its loss, `gradient` to w_bi max(w+_i y sigmoid(-z),
///            (1 - y) sigmoid(z))
/// @nan       a NaN logit or target makes the loss and gradient of its row NaN, no other's. Infinite logits are those
///            of the probabilities 0 and 1, and mask nothing: the loss is +inf where the target is another, else 0
/// @cost      one read of student and targets and one write, 1 exponential and 1 logarithm an element; a read of the
///            targets before, and of element weights; 1 number of scratch a class. A column of which nothing is said
///            row by row is as fast as a matrix where its length has a divisor from 256 to 4096
/// @source    PyTorch's BCEWithLogitsLoss with `weight`, `pos_weight` and its mean over elements; what is ignored
///            there has to be cut out. TensorFlow and Keras smooth as here. iCaRL's public codes sum over classes
///            (GMvandeVen: `over_elements::row_sum`) or average (mammoth)
/// @example   distil::binary_cross_entropy.with_grad(student, labels, gradient, {.positive_weight = 3})
inline constexpr binary_cross_entropy_loss binary_cross_entropy{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
