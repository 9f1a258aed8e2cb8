#pragma once

#include <optional>

#include "distil/response/ranking/ranking.hpp"
#include "distil/simd/logarithm.hpp"

namespace distil {

/// By how much the better of two candidates shall lead.
enum class pair_margin {
  constant,                 ///< `margin`
  times_teacher_difference  ///< `margin` times the teacher's lead, over the temperature like the student's
};

/// How the pairs of a row become one number.
enum class pair_reduction { mean, sum };

/// Options of the pairwise ranking losses.
struct pairwise_options {
  /// Divides the scores; one number or one per row, within [1e-15, 1e15]. The loss is not multiplied by T^2. Default 1.
  row_parameter temperature = 1;

  /// See `margin_is`; finite and >= 0. Default: 1 for `pairwise_hinge`, 0 for `pairwise_logistic`.
  std::optional<double> margin = std::nullopt;

  /// Default constant.
  pair_margin margin_is = pair_margin::constant;

  /// Default mean, over the row's ordered pairs; with `sum` and `rows.normalizer` a mean over all pairs of a batch.
  pair_reduction pairs = pair_reduction::mean;

  /// How many of the teacher's best candidates form pairs. Default 0: all.
  index top = 0;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its logits hold. Default 1.
  double weight = 1.0;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {
namespace kernels {

/// Sum or mean of phi(m_ij - (u_i - u_j)) over the pairs in which the teacher prefers i to j, u = z / T. In the
/// teacher's order the partners of i are the candidates from the first that is worse to the last. `Phi` has
///
///   name, default_margin
///   of(x)    phi and its derivative at registers of x; both 0 for -inf
template <class Phi>
struct pairwise {
  using options_type = pairwise_options;
  static constexpr char const* name = Phi::name;
  static constexpr bool needs_different = true;

  double margin;
  pair_margin margin_is;
  pair_reduction pairs;

  explicit pairwise(options_type const& options)
      : margin(options.margin.value_or(Phi::default_margin)),
        margin_is(options.margin_is),
        pairs(options.pairs) {}

  void check(char const* where) const {
    detail::require(margin_is == pair_margin::constant || margin_is == pair_margin::times_teacher_difference,
                    where, "margin_is", static_cast<int>(margin_is),
                    "pair_margin::constant or pair_margin::times_teacher_difference");
    detail::require(pairs == pair_reduction::mean || pairs == pair_reduction::sum, where, "pairs",
                    static_cast<int>(pairs), "pair_reduction::mean or pair_reduction::sum");
  }

  void check_numbers(char const* where, detail::computing_type type) const {
    detail::require_factor(where, "margin", margin, type);
  }

  /// The memory of this thread.
  template <class T>
  static void reserve(index candidates) {
    simd::scratch<T>(lists<T>::elements(candidates));
  }

  /// O(top^2).
  template <class T>
  double operator()(ranked_row<T> const& row) const {
    bool const by_teacher = margin_is == pair_margin::times_teacher_difference;
    lists<T> const of(row, by_teacher ? margin : 0.0, by_teacher ? 0.0 : margin);
    double value = 0.0, count = 0.0;
    index worse = 0;  // the first that is
    for (index i = 0; i < row.top; ++i) {
      if (i == worse) worse = first_worse(row, i);
      if (worse == row.top) break;
      count += static_cast<double>(row.top - worse);
      value += of.partners(i, worse);
      if ((i + 1) % simd::longest_sum == 0) of.flush();
    }
    of.flush();
    double const scale = pairs == pair_reduction::mean && count > 0.0 ? 1.0 / count : 1.0;
    for (auto& candidate : row.candidates) candidate.gradient *= scale * row.inverse_temperature;
    return scale * value;
  }

 private:
  template <class T>
  static index first_worse(ranked_row<T> const& row, index i) {
    auto const score = [&](index j) { return row.candidates[static_cast<std::size_t>(j)].teacher; };
    index j = i + 1;
    while (j < row.top && score(j) == score(i)) ++j;
    return j;
  }

  /// The scores as registers want them; past the last candidate the student's are -inf, and nothing is added.
  template <class T>
  class lists {
    using lanes = simd::lanes<T>;

   public:
    static constexpr index elements(index size) { return 3 * (size + lanes::size); }

    /// The margin is `of_teacher` times the teacher's lead, and `constant`.
    lists(ranked_row<T> const& row, double of_teacher, double constant)
        : row_(row),
          of_teacher_(of_teacher),
          constant_(constant),
          student_(simd::scratch<T>(elements(row.top))),
          teacher_(student_ + row.top + lanes::size),
          gradient_(teacher_ + row.top + lanes::size) {
      for (index i = 0; i < row.top; ++i) {
        auto const& candidate = row.candidates[static_cast<std::size_t>(i)];
        student_[i] = candidate.student;
        teacher_[i] = of_teacher == 0.0 ? T(0) : candidate.teacher;
      }
      std::fill_n(student_ + row.top, lanes::size, -simd::infinity<T>);
      std::fill_n(teacher_ + row.top, lanes::size, T(0));
      std::fill_n(gradient_, row.top + lanes::size, T(0));
    }

    /// The sum over the partners of one candidate, from `first` on: in T over few additions, then in double. Not
    /// inlined, so that the value is the same with and without gradient.
    [[gnu::noinline]] double partners(index i, index first) const {
      lanes const student(student_[i]), teacher(teacher_[i]), of_teacher(of_teacher_), constant(constant_);
      lanes const inverse(row_.inverse_temperature);
      double value = 0.0, slope = 0.0;
      for (index j = first; j < row_.top;) {
        lanes values(0), slopes(0);
        index const last = std::min(row_.top, j + simd::longest_sum * lanes::size);
        for (; j < last; j += lanes::size) {
          // First differences, so that equal leads of student and teacher cancel to 0.
          lanes const student_lacks = lanes::load(student_ + j) - student;
          lanes const lacks = fma(of_teacher, teacher - lanes::load(teacher_ + j), student_lacks);
          auto const phi = Phi::of(fma(lacks, inverse, constant));
          values += phi.value;
          slopes += phi.slope;
          (lanes::load(gradient_ + j) + phi.slope).store(gradient_ + j);
        }
        value += static_cast<double>(first_of(sum_across(values)));
        slope += static_cast<double>(first_of(sum_across(slopes)));
      }
      gradient_[i] -= static_cast<T>(slope);
      return value;
    }

    /// Adds up in double what few additions in T have made.
    void flush() const {
      if (!row_.wants_gradient) return;
      for (index i = 0; i < row_.top; ++i) {
        row_.candidates[static_cast<std::size_t>(i)].gradient += static_cast<double>(gradient_[i]);
        gradient_[i] = T(0);
      }
    }

   private:
    ranked_row<T> const& row_;
    double of_teacher_, constant_;
    T* student_;
    T* teacher_;
    T* gradient_;
  };
};

/// phi and its derivative.
template <class T>
struct penalty_of_pair {
  simd::lanes<T> value, slope;
};

}  // namespace kernels
}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
