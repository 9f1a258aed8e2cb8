#pragma once

#include <algorithm>
#include <array>

#include "distil/core/map_weights.hpp"
#include "distil/matrix/layer_pair.hpp"
#include "distil/relation/samples/instance_graph.hpp"

namespace distil {

struct instance_relation_graph_options {
  /// Multiplies the edges of both layers' graphs, the mean of the two; finite and >= 0. Default 5
  /// (Knowledge-Distillation-Zoo).
  double edge_weight = 5.0;

  /// Multiplies the way from one layer's graph to the other's; finite and >= 0. Default 5, likewise. Above 0, the student's
  /// layers must have one shape, and the teacher's (pool the larger one).
  double transformation_weight = 5.0;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Adds the gradients to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

/// The weighted sum, and the terms without any weight; 0 of a transformation with weight 0.
struct instance_relation_graph_value : loss_value {
  double edges = 0.0;
  double transformation = 0.0;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `instance_relation_graph`.
struct instance_relation_graph_loss
    : layer_pair_loss<instance_relation_graph_loss, instance_relation_graph_options,
                      instance_relation_graph_value> {
  static constexpr char const* name = "instance_relation_graph";
  static constexpr error_bound bound{.value = 32, .gradient = 128};

  using shapes = layer_pair<std::array<index, 4>, std::array<index, 4>>;

  static void check(shapes const& students, shapes const& teachers,
                    instance_relation_graph_options const& options) {
    bool const alike = options.transformation_weight > 0.0;
    detail::require_same_axes(name, "student's second layer", students.second, students.first,
                              {true, alike, alike, alike});
    detail::require_same_axes(name, "teacher", teachers.first, students.first, {true, false, false, false});
    detail::require_same_axes(name, "teacher's second layer", teachers.second, students.first,
                              {true, false, false, false});
    detail::require(
        !alike || teachers.second == teachers.first, name, "teacher's second layer",
        [&] { return detail::map_text(teachers.second); },
        [&] { return detail::said(detail::map_text(teachers.first), " as the teacher's first layer"); });
  }

  static void check_numbers(instance_relation_graph_options const& options, detail::computing_type type) {
    detail::require_factor(name, "edge_weight", options.edge_weight, type);
    detail::require_factor(name, "transformation_weight", options.transformation_weight, type);
  }

  template <class T>
  static instance_relation_graph_value evaluate(detail::any_policy policy,
                                                kernels::layer_operands<T> const& operands,
                                                instance_relation_graph_options const& options) {
    using graph = kernels::instance_graph<T>;
    auto const& [first, second] = operands;
    index const samples = first.student.samples;
    if (samples == 0) return {};
    index const sizes[] = {graph::room(first.student), graph::room(second.student),
                           graph::room(first.teacher), graph::room(second.teacher)};
    index const of_gradients = samples * (first.student.sample_size() + second.student.sample_size());
    T* memory = simd::scratch<T, instance_relation_graph_loss>(sizes[0] + sizes[1] + sizes[2] + sizes[3] +
                                                               of_gradients + 2 * samples);
    graph const one(policy, first.student, memory), other(policy, second.student, memory += sizes[0]);
    graph const teacher(policy, first.teacher, memory += sizes[1]);
    graph const other_teacher(policy, second.teacher, memory += sizes[2]);
    matrix_view<T> const slopes(memory += sizes[3], samples, one.rows.columns);
    matrix_view<T> const other_slopes(slopes.data + samples * slopes.columns, samples, other.rows.columns);
    T* const moved = other_slopes.data + samples * other_slopes.columns;
    bool const wants_gradient = static_cast<bool>(first.gradient);

    instance_relation_graph_value result;
    double const half = 0.5 * options.edge_weight;
    result.edges = 0.5 * (edges<T>(policy, one, teacher, half, wants_gradient, slopes) +
                          edges<T>(policy, other, other_teacher, half, wants_gradient, other_slopes));
    if (options.transformation_weight > 0.0) {
      distances(policy, one.rows, other.rows, moved);
      distances(policy, teacher.rows, other_teacher.rows, moved + samples);
      kernels::by_largest<T> const way(moved, moved + samples, samples);
      double const mean = 1.0 / static_cast<double>(samples);
      result.transformation = mean * way.subtract(moved, moved + samples, samples);
      if (wants_gradient) {
        moved[samples + way.at] +=
            way.pull_back(moved, moved + samples, samples, 2.0 * mean * options.transformation_weight);
        move(policy, one.rows, other.rows, moved + samples, slopes, other_slopes);
      }
    }
    result.value = options.edge_weight * result.edges + options.transformation_weight * result.transformation;
    result.weight = static_cast<double>(samples);
    if (wants_gradient) {
      write<T>(policy, slopes, first.gradient);
      write<T>(policy, other_slopes, second.gradient);
    }
    return result;
  }

 private:
  /// The mean squared difference of the edges; `weight` times its gradient by the student's samples is written.
  template <class T>
  static double edges(detail::any_policy policy, kernels::instance_graph<T> const& student,
                      kernels::instance_graph<T> const& teacher, double weight, bool wants_gradient,
                      matrix_view<T> gradient) {
    index const samples = student.rows.rows, pairs = samples * samples;
    T const* const ours = student.squared.data;
    T* const differences = teacher.squared.data;
    kernels::by_largest<T> const edge(ours, differences, pairs);
    double const mean = 1.0 / static_cast<double>(pairs);
    double const value = mean * edge.subtract(ours, differences, pairs);
    if (!wants_gradient) return value;
    // The weight of a pair is four times the derivative by its distance; the largest lies at both (i, j) and (j, i).
    T const through_largest = edge.pull_back(ours, differences, pairs, 4.0 * weight * 2.0 * mean) / T(2);
    teacher.squared(edge.at / samples, edge.at % samples) += through_largest;
    teacher.squared(edge.at % samples, edge.at / samples) += through_largest;
    kernels::pull_back_distances<T>(policy, student.centred, student.squared, student.squares,
                                    teacher.squared, gradient);
    return value;
  }

  /// |x_n - y_n|^2
  template <class T>
  static void distances(detail::any_policy policy, matrix_view<T> x, matrix_view<T> y, T* result) {
    simd::for_chunks(policy, x.rows, simd::worth_a_chunk(x.columns), x.rows * x.columns,
                     [&](index first, index last) {
                       for (index n = first; n < last; ++n)
                         result[n] = kernels::squared_distance_of(&x(n, 0), &y(n, 0), x.columns);
                     });
  }

  /// Adds what the derivatives by these distances give back.
  template <class T>
  static void move(detail::any_policy policy, matrix_view<T> x, matrix_view<T> y, T const* slope,
                   matrix_view<T> by_x, matrix_view<T> by_y) {
    simd::for_chunks(policy, x.rows, simd::worth_a_chunk(x.columns), x.rows * x.columns,
                     [&](index first, index last) {
                       for (index n = first; n < last; ++n) {
                         simd::lanes<T> const twice(T(2) * slope[n]);
                         simd::for_each_register<T>(x.columns, [&](auto place) {
                           simd::lanes<T> const step = (place.load(&x(n, 0)) - place.load(&y(n, 0))) * twice;
                           place.store(place.load(&by_x(n, 0)) + step, &by_x(n, 0));
                           place.store(place.load(&by_y(n, 0)) - step, &by_y(n, 0));
                         });
                       }
                     });
  }

  template <class T>
  static void write(detail::any_policy policy, matrix_view<T> slopes, kernels::map_target<T> const& target) {
    kernels::sample_form const form(kernels::rows_of::channels, true);
    simd::for_chunks(policy, slopes.rows, simd::worth_a_chunk(slopes.columns), slopes.rows * slopes.columns,
                     [&](index first, index last) {
                       for (index n = first; n < last; ++n) {
                         T* const own = &slopes(n, 0);
                         auto const to = target.sample(n, form, own);
                         if (to.data != own) std::copy(own, own + slopes.columns, to.data);
                         target.finish(n, form, to);
                       }
                     });
  }
};

/// The samples of a batch are as far from each other for the student as for the teacher, at two layers, and as far from
/// one layer to the next. The method's third term, that of the vertices, is `hint` of logits, with a weight of 0.1.
/// Student and teacher may differ in all but the samples. @alias IRG, instance relationship graph
///
/// @formula   L = edge_weight (E_1 + E_2) / 2 + transformation_weight mean_n (q_n / max q - q'_n / max q')^2, E_l =
///            mean_ij (Q_ij / max Q - Q'_ij / max Q')^2, Q_ij = |x_i - x_j|^2 within a layer, q_n = |x_n - y_n|^2 from
///            the first layer's x to the second's y, primes the teacher's
/// @param     students  `layers(first, second)`, feature maps or matrices of the same samples
/// @param     teachers  `layers(first, second)` of these samples
/// @param     gradients `layers(by_first, by_second)`, each of its student layer's shape, overwritten or added; may be
///                      that layer itself, apart from all else
/// @gradient  with d the differences: 2 d / (n max), by the largest -sum 2 d Q / (n max^2) besides, then 2 (x_i - x_j).
///            Of equal largest distances the first has it. Where all are 0, they stay so, and there is no gradient
/// @throws    std::invalid_argument when a shape or weight is refused; nothing is written then
/// @error     `bound` epsilons of the sum of the weights for the value, of the largest
///            element for the gradient. Squared lengths must be in the range of the type
/// @nan       rows are coupled: NaN makes the value NaN. Without samples, and of one, 0 for the edges
/// @cost      B^2 / 2 products of samples a map, B^2 more with gradient; B^2 numbers of scratch a map, and its copy twice
/// @source    Liu et al. 2019, "Knowledge Distillation via Instance Relationship Graph"; Knowledge-Distillation-Zoo
///            divides by the largest, and adds a third graph, of the last features
/// @example   distil::instance_relation_graph.with_grad(layers(s1, s2), layers(t1, t2), layers(gradient1, gradient2))
inline constexpr instance_relation_graph_loss instance_relation_graph{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
