#pragma once

#include <algorithm>

#include "distil/core/execution.hpp"
#include "distil/core/loss_value.hpp"
#include "distil/core/map_shapes.hpp"
#include "distil/matrix/operands.hpp"
#include "distil/matrix/pooling.hpp"
#include "distil/simd/chunk_sums.hpp"

namespace distil {

struct adaptive_pool_options {
  /// Adds to the gradient instead of overwriting it; for pull-backs. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// The checks and the walks over samples that both poolings have.
struct pooling {
  template <class From, class To>
  using arithmetic = std::common_type_t<arithmetic_t<std::remove_const_t<typename From::element>>,
                                        arithmetic_t<std::remove_const_t<typename To::element>>>;

  template <class From, class To>
  static void check(char const* name, char const* read, feature_map<From> const& from, char const* written,
                    feature_map<To> const& to) {
    detail::require_map(name, read, from);
    detail::require_map(name, written, to);
    detail::require(
        to.samples == from.samples && to.channels == from.channels, name, written,
        [&] { return detail::map_text(to.shape()); },
        [&] {
          return "of " + std::to_string(from.samples) + " samples and " + std::to_string(from.channels) +
                 " channels, as " + read;
        });
    detail::require_distinct_elements(name, written, to);
    detail::require(
        detail::overlap_of(from, to) == detail::overlap::none, name, written,
        [&] { return std::string("overlapping ") + read; }, "apart from it");
  }

  template <class T>
  static constexpr plane plane_of(feature_map<T> const& map) {
    return {map.height, map.width};
  }

  /// Calls `of_channel(from's row, to's row)` with one channel of `from`, which is read, and of `to`, which is written.
  template <class T, class From, class To, class OfChannel>
  static void walk(detail::any_policy policy, feature_map<From> const& from, feature_map<To> const& to,
                   bool adds, OfChannel const& of_channel) {
    walk_beside<T>(policy, from, from, to, adds, [&](T const* x, T const*, T* y) { of_channel(x, y); });
  }

  /// The same with a second map that is read.
  template <class T, class From, class Beside, class To, class OfChannel>
  static void walk_beside(detail::any_policy policy, feature_map<From> const& from,
                          feature_map<Beside> const& beside, feature_map<To> const& to, bool adds,
                          OfChannel const& of_channel) {
    map_source<T> const source(from), other(beside);
    map_target<T> const target(to, adds, true);
    index const size = source.sample_size(), of_other = other.sample_size();
    index const all = size + of_other + to.channels * to.positions();
    constexpr auto order = rows_of::channels;
    simd::for_chunks(policy, from.samples, simd::worth_a_chunk(all), from.samples * all,
                     [&](index first, index last) {
                       T* const memory = simd::scratch<T, pooling>(all);
                       for (index n = first; n < last; ++n) {
                         auto const x = source.sample(n, order, memory);
                         auto const y = other.sample(n, order, memory + size);
                         auto const z = target.sample(n, order, memory + size + of_other);
                         for (index c = 0; c < x.rows; ++c) of_channel(&x(c, 0), &y(c, 0), &z(c, 0));
                         target.finish(n, order, z);
                       }
                     });
  }
};

}  // namespace kernels

/// See `adaptive_average_pool`.
struct adaptive_average_pool_function {
  static constexpr char const* name = "adaptive_average_pool";
  static constexpr error_bound bound{.value = 16, .gradient = 16};

  template <matrix_argument Input, class Output>
  void operator()(Input const& input, Output&& output) const {
    (*this)(serial, input, std::forward<Output>(output));
  }

  template <execution_policy Policy, class Input, class Output>
  void operator()(Policy policy, Input const& input, Output&& output) const {
    using kernels::pooling;
    auto const from = detail::input_map(input);
    auto const to = detail::output_map(std::forward<Output>(output));
    using T = pooling::arithmetic<decltype(from), decltype(to)>;
    pooling::check(name, "input", from, "output", to);
    pooling::walk<T>(detail::any_policy(policy), from, to, false, [&](T const* x, T* y) {
      kernels::pool_averages(x, pooling::plane_of(from), y, pooling::plane_of(to));
    });
  }

  template <matrix_argument Upstream, class Gradient>
  void pull_back(Upstream const& upstream, Gradient&& gradient,
                 adaptive_pool_options const& options = {}) const {
    pull_back(serial, upstream, std::forward<Gradient>(gradient), options);
  }

