#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "distil/response/divergence.hpp"
#include "distil/response/divergence/head_of_row.hpp"
#include "distil/response/divergence/summands.hpp"

namespace distil {

/// Options of `adaptive_kl`.
struct adaptive_kl_options {
  /// As in `divergence_options`: both logits are divided by it. Default 1.
  row_parameter temperature = 1;

  /// As in `divergence_options`: the teacher's are divided by this one in its place. Default: the same.
  std::optional<row_parameter> teacher_temperature = std::nullopt;

  /// The loss times T^2. Default true.
  bool scale_by_temperature_squared = true;

  /// The loss times this in the place of T^2 or 1, as in `divergence_options`. Default: none.
  std::optional<row_parameter> factor = std::nullopt;

  /// The head of the teacher are its likeliest classes as long as their probabilities sum to at most this, and the first
  /// in any case. Within [0, 1]. Default 0.5, as in the paper (mu).
  double head_mass = 0.5;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds to the gradient. Default false.
  bool accumulate = false;

  /// Where dL/dT is written: one element, or one per row. Default: nowhere.
  std::span<double> temperature_gradient = {};

  /// The same by `teacher_temperature`, which must be set.
  std::span<double> teacher_temperature_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `adaptive_kl`.
struct adaptive_kl_function {
  static constexpr char const* name = "adaptive_kl";
  static constexpr error_bound bound{
      .value = 16, .gradient = 16, .temperature_gradient = 2, .temperature_floor = 2};
  using options = adaptive_kl_options;

  double head_mass;

  constexpr adaptive_kl_function(options const& chosen = {}) : head_mass(chosen.head_mass) {}

  void check(char const* where) const {
    detail::require(detail::is_share(head_mass), where, "head_mass", head_mass, detail::must_be_share);
  }

  /// This function for a tile of rows, which knows their heads.
  template <class T>
  struct in_rows {
    simd::lanes<T> least;  ///< of the head: what the teacher has stored, and from `settle` on its log p

    template <class Term>
    DISTIL_INLINE static in_rows from(Term const& term, simd::tile const& rows) {
      return {rows.per_row<T>([&](index row) { return least_stored(term, row); })};
    }
    template <class LogP>
    DISTIL_INLINE void settle(LogP const& log_p_of_stored) {
      least = log_p_of_stored(least);
    }

    using Lanes = simd::lanes<T>;
    DISTIL_INLINE std::array<summand<Lanes>, 4> at(class_probabilities<Lanes> const& here) const {
      Lanes const none(0), gap = abs(here.p - here.q);
      auto const head = here.log_p >= least;
      return {kernels::forward_summand(here), kernels::reverse_summand(here),
              summand<Lanes>{select(head, gap, none), none, none},
              summand<Lanes>{select(head, none, gap), none, none}};
    }
    DISTIL_INLINE divergence_outcome<Lanes, 4> outcome(std::array<Lanes, 4> const& sums) const {
      auto const [forward, reverse, head, tail] = sums;
      Lanes const gap = head + tail;
      Lanes const share = select(gap == Lanes(0), Lanes(0.5), head / gap), rest = Lanes(1) - share;
      return {zero_safe_product(share, forward) + zero_safe_product(rest, reverse),
              {share, rest, Lanes(0), Lanes(0)}};
    }

   private:
    /// Equal scores stand for equal probabilities; where what is stored are probabilities, they are powers.
    template <class Term>
    [[gnu::noinline]] static double least_stored(Term const& term, index row) {
      using kernel_teacher = typename Term::template reader<T>;
      constexpr bool logits = kernel_teacher::form == teacher_form::logits;
      constexpr bool probabilities = kernel_teacher::form == teacher_form::probabilities;
      double const temperature =
          (term.teacher_temperature ? *term.teacher_temperature : term.temperature)[row];
      double sharpness = logits ? 1.0 : temperature;
      if (term.teacher.captured_at) sharpness = (*term.teacher.captured_at)[row];
      sharpness /= temperature;
      auto const& teacher = term.teacher.matrix;
      auto const room = static_cast<std::size_t>(kernels::head_of_row<T>::room(teacher.columns));
      auto* const scores = reinterpret_cast<T*>(term.memory.memory(room * sizeof(T)));
      index count = 0;
      for (index column = 0; column < teacher.columns; ++column) {
        T const score = detail::widen<T>(teacher(row, column));
        scores[count] = score;
        count += score > (probabilities ? T(0) : -std::numeric_limits<T>::infinity()) ? 1 : 0;
      }
      auto const least_of_head = [&] {
        kernels::head_of_row<T> head(scores, count, sharpness);
        return static_cast<double>(head.least(term.function.head_mass));
      };
      if constexpr (!probabilities) {
        return least_of_head();
      } else {
        for (index k = 0; k < count; k += simd::lanes<T>::size) {
          log(simd::lanes<T>::load(scores + k)).store(scores + k);
        }
        double const least = least_of_head();
        // A little less than the probability, so that its own logarithm counts however it is rounded.
        return std::exp(least) *
               (1.0 - 8.0 * static_cast<double>(std::numeric_limits<T>::epsilon()) * (1.0 + std::abs(least)));
      }
    }
  };
};

/// Adaptive Kullback-Leibler divergence: forward KL as far as the student misses the head of the teacher, reverse KL as far
/// as it misses the tail. @alias AKL
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 [ h KL(p || q) + (1 - h) KL(q || p) ], h = g_head / (g_head + g_tail), g = sum of
///            |p_i - q_i| over the classes of the head and over the others, p = softmax(t / T), q = softmax(z / T) [nats].
///            Never negative
/// @gradient  w_b / sum w * T [ h (q - p) + (1 - h) q (log q - log p - KL(q || p)) ] with h held constant, as in the
///            source; so is dL/dT
/// @nan       as `jeffreys`
/// @error     `bound`, times 1 + the largest |log p - log q|: where nearly all mass is equal, h is made
///            of differences that rounding swallows
/// @cost      see `divergence`: 2 exponentials an element; besides, a search for the head, which reads a copy of
///            the teacher's row some seven times and takes 1 exponential more, in 2 numbers of scratch a class
/// @source    Wu et al. 2024, arXiv:2404.02657, section 4.2. Classes of equal probability stand together here; the source
///            sorts them in some order, and is NaN where student and teacher agree. DSKD takes the tail from the ascending
///            sum instead, which may leave one class out
/// @example   distil::adaptive_kl.with_grad(student, teacher, gradient, {.head_mass = 0.5})
/// Shapes, errors, NaN behaviour: see `divergence`.
inline constexpr divergence<adaptive_kl_function> adaptive_kl{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
