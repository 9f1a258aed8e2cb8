#pragma once

#include <algorithm>

#include "distil/core/execution.hpp"
#include "distil/core/loss_weight.hpp"
#include "distil/core/map_values.hpp"
#include "distil/matrix/operands.hpp"
#include "distil/simd/chunk_sums.hpp"
#include "distil/simd/soft_rows.hpp"

namespace distil {

struct semantic_calibration_options {
  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Of samples: one number or one per sample; finite and >= 0. The loss is their weighted mean. What has weight 0 does
  /// not count and may be NaN. Default 1.
  row_parameter weights = 1;

  /// Adds the gradients to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write the loss of each sample before its weight, what it would give alone; one per sample, those that do not
  /// count get 0. Default: nowhere.
  std::span<double> values = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `semantic_calibration`.
struct semantic_calibration_loss {
  using options_type = semantic_calibration_options;
  static constexpr char const* name = "semantic_calibration";
  static constexpr error_bound bound{.value = 16, .gradient = 32};

  template <matrix_argument Students, class Teachers, class Scores>
  [[nodiscard]] loss_value operator()(Students const& students, Teachers const& teachers,
                                      Scores const& scores,
                                      semantic_calibration_options const& options = {}) const {
    return (*this)(serial, students, teachers, scores, options);
  }

  template <execution_policy Policy, class Students, class Teachers, class Scores>
  [[nodiscard]] loss_value operator()(Policy policy, Students const& students, Teachers const& teachers,
                                      Scores const& scores,
                                      semantic_calibration_options const& options = {}) const {
    auto const energies = detail::map_of_rows(detail::input_view(scores));
    check(students, teachers, energies);
    return evaluate(detail::any_policy(policy), students, teachers, energies,
                    static_cast<no_gradients*>(nullptr), energies, options);
  }

  template <matrix_argument Students, class Teachers, class Scores, class Gradients, class ScoreGradient>
  loss_value with_grad(Students const& students, Teachers const& teachers, Scores const& scores,
                       Gradients const& gradients, ScoreGradient&& score_gradient,
                       semantic_calibration_options const& options = {}) const {
    return with_grad(serial, students, teachers, scores, gradients,
                     std::forward<ScoreGradient>(score_gradient), options);
  }

  template <execution_policy Policy, class Students, class Teachers, class Scores, class Gradients,
            class ScoreGradient>
  loss_value with_grad(Policy policy, Students const& students, Teachers const& teachers,
                       Scores const& scores, Gradients const& gradients, ScoreGradient&& score_gradient,
                       semantic_calibration_options const& options = {}) const {
    auto const energies = detail::map_of_rows(detail::input_view(scores));
    auto const by_scores =
        detail::map_of_rows(detail::output_view(std::forward<ScoreGradient>(score_gradient)));
    check(students, teachers, energies);
    check_gradients(students, teachers, energies, gradients, by_scores);
    return evaluate(detail::any_policy(policy), students, teachers, energies, &gradients, by_scores, options);
  }

 private:
  struct no_gradients {};

  template <class Maps>
  static index size_of(Maps const& maps) {
    return static_cast<index>(maps.size());
  }
  template <class Maps>
  static auto map_at(Maps const& maps, index layer) {
    return detail::input_map(maps.data()[layer]);
  }
  template <class Maps>
  static auto target_at(Maps const& maps, index layer) {
    return detail::output_map(maps.data()[layer]);
  }

  template <class Students, class Teachers, class Energies>
  static void check(Students const& students, Teachers const& teachers, Energies const& energies) {
    index const layers = size_of(teachers);
    detail::require(layers >= 1, name, "teachers", "empty", "at least one layer");
    detail::require(
        size_of(students) == layers, name, "students", [&] { return std::to_string(size_of(students)); },
        [&] { return "one projection for each of the teacher's layers, " + std::to_string(layers); });
    detail::require_map(name, "scores", energies);
    for (index layer = 0; layer < layers; ++layer) {
      auto const student = map_at(students, layer);
      auto const teacher = map_at(teachers, layer);
      detail::require_map(name, "student", student);
      detail::require_map(name, "teacher", teacher);
      detail::require_same_axes(name, "teacher", teacher.shape(), student.shape(), {true, true, true, true});
      detail::require(
          energies.samples == student.samples && energies.channels == layers, name, "scores",
          [&] { return detail::shape_text(energies.samples, energies.channels); },
          [&] {
            return detail::said(detail::shape_text(student.samples, layers),
                                ", samples x layers of the teacher");
          });
    }
  }