  template <execution_policy Policy, class Upstream, class Gradient>
  void pull_back(Policy policy, Upstream const& upstream, Gradient&& gradient,
                 adaptive_pool_options const& options = {}) const {
    using kernels::pooling;
    auto const from = detail::input_map(upstream);
    auto const to = detail::output_map(std::forward<Gradient>(gradient));
    using T = pooling::arithmetic<decltype(from), decltype(to)>;
    pooling::check(name, "upstream", from, "gradient", to);
    pooling::walk<T>(detail::any_policy(policy), from, to, options.accumulate, [&](T const* g, T* x) {
      std::fill(x, x + to.positions(), T(0));
      kernels::spread_averages(g, pooling::plane_of(from), T(1), x, pooling::plane_of(to));
    });
  }
};

/// See `adaptive_max_pool`.
struct adaptive_max_pool_function {
  static constexpr char const* name = "adaptive_max_pool";

  template <matrix_argument Input, class Output>
  void operator()(Input const& input, Output&& output) const {
    (*this)(serial, input, std::forward<Output>(output));
  }

  template <execution_policy Policy, class Input, class Output>
  void operator()(Policy policy, Input const& input, Output&& output) const {
    using kernels::pooling;
    auto const from = detail::input_map(input);
    auto const to = detail::output_map(std::forward<Output>(output));
    using T = pooling::arithmetic<decltype(from), decltype(to)>;
    pooling::check(name, "input", from, "output", to);
    pooling::walk<T>(detail::any_policy(policy), from, to, false, [&](T const* x, T* y) {
      kernels::for_each_largest(x, pooling::plane_of(from), pooling::plane_of(to),
                                [&](index cell, index element) { y[cell] = x[element]; });
    });
  }

  template <matrix_argument Input, class Upstream, class Gradient>
  void pull_back(Input const& input, Upstream const& upstream, Gradient&& gradient,
                 adaptive_pool_options const& options = {}) const {
    pull_back(serial, input, upstream, std::forward<Gradient>(gradient), options);
  }

  template <execution_policy Policy, class Input, class Upstream, class Gradient>
  void pull_back(Policy policy, Input const& input, Upstream const& upstream, Gradient&& gradient,
                 adaptive_pool_options const& options = {}) const {
    using kernels::pooling;
    auto const seen = detail::input_map(input);
    auto const from = detail::input_map(upstream);
    auto const to = detail::output_map(std::forward<Gradient>(gradient));
    using T = std::common_type_t<pooling::arithmetic<decltype(from), decltype(to)>,
                                 pooling::arithmetic<decltype(seen), decltype(to)>>;
    pooling::check(name, "upstream", from, "gradient", to);
    pooling::check(name, "input", seen, "gradient", to);
    detail::require(
        seen.shape() == to.shape(), name, "gradient", [&] { return detail::map_text(to.shape()); },
        [&] { return detail::said(detail::map_text(seen.shape()), " as the input"); });
    pooling::walk_beside<T>(detail::any_policy(policy), from, seen, to, options.accumulate,
                            [&](T const* g, T const* x, T* slope) {
                              std::fill(slope, slope + to.positions(), T(0));
                              kernels::for_each_largest(
                                  x, pooling::plane_of(to), pooling::plane_of(from),
                                  [&](index cell, index element) { slope[element] += g[cell]; });
                            });
  }
};

/// Averages of a feature map's parts, as many as the output's height and width say: brings maps of different sizes
/// together, before a loss that wants them equal.
///
/// @formula   out_nc(i, j) = mean of in_nc from floor(i H / h) to behind ceil((i + 1) H / h), and so along the width
/// @call      adaptive_average_pool(input, output); adaptive_average_pool.pull_back(upstream, gradient, {...})
/// @param     input    feature map; output, of its samples and channels, of any height and width, apart from it
/// @pullback  upstream has the output's shape, gradient the input's: each element gets upstream / size of each of its
///            parts
/// @throws    std::invalid_argument when a shape is refused; nothing is written then
/// @error     `bound` epsilons of the largest element
/// @nan       NaN stays in its parts
/// @cost      reads one and writes the other; a sample of both of scratch a thread
/// @source    PyTorch's adaptive_avg_pool2d, the same parts
/// @example   distil::adaptive_average_pool(teacher, pooled); loss.with_grad(student, pooled, gradient)
inline constexpr adaptive_average_pool_function adaptive_average_pool{};

/// The largest elements of a feature map's parts; the parts are those of `adaptive_average_pool`.
///
/// @formula   out_nc(i, j) = max of in_nc over the part
/// @call      adaptive_max_pool(input, output); adaptive_max_pool.pull_back(input, upstream, gradient, {...})
/// @param     input    feature map; output, of its samples and channels, of any height and width, apart from it
/// @pullback  each part's upstream goes to its largest element, the first of equals
/// @throws    std::invalid_argument when a shape is refused; nothing is written then
/// @error     exact
/// @nan       NaN is larger than any number
/// @cost      reads one (the pull-back two) and writes the other; a sample of each of scratch a thread
/// @source    PyTorch's adaptive_max_pool2d, the same parts
/// @example   distil::adaptive_max_pool(teacher, pooled)
inline constexpr adaptive_max_pool_function adaptive_max_pool{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
