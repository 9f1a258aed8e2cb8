#pragma once

#include <cmath>

#include "distil/core/sample_weights.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/products.hpp"
#include "distil/simd/chunk_sums.hpp"
#include "distil/simd/vectors.hpp"

namespace distil {

struct softmax_regression_options {
  /// Of the features' distance; finite and >= 0. Default 1, as published.
  double feature_weight = 1.0;

  /// Of the distance between the teacher's classifier's scores; finite and >= 0. Default 5.
  double score_weight = 5.0;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// One number or one per sample; finite and >= 0. Default 1.
  row_parameter weights = 1;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

/// What `softmax_regression` returns: its value, and what the two parts add to it.
struct softmax_regression_value : loss_value {
  double features = 0.0;  ///< feature_weight * the features' distance
  double scores = 0.0;    ///< score_weight * the scores' distance

  constexpr void multiply(double factor) noexcept { value *= factor, features *= factor, scores *= factor; }
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `softmax_regression`.
struct softmax_regression_loss {
  using options_type = softmax_regression_options;
  static constexpr char const* name = "softmax_regression";
  static constexpr error_bound bound{.value = 64, .gradient = 64};

  template <matrix_argument Student, class Teacher, class Classifier>
  [[nodiscard]] softmax_regression_value operator()(Student const& student, Teacher const& teacher,
                                                    Classifier const& classifier,
                                                    softmax_regression_options const& options = {}) const {
    return (*this)(serial, student, teacher, classifier, options);
  }

  template <execution_policy Policy, class Student, class Teacher, class Classifier>
  [[nodiscard]] softmax_regression_value operator()(Policy policy, Student const& student,
                                                    Teacher const& teacher, Classifier const& classifier,
                                                    softmax_regression_options const& options = {}) const {
    auto const from = detail::input_map(student);
    auto const to = detail::input_map(teacher);
    auto const by = detail::map_of_matrix(detail::input_view(classifier));
    check(from, to, by, options);
    using T = arithmetic<decltype(from), decltype(to), decltype(by)>;
    return weighed<T>(detail::any_policy(policy), {source<T>(from), source<T>(to), {}}, source<T>(by),
                      options);
  }

  template <matrix_argument Student, class Teacher, class Classifier, class Gradient>
  softmax_regression_value with_grad(Student const& student, Teacher const& teacher,
                                     Classifier const& classifier, Gradient&& gradient,
                                     softmax_regression_options const& options = {}) const {
    return with_grad(serial, student, teacher, classifier, std::forward<Gradient>(gradient), options);
  }

  template <execution_policy Policy, class Student, class Teacher, class Classifier, class Gradient>
  softmax_regression_value with_grad(Policy policy, Student const& student, Teacher const& teacher,
                                     Classifier const& classifier, Gradient&& gradient,
                                     softmax_regression_options const& options = {}) const {
    auto const from = detail::input_map(student);
    auto const to = detail::input_map(teacher);
    auto const by = detail::map_of_matrix(detail::input_view(classifier));
    auto const output = detail::output_map(std::forward<Gradient>(gradient));
    check(from, to, by, options);
    detail::require_gradient(name, output, from, to);
    detail::require(detail::overlap_of(output, by) == detail::overlap::none, name, "gradient",
                    "overlapping the classifier", "apart from the classifier");
    using T = arithmetic<decltype(from), decltype(to), decltype(by)>;
    bool const apart = detail::overlap_of(output, from) == detail::overlap::none;
    return weighed<T>(detail::any_policy(policy),
                      {source<T>(from), source<T>(to), {output, options.accumulate, apart, options.weight}},
                      source<T>(by), options);
  }

 private:
  static constexpr auto order = kernels::rows_of::channels;

  template <class... Maps>
  using arithmetic = std::common_type_t<arithmetic_t<std::remove_const_t<typename Maps::element>>...>;
  template <class T>
  using source = kernels::map_source<T>;

  template <class S, class Te, class C>
  static void check(feature_map<S> const& student, feature_map<Te> const& teacher,
                    feature_map<C> const& classifier, softmax_regression_options const& options) {
    detail::require_map(name, "student", student);
    detail::require_map(name, "teacher", teacher);
    detail::require_same_axes(name, "teacher", teacher.shape(), student.shape(), {true, true, false, false});
    // One sample, whose channels are the classes.
    detail::require(
        classifier.channels >= 1 && classifier.width == student.channels, name, "classifier",
        [&] { return detail::shape_text(classifier.channels, classifier.width); },
        [&] { return "classes x " + std::to_string(student.channels) + ", the student's channels"; });
    detail::require(classifier.data != nullptr, name, "classifier", "a null pointer", "a matrix");
    auto const type =
        detail::computing_type::of<arithmetic<feature_map<S>, feature_map<Te>, feature_map<C>>>();
    detail::require_loss_weight(name, options.weight, type);
    detail::require_factor(name, "feature_weight", options.feature_weight, type);
    detail::require_factor(name, "score_weight", options.score_weight, type);
  }

  template <class T>
  static softmax_regression_value weighed(detail::any_policy policy,
                                          kernels::pair_operands<T> const& operands,
                                          kernels::map_source<T> const& classifier,
                                          softmax_regression_options const& options) {
    return detail::weighed(
        options, [&] { return evaluate<T>(policy, operands, classifier, options); },
        [&] { operands.gradient.clear(); });
  }