  template <class Students, class Teachers, class Energies, class Gradients, class ScoreGradient>
  static void check_gradients(Students const& students, Teachers const& teachers, Energies const& energies,
                              Gradients const& gradients, ScoreGradient const& by_scores) {
    index const layers = size_of(teachers);
    detail::require(
        size_of(gradients) == layers, name, "gradients", [&] { return std::to_string(size_of(gradients)); },
        [&] { return "one for each of the student's projections, " + std::to_string(layers); });
    auto const require_apart = [](auto const& gradient, auto const& other) {
      detail::require(detail::overlap_of(gradient, other) == detail::overlap::none, name, "gradient",
                      "overlapping another argument", "apart from all but what it is the gradient of");
    };
    for (index layer = 0; layer < layers; ++layer) {
      auto const gradient = target_at(gradients, layer);
      detail::require_gradient(name, gradient, map_at(students, layer), map_at(teachers, layer));
      require_apart(gradient, energies);
      require_apart(gradient, by_scores);
      require_apart(by_scores, map_at(students, layer));
      for (index other = 0; other < layers; ++other) {
        if (other == layer) continue;
        require_apart(gradient, map_at(students, other));
        require_apart(gradient, map_at(teachers, other));
        require_apart(gradient, target_at(gradients, other));
      }
    }
    detail::require_gradient(name, by_scores, energies, map_at(teachers, 0));
    for (index layer = 1; layer < layers; ++layer) require_apart(by_scores, map_at(teachers, layer));
  }

  /// Where the gradient by `own` goes.
  template <class T, class Gradient, class Own>
  static kernels::map_target<T> target_of(Gradient const& gradient, Own const& own,
                                          semantic_calibration_options const& options) {
    return {gradient, options.accumulate, detail::overlap_of(gradient, own) == detail::overlap::none,
            options.weight};
  }

  template <class Maps>
  using arithmetic_of = arithmetic_t<std::remove_const_t<typename decltype(detail::input_map(
      std::declval<Maps const&>().data()[0]))::element>>;

  template <class Students, class Teachers, class Energies, class Gradients, class ScoreGradient>
  static loss_value evaluate(detail::any_policy policy, Students const& students, Teachers const& teachers,
                             Energies const& energies, Gradients const* gradients,
                             ScoreGradient const& by_scores, semantic_calibration_options const& options) {
    using T = std::common_type_t<arithmetic_of<Students>, arithmetic_of<Teachers>>;
    detail::require_loss_weight(name, options.weight, detail::computing_type::of<T>());
    return detail::weighed(
        options,
        [&] { return attend<T>(policy, students, teachers, energies, gradients, by_scores, options); },
        [&] {
          if constexpr (!std::is_same_v<Gradients, no_gradients>) {
            target_of<T>(by_scores, energies, options).clear();
            for (index layer = 0; layer < size_of(teachers); ++layer)
              target_of<T>(target_at(*gradients, layer), map_at(students, layer), options).clear();
          }
        });
  }

  template <class T, class Students, class Teachers, class Energies, class Gradients, class ScoreGradient>
  static loss_value attend(detail::any_policy policy, Students const& students, Teachers const& teachers,
                           Energies const& energies, Gradients const* gradients,
                           ScoreGradient const& by_scores, semantic_calibration_options const& options) {
    constexpr bool wants_gradient = !std::is_same_v<Gradients, no_gradients>;
    index const layers = size_of(teachers), samples = energies.samples;
    detail::map_weights const weights(name, options.weights, {samples, layers, 1, 1});
    detail::sample_values const values(name, options.values, samples);
    double const factor = weights.factor(feature_reduction::sample_mean);
    index largest = 0, elements = 0;
    for (index layer = 0; layer < layers; ++layer) {
      auto const map = map_at(students, layer);
      largest = std::max(largest, map.channels * map.positions());
      elements += map.size();
    }
    kernels::map_source<T> const scores(energies);
    kernels::map_target<T> target;
    if constexpr (wants_gradient) {
      target = target_of<T>(by_scores, energies, options);
    }
    kernels::sample_form const row(kernels::rows_of::positions);
    double const sum = simd::sum_chunks(
        policy, samples, simd::worth_a_chunk(elements / std::max<index>(1, samples)), elements,
        [&](index first, index last, index) {
          T* const memory = simd::scratch<T, semantic_calibration_loss>(3 * largest + 4 * layers);
          T* const energy = memory + 3 * largest;
          T* const share = energy + layers;
          T* const distance = share + layers;
          T* const slope = distance + layers;
          double total = 0.0;
          for (index n = first; n < last; ++n) {
            double const weight = weights.of(n, 0);
            if (weight > 0.0) {
              simd::softmax_of(scores.sample(n, row, energy).data, layers, T(1), share);
            } else {
              std::fill(share, share + layers, T(0));
            }
            double value = 0.0;
            for (index layer = 0; layer < layers; ++layer) {
              distance[layer] = of_layer(students, teachers, gradients, n, layer, share[layer],
                                         static_cast<T>(weight * factor), options, memory, largest);
              value += static_cast<double>(share[layer]) * static_cast<double>(distance[layer]);
            }
            if (weight > 0.0) {
              total += weight * value;
              values.add(n, value);
            }
            if constexpr (wants_gradient) {
              auto const to = target.sample(n, row, slope);
              for (index layer = 0; layer < layers; ++layer)
                to(0, layer) = static_cast<T>(weight * factor) * share[layer] *
                               static_cast<T>(static_cast<double>(distance[layer]) - value);
              target.finish(n, row, to);
            }
          }
          return total;
        });
    return {sum * factor, weights.total()};
  }

