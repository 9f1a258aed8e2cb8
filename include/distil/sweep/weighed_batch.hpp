#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include "distil/core/loss_face.hpp"
#include "distil/core/number_checks.hpp"
#include "distil/core/objective.hpp"
#include "distil/core/shapes.hpp"
#include "distil/simd/tuning.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// The value-only form writes nowhere.
using detail::no_gradient;

/// A batch with the terms of its loss: checked, its rows weighed and the divisors known before anything is written;
/// later the losses of the rows are recorded, chunk by chunk, and summed in order.
template <class Student, class Gradient, class... Terms>
class weighed_batch {
 public:
  static constexpr bool with_gradient = !std::is_same_v<Gradient, no_gradient>;
  static constexpr std::size_t count = sizeof...(Terms);

  weighed_batch(char const* where, matrix_view<Student const> student, Gradient gradient,
                objective_options const& options, Terms const&... terms)
      : student_(student), gradient_(gradient), options_(options), terms_(terms...) {
    check(where, each);
    weigh(where, each);
    auto const by_row = [](detail::term_base const& term) {
      return !term.rows.values.empty() || !term.temperature_gradient.empty() ||
             !term.teacher_temperature_gradient.empty();
    };
    writes_by_row_ = !options_.values.empty() || (by_row(terms) || ...);
  }

 protected:
  static constexpr auto each = std::index_sequence_for<Terms...>{};
  static constexpr auto computing =
      detail::computing_type::of<std::common_type_t<arithmetic_t<Student>, typename Terms::arithmetic...>>();

  /// Sums over the rows of one chunk.
  struct chunk_sums {
    std::array<double, count> value{};
    std::array<double, count> temperature{};
    std::array<double, count> teacher_temperature{};
  };

  /// What multiplies the losses of a row; 0 where it does not count.
  using multipliers = std::array<double, count>;

  template <std::size_t... I>
  [[nodiscard]] multipliers multipliers_of(index row, std::index_sequence<I...>) const {
    bool const masked = detail::fully_masked(student_, row);
    return {std::get<I>(terms_).weigh(masked, row).multiplier...};
  }

  /// Those of every row, where rows do not differ and all of them count.
  [[nodiscard]] std::optional<multipliers> const& common() const { return common_; }

  /// What multiplies the loss of a row in the reduced value.
  template <std::size_t I>
  [[nodiscard]] double scale_of(double multiplier) const {
    return divisor_[I] > 0.0 ? std::get<I>(terms_).coefficient * multiplier / divisor_[I] : 0.0;
  }

  /// Whether the I-th term has a gradient in a row.
  template <std::size_t I>
  [[nodiscard]] bool counts(multipliers const& row) const {
    return row[I] > 0.0 && std::get<I>(terms_).coefficient != 0.0;
  }

  /// Whether anything is written row by row besides the gradient.
  [[nodiscard]] bool writes_by_row() const { return writes_by_row_; }

  /// The losses of one row, and their derivatives by the temperatures.
  struct row_record {
    std::array<double, count> values{}, derivatives{}, teacher_derivatives{};
  };

  void write_row(index row, multipliers const& multiplier, row_record const& found, chunk_sums& sums) {
    write_row(row, multiplier, found, sums, each);
  }

  template <std::size_t... I>
  [[nodiscard]] objective_value<count> reduce(std::index_sequence<I...>) const {
    objective_value<count> result{};
    auto const one = [&](std::size_t i, detail::term_base const& term) {
      double value = 0.0;
      double derivative = 0.0;
      double teacher_derivative = 0.0;
      for (index chunk = 0; chunk < chunks_; ++chunk) {
        value += sums_[static_cast<std::size_t>(chunk)].value[i];
        derivative += sums_[static_cast<std::size_t>(chunk)].temperature[i];
        teacher_derivative += sums_[static_cast<std::size_t>(chunk)].teacher_temperature[i];
      }
      result.terms[i] = {divisor_[i] > 0.0 ? value / divisor_[i] : 0.0, weight_[i]};
      // A term of coefficient 0 is absent, whatever its value.
      if (term.coefficient != 0.0) result.value += term.coefficient * result.terms[i].value;
      result.weight = std::max(result.weight, weight_[i]);
      if (term.temperature_gradient.size() == 1) term.temperature_gradient[0] = derivative;
      if (term.teacher_temperature_gradient.size() == 1) {
        term.teacher_temperature_gradient[0] = teacher_derivative;
      }
    };
    (one(I, std::get<I>(terms_)), ...);
    return result;
  }

  matrix_view<Student const> student_;
  Gradient gradient_;
  objective_options options_;
  std::tuple<Terms...> terms_;
  index chunks_ = 0;
  std::array<chunk_sums, static_cast<std::size_t>(most_chunks)> sums_{};

 private:
  template <std::size_t... I>
  void check(char const* where, std::index_sequence<I...>) {
    detail::require_matrix(where, "student", student_);
    if (!options_.values.empty()) {
      detail::require_size(where, "values", static_cast<index>(options_.values.size()), student_.rows);
    }
    (std::get<I>(terms_).check(where, student_.rows, student_.columns), ...);
    (check_numbers(where, std::get<I>(terms_)), ...);
    (check_outputs<I>(where, each), ...);
    if constexpr (with_gradient) {
      detail::require_shape(where, "gradient", gradient_, student_.rows, student_.columns);
      detail::require_distinct_elements(where, gradient_);
      detail::require_writable_over_student(where, gradient_, student_);
      (std::get<I>(terms_).check_apart(where, gradient_), ...);
    }
  }