  template <class T>
  static softmax_regression_value evaluate(detail::any_policy policy,
                                           kernels::pair_operands<T> const& operands,
                                           kernels::map_source<T> const& classifier,
                                           softmax_regression_options const& options) {
    struct of_batch {};
    struct of_classifier {};
    index const samples = operands.student.samples, channels = operands.student.channels;
    index const classes = classifier.channels;
    detail::sample_weights const weights(name, options.weights, samples);
    if (samples == 0) return {};
    T* const memory = simd::scratch<T, of_batch>(samples * (channels + classes));
    matrix_view<T> const difference(memory, samples, channels);
    matrix_view<T> const scores(memory + samples * channels, samples, classes);
    auto const by = classifier.sample(0, order, simd::scratch<T, of_classifier>(classes * channels));

    pool_difference(policy, operands, weights, difference);
    kernels::multiply_by_transpose<T>(policy, difference, by, scores);
    double const feature_factor = weights.mean_factor(static_cast<double>(channels)) * options.feature_weight;
    double const score_factor = weights.mean_factor(static_cast<double>(classes)) * options.score_weight;
    softmax_regression_value result;
    result.features = feature_factor * slopes_of_squares<T>(policy, difference, weights, feature_factor);
    result.scores = score_factor * slopes_of_squares<T>(policy, scores, weights, score_factor);
    result.value = result.features + result.scores;
    result.weight = weights.total();
    if (operands.gradient) {
      kernels::multiply<T>(policy, scores, by, difference, kernels::into::add);
      share_out<T>(policy, operands, difference);
    }
    return result;
  }

  /// Rows of pooled student less pooled teacher; zeros where a sample does not count.
  template <class T>
  static void pool_difference(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                              detail::sample_weights const& weights, matrix_view<T> difference) {
    index const size = operands.student.sample_size() + operands.teacher.sample_size();
    simd::for_chunks(
        policy, difference.rows, simd::worth_a_chunk(size), difference.rows * size,
        [&](index first, index last) {
          T* const memory = simd::scratch<T, softmax_regression_loss>(size);
          for (index n = first; n < last; ++n) {
            auto const s = operands.student.sample(n, order, memory);
            auto const t = operands.teacher.sample(n, order, memory + operands.student.sample_size());
            for (index c = 0; c < s.rows; ++c)
              difference(n, c) =
                  weights[n] > 0.0 ? mean_of(&s(c, 0), s.columns) - mean_of(&t(c, 0), t.columns) : T(0);
          }
        });
  }

  template <class T>
  static T mean_of(T const* values, index size) {
    if (size == 1) return *values;
    return simd::sum_of<T>(size, [&](auto at) { return at.load(values); }) / static_cast<T>(size);
  }

  /// The weighted sum of squares; x becomes 2 weight factor x.
  template <class T>
  static double slopes_of_squares(detail::any_policy policy, matrix_view<T> x,
                                  detail::sample_weights const& weights, double factor) {
    return simd::sum_chunks(policy, x.rows, simd::worth_a_chunk(x.columns), x.rows * x.columns,
                            [&](index first, index last, index) {
                              double total = 0.0;
                              for (index n = first; n < last; ++n) {
                                T* const row = &x(n, 0);
                                simd::lanes<T> const by(static_cast<T>(2.0 * weights[n] * factor));
                                total +=
                                    weights[n] * static_cast<double>(simd::sum_of<T>(x.columns, [&](auto at) {
                                      auto const value = at.load(row);
                                      at.store(value * by, row);
                                      return value * value;
                                    }));
                              }
                              return total;
                            });
  }

  template <class T>
  static void share_out(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                        matrix_view<T const> slope) {
    index const size = operands.student.sample_size();
    auto const positions = static_cast<T>(operands.student.positions());
    simd::for_chunks(policy, slope.rows, simd::worth_a_chunk(size), slope.rows * size,
                     [&](index first, index last) {
                       T* const memory = simd::scratch<T, softmax_regression_loss>(size);
                       for (index n = first; n < last; ++n) {
                         auto const written = operands.gradient.sample(n, order, memory);
                         for (index c = 0; c < written.rows; ++c) {
                           T* const row = &written(c, 0);
                           std::fill(row, row + written.columns, slope(n, c) / positions);
                         }
                         operands.gradient.finish(n, order, written);
                       }
                     });
  }
};

/// The student's pooled features resemble the teacher's, and the teacher's classifier says the same of both.
/// @alias SRRL
///
/// @formula   L = feature_weight mean d^2 + score_weight mean (W d)^2 with d = pool(s) - pool(t), means over positions:
///            W s + b and the teacher's own logits W t + b differ by W d
/// @param     student    feature map, samples x channels x height x width, behind the connector; or a matrix, pooled
///            before
/// @param     teacher    of the student's samples and channels, of a height and width of its own
/// @param     classifier [classes, channels], the teacher's last layer without its bias
/// @param     gradient   of the student's shape, dL/ds, overwritten or added; may be the student itself, never the
///            others
/// @gradient  (2 feature_weight d / (N D) + 2 score_weight W'W d / (N C)) / positions
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound` epsilons of the value that magnitudes of s, t and W would have; of the
///            gradient's largest element
/// @nan       a NaN makes the value and its sample's gradient NaN. Without samples, or
///            where nothing counts: 0
/// @cost      reads two maps and writes one, 2 N D C multiplications (4 with gradient); N (D + C) + D C numbers of
///            scratch
/// @source    Yang et al. 2021 (Knowledge distillation via softmax regression representation learning), equations 4 and
///            7, and their code, which takes MSE of the scores
/// @example   distil::softmax_regression.with_grad(student, teacher, weights_of_last_layer, gradient)
inline constexpr softmax_regression_loss softmax_regression{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