  /// The mean squared difference of one sample and layer, and its gradient. A layer without a share is not looked at.
  template <class Students, class Teachers, class Gradients, class T>
  static T of_layer(Students const& students, Teachers const& teachers,
                    [[maybe_unused]] Gradients const* gradients, index n, index layer, T share,
                    [[maybe_unused]] T factor, [[maybe_unused]] semantic_calibration_options const& options,
                    T* memory, index largest) {
    auto const map = map_at(students, layer);
    kernels::map_source<T> const student(map), teacher(map_at(teachers, layer));
    kernels::sample_form const form(student.natural_order(), true);
    index const size = student.sample_size();
    T const mean = T(1) / static_cast<T>(size);
    auto const compare = [&](T* slopes) {
      if (share == T(0)) {
        if (slopes != nullptr) std::fill(slopes, slopes + size, T(0));
        return T(0);
      }
      T const* const x = student.sample(n, form, memory).data;
      T const* const y = teacher.sample(n, form, memory + largest).data;
      simd::lanes<T> const scale(T(2) * factor * share * mean);
      return mean * simd::sum_of<T>(size, [&](auto place) {
               simd::lanes<T> const d = place.load(x) - place.load(y);
               if (slopes != nullptr) place.store(d * scale, slopes);
               return d * d;
             });
    };
    if constexpr (std::is_same_v<Gradients, no_gradients>) {
      return compare(nullptr);
    } else {
      auto const target = target_of<T>(target_at(*gradients, layer), map, options);
      auto const to = target.sample(n, form, memory + 2 * largest);
      T const result = compare(to.data);
      target.finish(n, form, to);
      return result;
    }
  }
};

/// One layer of the student resembles all layers of the teacher, each as much as the attention of the sample says. The
/// published loss is the mean of this over the student's layers. What makes the attention, the products of projected
/// similarity matrices, and the projections of the student's features are the user's, and get their gradients from those
/// by the scores and by the projected features. @alias SemCKD, cross-layer distillation with semantic calibration
///
/// @formula   L = mean_n sum_j softmax_j(score_n) mean (s_nj - t_nj)^2
/// @param     students  a vector or span of feature maps or matrices: the layer projected to each of the teacher's layers
/// @param     teachers  the teacher's layers, each of its projection's shape
/// @param     scores    [samples, layers of the teacher] energies of the attention, query times key; -inf leaves a layer
///                      out
/// @param     gradients a vector or span of maps of the projections' shapes, overwritten or added; each may be its own
///                      projection, apart from all else
/// @param     score_gradient [samples, layers] dL/dscore, likewise
/// @gradient  by s_nj 2 w a_nj (s - t) / (size_j n), by score_nj w a_nj (m_nj - sum_k a_nk m_nk) / n with a the
///            softmax, m the means and n the sum of the weights: exact through the attention, nothing is constant but
///            the teacher
/// @throws    std::invalid_argument when a shape or weight is refused; nothing is written then
/// @error     `bound` epsilons of the value; of the largest element of each gradient
/// @nan       NaN makes the value NaN, and gradients of its sample. Without samples, or where nothing counts: 0
/// @cost      reads each layer's two maps and writes one; 3 samples of scratch a thread
/// @source    Chen et al. 2021, "Cross-Layer Distillation with Semantic Calibration"; DefangChen/SemCKD
/// @example   distil::semantic_calibration.with_grad(projected, layers, scores, gradients, by_scores)
inline constexpr semantic_calibration_loss semantic_calibration{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
