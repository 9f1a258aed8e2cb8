#pragma once

#include <algorithm>

#include "distil/core/objective.hpp"
#include "distil/response/binary/number_reader.hpp"
#include "distil/sweep/evaluate.hpp"

namespace distil {

/// What losses of single elements make of a row, and what a mean over rows divides by. Ignored elements count nowhere;
/// element weights multiply and do not count, as PyTorch's `weight`.
enum class over_elements {
  mean,  ///< by all elements that count, whatever rows they are in: PyTorch's mean. A row's own loss is its sum
  row_mean,  ///< by rows, each of which is the mean over its elements that count
  row_sum    ///< by rows, each of which is the sum over its elements
};

/// One number for all classes, or one per class: as `row_parameter` takes them.
using class_parameter = row_parameter;

inline namespace DISTIL_ARCH_NAMESPACE {

/// A term whose classes stand each for itself, apart from its kernel: -inf is a logit like others, masks nothing, and
/// rows of nothing else count.
template <class Base>
struct element_term : Base {
  over_elements elements;
  number_matrix targets;  ///< those that `ignores` looks at
  number_matrix element_weights;
  bool ignores;                      ///< elements with the ignored target count for nothing
  index width = 0;                   ///< a single column that is evaluated as rows of so many; 0: none is
  mutable bool some_ignored = true;  ///< as `inspect` found, in the copy that is evaluated

  element_term(Base const& base, over_elements how, number_matrix const& the_targets,
               number_matrix const& the_weights, bool does_ignore)
      : Base(base),
        elements(how),
        targets(the_targets),
        element_weights(the_weights),
        ignores(does_ignore && the_targets.given()) {}

  [[nodiscard]] double ignored_target() const { return static_cast<double>(this->rows.ignore_label); }

  void check_elements(char const* where, index row_count, index columns) const {
    detail::require(elements == over_elements::mean || elements == over_elements::row_mean ||
                        elements == over_elements::row_sum,
                    where, "elements", static_cast<int>(elements), "a value of over_elements");
    if (targets.given()) detail::require_shape(where, "targets", targets.extent(), row_count, columns);
    if (element_weights.given()) {
      detail::require_shape(where, "element_weights", element_weights.extent(), row_count, columns);
    }
  }

  void check_elements_apart(char const* where, detail::matrix_extent const& gradient) const {
    if (targets.given()) detail::require_apart(where, gradient, "targets", targets.extent());
    if (element_weights.given()) {
      detail::require_apart(where, gradient, "element_weights", element_weights.extent());
    }
  }

  /// One read of the targets; refuses those that are neither within [0, 1] nor ignored. A NaN is not: it stays in its
  /// row.
  void inspect_targets(char const* where, index row_count) const {
    if (!targets.given()) return;
    some_ignored = false;
    if (this->rows.ignore_label >> 1 != 0 && kernels::are_bits(targets)) return;
    numbers const ignored(ignored_target());
    numbers ignored_ones(0);
    auto const refused = [&](numbers number) {
      auto const is_ignored = number == ignored;
      ignored_ones += select(is_ignored, numbers(1), numbers(0));
      return zero_where(is_ignored, select((number < numbers(0)) | (number > numbers(1)), numbers(1), 0.0));
    };
    refuse_some(where, "target", targets, row_count, refused, [this] {
      return detail::said("within [0, 1] or the ignored label ", this->rows.ignore_label);
    });
    some_ignored = any(ignored_ones > numbers(0));
  }

  /// One read of the weights.
  void inspect_element_weights(char const* where, index row_count) const {
    if (!element_weights.given()) return;
    auto const refused = [](numbers number) {
      auto const allowed = (number >= numbers(0)) & (number < numbers(simd::infinity<double>));
      return select(allowed, numbers(0), numbers(1));
    };
    refuse_some(where, "element weight", element_weights, row_count, refused,
                [] { return std::string(detail::must_be_weight); });
  }

  /// Looks at targets only when the rest is alike.
  [[nodiscard]] bool alike() const { return !(ignores && some_ignored) && detail::term_base::alike(); }

  /// Of a row of so many classes.
  [[nodiscard]] detail::row_weight weigh_elements(index row, index columns) const {
    detail::row_weight weight = this->weight_of(row);
    if (!(weight.multiplier > 0.0)) return {};
    index const counted = columns - (ignores && some_ignored ? ignored_in(row) : 0);
    if (counted == 0) return {};
    if (elements == over_elements::mean) weight.counted *= static_cast<double>(counted);
    return weight;
  }

 private:
  using numbers = simd::lanes<double>;

  [[nodiscard]] index ignored_in(index row) const {
    numbers sum(0);
    numbers const ignored(ignored_target());
    kernels::look_at_numbers(targets, row, 1, [&](double const* run, index registers) {
      for (index k = 0; k < registers; ++k) {
        sum += select(numbers::load(run + k * numbers::size) == ignored, numbers(1), numbers(0));
      }
      return true;
    });
    return static_cast<index>(first_of(sum_across(sum)));
  }

  /// Refuses the first number for which `refused` is not 0.
  template <class Refused, class MustBe>
  void refuse_some(char const* where, char const* what, number_matrix const& matrix, index row_count,
                   Refused const& refused, MustBe const& must_be) const {
    double number = 0.0;
    index place = 0;
    auto const found =
        kernels::look_at_numbers(matrix, 0, row_count, [&](double const* run, index registers) {
          numbers some(0);
          for (index k = 0; k < registers; ++k) some += refused(numbers::load(run + k * numbers::size));
          if (!any(some > numbers(0))) return true;
          while (first_of(refused(numbers(run[place]))) == 0.0) ++place;
          number = run[place];
          return false;
        });
    detail::require(
        found.row < 0, where, what,
        [&] {
          index const row = found.row + (found.down ? place : 0);
          index const column = found.column + (found.down ? 0 : place);
          bool const is_cut = width > 0;
          return detail::said(number, " in row ", is_cut ? row * width + column : row, ", class ",
                              is_cut ? index{0} : column);
        },
        must_be);
  }
};

namespace kernels {

using simd::lanes;

/// What kernels of such terms share. A gradient is kept for the second sweep, which multiplies it.
template <class T>
class element_kernel : public simd::kernel_defaults<T> {
 protected:
  using simd::kernel_defaults<T>::axis_;

 public:
  static constexpr bool needs_maximum = false;
  static constexpr index saved_registers = 1;

  struct strips {
    simd::strip<T> teacher, target, weight, positive;
    [[nodiscard]] DISTIL_INLINE strips from(index k, bool partial) const {
      return {teacher.from(k, partial), target.from(k, partial), weight.from(k, partial),
              positive.from(k, partial)};
    }
  };

  template <class Term, class Student>
  DISTIL_INLINE element_kernel(Term const& term, Student const& student, simd::tile const& rows)
      : simd::kernel_defaults<T>(rows),
        row_mean_(term.elements == over_elements::row_mean),
        classes_(student.columns) {
    weight_.ignores = term.ignores;
    weight_.weighs = term.element_weights.given();
    weight_.ignored = lanes<T>(term.ignored_target());
  }

  /// The weights of a register of elements: 0 where they are ignored.
  struct element_weight {
    bool ignores, weighs;
    lanes<T> ignored;

    [[nodiscard]] DISTIL_INLINE lanes<T> operator()(strips const& strip, index k, lanes<T>& counted) const {
      lanes<T> weight(1);
      if (simd::asked_again(weighs)) weight = strip.weight[k];
      if (simd::asked_again(ignores)) {
        auto const skipped = strip.target[k] == ignored;
        counted += select(skipped, lanes<T>(0), lanes<T>(1));  // what is past the last class is, too
        weight = zero_where(skipped, weight);
      }
      return weight;
    }
  };

  [[nodiscard]] DISTIL_INLINE bool rereads() const { return false; }

  struct block_gradient {
    lanes<T> multiplier;
    template <class Strips>
    DISTIL_INLINE lanes<T> operator()(simd::student_register<T> const&, Strips const&, index,
                                      simd::kept<T> saved) const {
      return multiplier * saved[0];
    }
  };
  [[nodiscard]] DISTIL_INLINE block_gradient gradient(lanes<T>, simd::kept<T>) const { return {multiplier_}; }

 protected:
  /// What the sum over elements is multiplied by; `counted` is their number where some may be ignored.
  DISTIL_INLINE lanes<T> share_of(lanes<T> counted) const {
    if (!row_mean_) return lanes<T>(1);
    if (!weight_.ignores) counted = classes_;
    return select(counted > lanes<T>(0), lanes<T>(1) / counted, lanes<T>(0));
  }
  /// A NaN makes the whole row NaN.
  DISTIL_INLINE void multiply_by(lanes<T> multiplier, lanes<T> loss) {
    multiplier_ = select(loss == loss, multiplier, loss);
  }

  element_weight weight_;
  bool row_mean_;
  lanes<T> classes_, multiplier_{0};
};

}  // namespace kernels

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
