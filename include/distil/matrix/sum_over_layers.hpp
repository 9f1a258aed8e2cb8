#pragma once

#include <algorithm>
#include <iterator>
#include <ranges>
#include <span>

#include "distil/core/execution.hpp"
#include "distil/core/layer_matches.hpp"
#include "distil/core/loss_value.hpp"
#include "distil/core/number_checks.hpp"
#include "distil/matrix/operands.hpp"
#include "distil/simd/chunk_sums.hpp"
#include "distil/simd/vectors.hpp"

namespace distil {

struct layers_options {
  /// Adds to the gradients that are there instead of overwriting them. Default false.
  bool accumulate = false;
};

/// The value of a weighted sum over matches of layers, and of each match without its weight. `weight` is the largest of the
/// matches' weights.
struct layers_value : loss_value {
  std::vector<loss_value> matches;
};

inline namespace DISTIL_ARCH_NAMESPACE {
namespace kernels {

/// Writes `weight` times one gradient over another of the same shape, or adds it.
template <class T, class Storage>
void put_weighed(detail::any_policy policy, feature_map<T> const& from, double weight,
                 feature_map<Storage> const& to, bool adds) {
  index const size = from.channels * from.positions();
  map_source<T> const source{feature_map<T const>(from)};
  map_target<T> const target(to, adds, true);
  sample_form const form(source.natural_order(), true);
  simd::for_chunks(policy, from.samples, simd::worth_a_chunk(size), from.samples * size,
                   [&](index first, index last) {
                     struct of_weighed {};
                     T* const memory = simd::scratch<T, of_weighed>(2 * size);
                     simd::lanes<T> const factor(static_cast<T>(weight));
                     for (index n = first; n < last; ++n) {
                       T const* const in = source.sample(n, form, memory).data;
                       auto const out = target.sample(n, form, memory + size);
                       simd::for_each_register<T>(
                           size, [&](auto place) { place.store(place.load(in) * factor, out.data); });
                       target.finish(n, form, out);
                     }
                   });
}

/// A map in contiguous memory whose axes lie in another's order.
template <class T, class Storage>
[[nodiscard]] feature_map<T> contiguous_like(feature_map<Storage> const& map, T* memory) {
  feature_map<T> const first{memory, map.samples, map.channels, map.height, map.width};
  bool const by_position = map.positions() > 1 && map.strides.channel < map.strides.column;
  return by_position ? channels_last(memory, map.samples, map.channels, map.height, map.width) : first;
}

}  // namespace kernels

/// See `sum_over_layers`.
struct layers_sum {
  static constexpr char const* name = "sum_over_layers";

  template <class Call>
  [[nodiscard]] layers_value operator()(std::span<layer_match const> matches, Call const& call) const {
    check(matches);
    layers_value result;
    result.matches.reserve(matches.size());
    for (layer_match const& match : matches)
      add(result, match, match.weight > 0.0 ? loss_value(call(match)) : loss_value());
    return result;
  }

  template <class Gradients, class Call>
  layers_value with_grad(std::span<layer_match const> matches, Gradients&& gradients, Call const& call,
                         layers_options const& options = {}) const {
    return with_grad(serial, matches, std::forward<Gradients>(gradients), call, options);
  }

  template <execution_policy Policy, class Gradients, class Call>
  layers_value with_grad(Policy policy, std::span<layer_match const> matches, Gradients&& gradients,
                         Call const& call, layers_options const& options = {}) const {
    if constexpr (!std::ranges::borrowed_range<Gradients>)
      detail::require_stays<Gradients, std::ranges::range_value_t<Gradients>>();
    check(matches);
    index const layers = static_cast<index>(std::size(gradients));
    using storage = typename decltype(detail::output_map(at(gradients, 0)))::element;
    auto const type = detail::computing_type::of<arithmetic_t<storage>>();
    for (layer_match const& match : matches) {
      detail::require_factor(name, "weight", match.weight, type);
      detail::require(
          match.student < layers, name, "student", [&] { return "layer " + std::to_string(match.student); },
          [&] { return "one of the " + std::to_string(layers) + " that have a gradient"; });
    }
    layers_value result;
    result.matches.reserve(matches.size());
    for (std::size_t k = 0; k < matches.size(); ++k) {
      bool const adds = options.accumulate || has_gradient(matches.first(k), matches[k].student);
      add(result, matches[k],
          matches[k].weight > 0.0 ? one(policy, matches[k], at(gradients, matches[k].student), adds, call)
                                  : loss_value());
    }
    for (index layer = 0; !options.accumulate && layer < layers; ++layer) {
      if (!has_gradient(matches, layer)) clear(detail::output_map(at(gradients, layer)));
    }
    return result;
  }

 private:
  static void check(std::span<layer_match const> matches) {
    for (layer_match const& match : matches) {
      detail::require(match.student >= 0, name, "student", match.student, ">= 0");
      detail::require(match.teacher >= 0, name, "teacher", match.teacher, ">= 0");
      detail::require(detail::is_weight(match.weight), name, "weight", match.weight, detail::must_be_weight);
    }
  }

  static void add(layers_value& result, layer_match const& match, loss_value const& found) {
    result.matches.push_back(found);
    if (match.weight > 0.0) result.value += match.weight * found.value;
    result.weight = std::max(result.weight, found.weight);
  }

  static bool has_gradient(std::span<layer_match const> matches, index student) {
    return std::any_of(matches.begin(), matches.end(), [&](layer_match const& match) {
      return match.student == student && match.weight > 0.0;
    });
  }

  template <class Gradients>
  static auto& at(Gradients& gradients, index layer) {
    return *std::next(std::begin(gradients), layer);
  }

  /// Calls the loss on the gradient itself where nothing is left to do afterwards, else on memory of this thread.
  template <class Policy, class Gradient, class Call>
  static loss_value one(Policy policy, layer_match const& match, Gradient& gradient, bool adds,
                        Call const& call) {
    auto const target = detail::output_map(gradient);
    using storage = typename decltype(target)::element;
    using T = arithmetic_t<storage>;
    constexpr bool of_maps = detail::is_feature_map<std::remove_const_t<Gradient>>;
    auto const given = [&](feature_map<T> const& map) {
      if constexpr (of_maps) {
        return loss_value(call(match, map));
      } else {
        return loss_value(call(match, matrix_view<T>(map.data, map.samples, map.channels, map.strides.sample,
                                                     map.strides.channel)));
      }
    };
    if constexpr (std::is_same_v<T, storage>) {
      if (!adds && match.weight == 1.0) return given(target);
    }
    struct of_layer {};
    auto const own = kernels::contiguous_like(target, simd::scratch<T, of_layer>(target.size()));
    loss_value const found = given(own);
    kernels::put_weighed(detail::any_policy(policy), own, match.weight, target, adds);
    return found;
  }

  template <class Storage>
  static void clear(feature_map<Storage> const& map) {
    kernels::map_target<arithmetic_t<Storage>>(map, false, true).clear();
  }
};

/// Sums a loss over matches of layers, each with its weight: a call for every match, which is given the gradient to write.
///
///   auto const matches = distil::uniform_layers(4, 12);
///   auto const loss = distil::sum_over_layers.with_grad(matches, gradients, [&](auto const& match, auto const& gradient) {
///     return distil::hint.with_grad(student[match.student], teacher[match.teacher], gradient);
///   });                              // loss.matches[2].value is that of the third match alone
///
/// @formula   L = sum_k weight_k L_k(student layer, teacher layer)
/// @param     matches   explicit, or from `uniform_layers`, `uniform_hidden_states`, `last_layers`
/// @param     gradients a range with a feature map or matrix for each student layer, apart from what the call reads;
///            overwritten or added, with 0 for layers without a match
/// @param     call      call(match) gives a value; call(match, gradient) gives it and overwrites `gradient`, a
///            `feature_map` or `matrix_view` of the layer's shape, of float where the layer's has 16 bits. It hands on
///            the match's temperature
/// @gradient  weight_k dL_k, summed over the matches of a student layer: the call cannot leave the weight out.
///            Derivatives by other things that it asks for, such as a temperature, are those of L_k
/// @throws    std::invalid_argument when a match names no gradient or has no valid weight; nothing is written then.
///            What the call refuses leaves the matches before it written
/// @nan       of the matches that have some, and of weight > 0
/// @cost      a layer's first match costs nothing when its weight is 1, any other a pass over the gradient and memory
///            for one; allocates the list of values
/// @source    Jiao et al. 2020, TinyBERT, equation 6; Sun et al. 2019, Patient Knowledge Distillation, section 3:
///            `hint` of the first token with unit positions, over without_last(uniform_layers(6, 12)) or
///            without_last(last_layers(6, 12)). `attention/README.md` has recipes of transformers
/// @example   std::vector<distil::layer_match> const matches = {{.student = 0, .teacher = 2, .weight = 0.5}, {1, 5}};
///            distil::sum_over_layers.with_grad(distil::parallel, matches, gradients, call)
inline constexpr layers_sum sum_over_layers{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