  template <class Term>
  static void check_numbers(char const* where, Term const& term) {
    detail::require_factor(where, term.coefficient_name, term.coefficient, computing,
                           detail::is_finite_number, detail::must_be_finite);
    if constexpr (requires { term.check_numbers(where, computing); }) term.check_numbers(where, computing);
  }

  // Two terms that write to one place would leave the part of the last.
  template <std::size_t I, std::size_t... J>
  void check_outputs(char const* where, std::index_sequence<J...>) const {
    auto const same = [](std::span<double> a, std::span<double> b) {
      return !a.empty() && a.data() == b.data();
    };
    auto const& mine = std::get<I>(terms_);
    detail::require(
        !(... || (J < I && same(mine.temperature_gradient, std::get<J>(terms_).temperature_gradient))), where,
        "temperature_gradient", "shared by two terms", "one for each term");
    detail::require(
        !(... || ((J < I && same(mine.teacher_temperature_gradient,
                                 std::get<J>(terms_).teacher_temperature_gradient)) ||
                  same(mine.teacher_temperature_gradient, std::get<J>(terms_).temperature_gradient))),
        where, "teacher_temperature_gradient", "shared with another gradient", "one of its own");
    detail::require(!(... || (J < I && same(mine.rows.values, std::get<J>(terms_).rows.values))), where,
                    "rows.values", "shared by two terms", "one for each term");
  }

  // The divisor must be known before the first gradient is written, and so must every bad label.
  template <std::size_t... I>
  void weigh(char const* where, std::index_sequence<I...>) {
    (std::get<I>(terms_).inspect(where, student_.rows, student_.columns), ...);
    multipliers largest{};
    if (student_.rows > 0 && !detail::any_begins_masked(student_) && (std::get<I>(terms_).alike() && ...)) {
      detail::row_weight const weights[] = {std::get<I>(terms_).weigh(false, 0)...};
      common_ = largest = {weights[I].multiplier...};
      ((weight_[I] = weights[I].counted * static_cast<double>(student_.rows)), ...);
    } else {
      for (index row = 0; row < student_.rows; ++row) {
        bool const masked = detail::fully_masked(student_, row);
        auto const one = [&](std::size_t i, detail::row_weight const& weight) {
          weight_[i] += weight.counted;
          largest[i] = std::max(largest[i], weight.multiplier);
        };
        (one(I, std::get<I>(terms_).weigh(masked, row)), ...);
      }
    }
    (divide(where, I, std::get<I>(terms_), largest[I]), ...);
  }

  // What a term's sum is divided by; 0 where nothing counts, and then nothing is summed either. What multiplies the row
  // that counts most must be a number to the kernels.
  void divide(char const* where, std::size_t i, detail::term_base const& term, double largest) {
    if (term.rows.reduce == reduction::sum) {
      divisor_[i] = 1.0;
    } else {
      divisor_[i] = term.rows.normalizer > 0.0 ? term.rows.normalizer : weight_[i];
    }
    double const scale = divisor_[i] > 0.0 ? term.coefficient * largest / divisor_[i] : 0.0;
    detail::require(
        std::isfinite(computing.converted(scale)), where, "a row's weight over the divisor of all",
        [&] { return detail::text_of(scale) + ", which is " + computing.text(scale); },
        detail::must_be_finite);
  }

  template <std::size_t... I>
  void write_row(index row, multipliers const& multiplier, row_record const& found, chunk_sums& sums,
                 std::index_sequence<I...>) {
    auto const at = static_cast<std::size_t>(row);
    double total = 0.0;
    auto const one = [&](std::size_t i, detail::term_base const& term) {
      bool const in_total = multiplier[i] > 0.0 && term.coefficient != 0.0;
      if (in_total) total += term.coefficient * found.values[i];
      if (!term.rows.values.empty()) term.rows.values[at] = multiplier[i] > 0.0 ? found.values[i] : 0.0;
      auto const put = [&](std::span<double> gradient, double derivative, double& sum) {
        if (gradient.empty()) return;
        double const reduced =
            in_total && divisor_[i] > 0.0 ? term.coefficient * multiplier[i] / divisor_[i] * derivative : 0.0;
        if (gradient.size() == 1) {
          sum += reduced;
        } else {
          gradient[at] = reduced;
        }
      };
      put(term.temperature_gradient, found.derivatives[i], sums.temperature[i]);
      put(term.teacher_temperature_gradient, found.teacher_derivatives[i], sums.teacher_temperature[i]);
    };
    (one(I, std::get<I>(terms_)), ...);
    if (!options_.values.empty()) options_.values[at] = total;
  }

  std::array<double, count> weight_{};
  std::array<double, count> divisor_{};
  std::optional<multipliers> common_;
  bool writes_by_row_ = false;  ///< something besides the gradient and the sums
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
