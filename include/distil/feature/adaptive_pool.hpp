#pragma once

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

/// The checks and the walk over samples that pooling has in common.
template <class T>
struct pooling_walk {
  /// Calls `of_channel(from's row, to's row)` with one channel of `from`, which is read, and one of `to`, which is
  /// written.
  template <class From, class To, class OfChannel>
  static void run(detail::any_policy policy, feature_map<From> const& from, map_target<T> const& to,
                  index size_to, OfChannel const& of_channel) {
    struct memory_of_pooling {};
    map_source<T> const source{feature_map<From const>(from)};
    index const size = source.sample_size();
    simd::for_chunks(policy, from.samples, simd::worth_a_chunk(size + size_to),
                     from.samples * (size + size_to), [&](index first, index last) {
                       T* const memory = simd::scratch<T, memory_of_pooling>(size + size_to);
                       for (index n = first; n < last; ++n) {
                         auto const x = source.sample(n, rows_of::channels, memory);
                         auto const y = to.sample(n, rows_of::channels, memory + size);
                         for (index c = 0; c < x.rows; ++c) of_channel(n, c, &x(c, 0), &y(c, 0));
                         to.finish(n, rows_of::channels, y);
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
    (*this)(serial, input, output);
  }

  template <execution_policy Policy, class Input, class Output>
  void operator()(Policy policy, Input const& input, Output&& output) const {
    auto const from = detail::input_map(input);
    auto const to = detail::output_map(output);
    using T = arithmetic<decltype(from), decltype(to)>;
    check("output", from, to);
    kernels::plane const large{from.height, from.width}, small{to.height, to.width};
    kernels::pooling_walk<T>::run(detail::any_policy(policy), from, kernels::map_target<T>(to, false, true),
                                  to.channels * to.positions(), [&](index, index, T const* x, T* y) {
                                    kernels::pool_averages(x, large, y, small);
                                  });
  }

  template <matrix_argument Upstream, class Gradient>
  void pull_back(Upstream const& upstream, Gradient&& gradient,
                 adaptive_pool_options const& options = {}) const {
    pull_back(serial, upstream, gradient, options);
  }

  template <execution_policy Policy, class Upstream, class Gradient>
  void pull_back(Policy policy, Upstream const& upstream, Gradient&& gradient,
                 adaptive_pool_options const& options = {}) const {
    auto const from = detail::input_map(upstream);
    auto const to = detail::output_map(gradient);
    using T = arithmetic<decltype(from), decltype(to)>;
    check("gradient", from, to);
    kernels::plane const small{from.height, from.width}, large{to.height, to.width};
    kernels::pooling_walk<T>::run(detail::any_policy(policy), from,
                                  kernels::map_target<T>(to, options.accumulate, true),
                                  to.channels * to.positions(), [&](index, index, T const* g, T* x) {
                                    std::fill(x, x + large.height * large.width, T(0));
                                    kernels::spread_averages(g, small, T(1), x, large);
                                  });
  }

 private:
  template <class From, class To>
  using arithmetic = std::common_type_t<arithmetic_t<std::remove_const_t<typename From::element>>,
                                        arithmetic_t<std::remove_const_t<typename To::element>>>;

  template <class From, class To>
  static void check(char const* written, feature_map<From> const& from, feature_map<To> const& to) {
    detail::require_map(name, "input", from);
    detail::require_map(name, written, to);
    detail::require(
        to.samples == from.samples && to.channels == from.channels, name, written,
        [&] { return detail::map_text(to.shape()); },
        [&] {
          return "of " + std::to_string(from.samples) + " samples and " + std::to_string(from.channels) +
                 " channels, as what is read";
        });
    detail::require_distinct_elements(name, written, to);
    detail::require(detail::overlap_of(from, to) == detail::overlap::none, name, written,
                    "overlapping what is read", "apart from it");
  }
};

/// Averages of a feature map's parts, as many as the output's height and width say: brings maps of different sizes
/// together, before a loss that wants them equal.
///
/// @formula   out_nc(i, j) = mean of in_nc from floor(i H / h) to behind ceil((i + 1) H / h), and so along the width
/// @call      adaptive_average_pool(input, output); adaptive_average_pool.pull_back(upstream, gradient, {...})
/// @param     input    feature map; output, of its samples and channels, of any height and width, apart from it
/// @pullback  upstream has the output's shape, gradient the input's: each element gets upstream / size of each of its parts
/// @throws    std::invalid_argument when a shape is refused; nothing is written then
/// @error     `bound` epsilons of the largest element
/// @nan       NaN stays in its parts
/// @cost      reads one and writes the other; a sample of both of scratch a thread
/// @source    PyTorch's adaptive_avg_pool2d, the same parts
/// @example   distil::adaptive_average_pool(teacher, pooled); loss.with_grad(student, pooled, gradient)
inline constexpr adaptive_average_pool_function adaptive_average_pool{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
