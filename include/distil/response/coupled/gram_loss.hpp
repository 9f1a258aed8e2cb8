#pragma once

#include "distil/response/coupled/grams.hpp"

namespace distil {

/// Options of `class_correlation` and `batch_correlation`.
struct gram_options {
  /// Divides both logits before the softmax; within [1e-15, 1e15]. Default 4.
  double temperature = 4.0;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its logits hold. Default 1.
  double weight = 1.0;

  /// Which rows count, and how much.
  coupled_rows rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write dL/dT: one element. Overwritten. Default: nowhere.
  std::span<double> temperature_gradient = {};
};

/// A weighted sum of both, and each without its weight; one without weight is not computed.
struct gram_value : loss_value {
  double of_classes = 0.0;
  double of_batch = 0.0;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

template <class Storage, teacher_form Form>
struct gram_term : distribution_term<Storage, Form> {
  static constexpr bool symmetric = true;
  static constexpr bool squared = false;
  double class_weight, batch_weight;

  gram_term(dense_teacher<Storage, Form> const& the_teacher, gram_options const& options, double of_classes,
            double of_batch)
      : distribution_term<Storage, Form>(the_teacher, options.temperature,
                                         detail::as_row_options(options.rows), options.temperature_gradient),
        class_weight(of_classes),
        batch_weight(of_batch) {}

  void check_numbers(char const* where, detail::computing_type type) const {
    detail::require_factor(where, "class_weight", class_weight, type);
    detail::require_factor(where, "batch_weight", batch_weight, type);
  }

  template <class Policy, class T>
  [[nodiscard]] gram_value evaluate(Policy policy, coupled_batch<T> const& batch) const {
    gram_value result{};
    if (class_weight > 0.0 || batch_weight > 0.0) {
      gram_pair const found = compare_grams(policy, batch, class_weight, batch_weight);
      result.of_classes = class_weight > 0.0 ? found.inner : 0.0;
      result.of_batch = batch_weight > 0.0 ? found.outer : 0.0;
    }
    result.value = class_weight * result.of_classes + batch_weight * result.of_batch;
    return result;
  }
};

}  // namespace kernels
}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
