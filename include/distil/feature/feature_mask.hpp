#pragma once

#include <cstdint>

#include "distil/core/execution.hpp"
#include "distil/core/map_shapes.hpp"
#include "distil/matrix/operands.hpp"
#include "distil/simd/chunk_sums.hpp"

namespace distil {

/// What `feature_mask` hides.
enum class mask_over {
  positions,  ///< all channels of some positions: detection, segmentation
  channels,   ///< some channels at all positions: classification
};

struct feature_mask_options {
  /// Of what is hidden; within [0, 1]. Default 0.65, as published for detection (segmentation 0.75, classification 0.15
  /// of the channels, ViTKD 0.5).
  double share = 0.65;

  mask_over over = mask_over::positions;

  /// What is hidden follows from the seed, the sample's number and the place's number alone: give each step its own.
  std::uint64_t seed = 0;

  /// The number of the first sample, where a batch is cut into several calls. Default 0.
  index first_sample = 0;

  /// Adds to the output instead of overwriting it; for pull-backs. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `feature_mask`.
struct feature_mask_function {
  static constexpr char const* name = "feature_mask";

  /// Whether a place of a sample, a position y * width + x or a channel, is hidden.
  [[nodiscard]] static constexpr bool hides(feature_mask_options const& options, index sample, index place) {
    std::uint64_t const row = mixed(options.seed + step * (static_cast<std::uint64_t>(sample) + 1));
    std::uint64_t const bits = mixed(row + step * (static_cast<std::uint64_t>(place) + 1));
    return static_cast<double>(bits >> 11) * 0x1p-53 < options.share;
  }

  template <matrix_argument Features, class Output>
  void operator()(Features const& features, Output&& output, feature_mask_options const& options = {}) const {
    (*this)(serial, features, std::forward<Output>(output), options);
  }

  template <execution_policy Policy, class Features, class Output>
  void operator()(Policy policy, Features const& features, Output&& output,
                  feature_mask_options const& options = {}) const {
    run(detail::any_policy(policy), detail::input_map(features),
        detail::output_map(std::forward<Output>(output)), options);
  }

  template <matrix_argument Upstream, class Gradient>
  void pull_back(Upstream const& upstream, Gradient&& gradient,
                 feature_mask_options const& options = {}) const {
    (*this)(serial, upstream, std::forward<Gradient>(gradient), options);
  }

  template <execution_policy Policy, class Upstream, class Gradient>
  void pull_back(Policy policy, Upstream const& upstream, Gradient&& gradient,
                 feature_mask_options const& options = {}) const {
    (*this)(policy, upstream, std::forward<Gradient>(gradient), options);
  }

 private:
  static constexpr std::uint64_t step = 0x9E3779B97F4A7C15ULL;

  /// The finaliser of SplitMix64.
  [[nodiscard]] static constexpr std::uint64_t mixed(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
  }

  template <class From, class To>
  static void run(detail::any_policy policy, feature_map<From> const& from, feature_map<To> const& to,
                  feature_mask_options const& options) {
    using T = std::common_type_t<arithmetic_t<std::remove_const_t<From>>, arithmetic_t<To>>;
    check(from, to, options);
    kernels::map_source<T> const source(from);
    kernels::map_target<T> const target(to, options.accumulate,
                                        detail::overlap_of(from, to) == detail::overlap::none);
    constexpr auto order = kernels::rows_of::channels;
    index const size = source.sample_size();
    simd::for_chunks(
        policy, from.samples, simd::worth_a_chunk(size), from.samples * size, [&](index first, index last) {
          T* const memory = simd::scratch<T, feature_mask_function>(2 * size + source.positions());
          T* const hidden = memory + 2 * size;
          for (index n = first; n < last; ++n) {
            index const sample = options.first_sample + n;
            auto const x = source.sample(n, order, memory);
            auto const y = target.sample(n, order, memory + size);
            bool const whole = options.over == mask_over::channels;
            for (index p = 0; !whole && p < x.columns; ++p)
              hidden[p] = hides(options, sample, p) ? T(1) : T(0);
            for (index c = 0; c < x.rows; ++c) {
              bool const gone = whole && hides(options, sample, c);
              for (index p = 0; p < x.columns; ++p)
                y(c, p) = gone || (!whole && hidden[p] > T(0)) ? T(0) : x(c, p);
            }
            target.finish(n, order, y);
          }
        });
  }

  template <class From, class To>
  static void check(feature_map<From> const& from, feature_map<To> const& to,
                    feature_mask_options const& options) {
    detail::require_map(name, "input", from);
    detail::require(
        to.shape() == from.shape(), name, "output", [&] { return detail::map_text(to.shape()); },
        [&] { return detail::said(detail::map_text(from.shape()), " as the input"); });
    detail::require(to.size() == 0 || to.data != nullptr, name, "output", "a null pointer", "a feature map");
    detail::require_distinct_elements(name, "output", to);
    detail::require(detail::overlap_of(from, to) != detail::overlap::partial, name, "output",
                    "overlapping the input in part", "the input's own elements or apart from them");
    detail::require(options.share >= 0.0 && options.share <= 1.0, name, "share", options.share,
                    "within [0, 1]");
  }
};

/// Hides a share of a feature map, the same for the same seed on any machine: what `masked_generative` has generated
/// anew.
///
/// @formula   out = in, 0 where hidden: at places whose random number is below `share`
/// @call      feature_mask(features, masked, {...}); feature_mask.pull_back(upstream, gradient, {...}) with the same
///            options
/// @param     features  feature map or matrix (whose places are its channels); masked may be the features themselves
/// @pullback  upstream, 0 where hidden; `gradient` may be `upstream` itself
/// @throws    std::invalid_argument when a shape or option is refused; nothing is written then
/// @error     exact
/// @nan       NaN that is hidden becomes 0
/// @cost      reads one map and writes one; 2 samples of scratch a thread
/// @source    Yang et al. 2022 (MGD), equation 2; random numbers by SplitMix64 of seed, sample and place
/// @example   distil::feature_mask(student, masked, {.share = 0.65, .seed = step})
inline constexpr feature_mask_function feature_mask{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
