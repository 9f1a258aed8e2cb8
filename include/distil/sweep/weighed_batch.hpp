#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>

#include "distil/core/loss_face.hpp"
#include "distil/core/number_checks.hpp"
#include "distil/core/objective.hpp"
#include "distil/simd/tuning.hpp"
#include "distil/sweep/stored_matrix.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// The value-only form writes nowhere.
using detail::no_gradient;

/// What a batch asks of a term, whatever its type (see evaluate.hpp).
struct term_functions {
  void (*check)(void const* term, char const* where, index rows, index columns);
  void (*check_numbers)(void const* term, char const* where, detail::computing_type type);
  void (*check_apart)(void const* term, char const* where, detail::matrix_extent const& gradient);
  void (*inspect)(void const* term, char const* where, index rows, index columns);
  bool (*alike)(void const* term);
  detail::row_weight (*weigh)(void const* term, bool student_is_masked, index row);
};

template <class Term>
struct functions_of {
  static Term const& of(void const* term) { return *static_cast<Term const*>(term); }
  static constexpr term_functions all{
      [](void const* term, char const* where, index rows, index columns) {
        of(term).check(where, rows, columns);
      },
      []([[maybe_unused]] void const* term, [[maybe_unused]] char const* where,
         [[maybe_unused]] detail::computing_type type) {
        if constexpr (requires { of(term).check_numbers(where, type); }) of(term).check_numbers(where, type);
      },
      []([[maybe_unused]] void const* term, [[maybe_unused]] char const* where,
         [[maybe_unused]] detail::matrix_extent const& gradient) {
        if constexpr (requires { of(term).check_apart(where, gradient); }) {
          of(term).check_apart(where, gradient);
        }
      },
      [](void const* term, char const* where, index rows, index columns) {
        of(term).inspect(where, rows, columns);
      },
      [](void const* term) { return of(term).alike(); },
      [](void const* term, bool student_is_masked, index row) {
        return of(term).weigh(student_is_masked, row);
      }};
};

/// A term of a batch and what the bookkeeping knows of it.
struct weighed_term {
  detail::term_base const* base = nullptr;
  void const* term = nullptr;
  term_functions const* functions = nullptr;
  double weight = 0.0;   ///< of the rows that count
  double divisor = 0.0;  ///< of the sum; 0 where nothing counts, and then nothing is summed either
  double common =
      0.0;  ///< the multiplier of every row, where rows do not differ and all of them count; else the largest
  double value = 0.0;  ///< in the end

  template <class Term>
  static weighed_term of(Term const& term) {
    return {&term, &term, &functions_of<Term>::all};
  }

  /// What multiplies the loss of a row in the reduced value.
  [[nodiscard]] double scale_of(double multiplier) const {
    return divisor > 0.0 ? base->coefficient * multiplier / divisor : 0.0;
  }
  /// Whether it has a gradient in a row.
  [[nodiscard]] bool has_gradient(double multiplier) const {
    return multiplier != 0.0 && base->coefficient != 0.0;
  }
};

/// Sums over the rows of one chunk, for one term.
struct term_sums {
  double value = 0.0, temperature = 0.0, teacher_temperature = 0.0;
};

/// The loss of one row, and its derivatives by the temperatures.
struct row_record {
  double value = 0.0, derivative = 0.0, teacher_derivative = 0.0;
};

/// Terms of a batch with room for their sums.
template <std::size_t Count>
struct terms_and_sums {
  std::array<weighed_term, Count> terms;
  std::array<term_sums, Count* static_cast<std::size_t>(most_chunks)> sums{};
};

/// A batch with the terms of its loss: checked, its rows weighed and the divisors known before anything is written;
/// later the losses of the rows are recorded, chunk by chunk, and summed in order.
template <class T>
class weighed_batch {
 public:
  /// Everything that is referred to must outlive it.
  weighed_batch(char const* where, source_matrix<T> const& student, target_matrix<T> const& gradient,
                objective_options const& options, std::span<weighed_term> terms, std::span<term_sums> sums)
      : student_(student), gradient_(gradient), options_(options), terms_(terms), sums_(sums) {
    check(where);
    weigh(where);
    writes_by_row_ = !options_.values.empty();
    for (weighed_term const& each : terms_) {
      detail::term_base const& term = *each.base;
      writes_by_row_ = writes_by_row_ || !term.rows.values.empty() || !term.temperature_gradient.empty() ||
                       !term.teacher_temperature_gradient.empty();
    }
  }
  weighed_batch(weighed_batch const&) = delete;
  weighed_batch& operator=(weighed_batch const&) = delete;

  [[nodiscard]] std::size_t count() const { return terms_.size(); }
  [[nodiscard]] weighed_term const& term(std::size_t i) const { return terms_[i]; }

  /// What multiplies the losses of a row, a number for each term; 0 where it adds nothing.
  void multipliers_of(index row, double* multipliers) const {
    bool const masked = fully_masked(student_, row);
    for (std::size_t i = 0; i < count(); ++i) {
      multipliers[i] = terms_[i].functions->weigh(terms_[i].term, masked, row).multiplier *
                       terms_[i].base->rows.coefficients[row];
    }
  }

  /// Whether every row has the multipliers `common` of the terms.
  [[nodiscard]] bool alike() const { return alike_; }

 protected:
  [[nodiscard]] bool wants_gradient() const { return static_cast<bool>(gradient_); }

  /// Whether anything is written row by row besides the gradient.
  [[nodiscard]] bool writes_by_row() const { return writes_by_row_; }

  [[nodiscard]] term_sums* sums_of(index chunk) {
    return sums_.data() + static_cast<std::size_t>(chunk) * count();
  }

  /// Of each term its multiplier and what `found(term)` says of it; the derivatives join the sums.
  template <class Found>
  void write_row(index row, double const* multipliers, Found const& found_of, term_sums* sums) const {
    auto const at = static_cast<std::size_t>(row);
    double total = 0.0;
    for (std::size_t i = 0; i < count(); ++i) {
      detail::term_base const& term = *terms_[i].base;
      row_record const found = found_of(i);
      bool const in_total = terms_[i].has_gradient(multipliers[i]);
      if (in_total) total += term.coefficient * found.value;
      if (!term.rows.values.empty()) term.rows.values[at] = multipliers[i] != 0.0 ? found.value : 0.0;
      auto const put = [&](std::span<double> gradient, double derivative, double& sum) {
        if (gradient.empty()) return;
        double const reduced =
            in_total && terms_[i].divisor > 0.0 ? terms_[i].scale_of(multipliers[i]) * derivative : 0.0;
        if (gradient.size() == 1) {
          sum += reduced;
        } else {
          gradient[at] = reduced;
        }
      };
      put(term.temperature_gradient, found.derivative, sums[i].temperature);
      put(term.teacher_temperature_gradient, found.teacher_derivative, sums[i].teacher_temperature);
    }
    if (!options_.values.empty()) options_.values[at] = total;
  }

  /// The value of the sum of terms, and into each its own.
  loss_value reduce() {
    loss_value result{};
    for (std::size_t i = 0; i < count(); ++i) {
      weighed_term& term = terms_[i];
      term_sums sum;
      for (index chunk = 0; chunk < chunks_; ++chunk) {
        term_sums const& of_chunk = sums_of(chunk)[i];
        sum.value += of_chunk.value;
        sum.temperature += of_chunk.temperature;
        sum.teacher_temperature += of_chunk.teacher_temperature;
      }
      term.value = term.divisor > 0.0 ? sum.value / term.divisor : 0.0;
      // A term of coefficient 0 is absent, whatever its value.
      if (term.base->coefficient != 0.0) result.value += term.base->coefficient * term.value;
      result.weight = std::max(result.weight, term.weight);
      auto const put = [](std::span<double> gradient, double derivative) {
        if (gradient.size() == 1) gradient[0] = derivative;
      };
      put(term.base->temperature_gradient, sum.temperature);
      put(term.base->teacher_temperature_gradient, sum.teacher_temperature);
    }
    return result;
  }

  source_matrix<T> student_;
  target_matrix<T> gradient_;
  objective_options options_;
  std::span<weighed_term> terms_;
  index chunks_ = 0;

 private:
  static constexpr auto computing = detail::computing_type::of<T>();

  void check(char const* where) const {
    detail::require_matrix(where, "student", extent_of(student_));
    if (!options_.values.empty()) {
      detail::require_size(where, "values", static_cast<index>(options_.values.size()), student_.rows);
    }
    for (weighed_term const& each : terms_) {
      each.functions->check(each.term, where, student_.rows, student_.columns);
    }
    for (weighed_term const& each : terms_) {
      detail::require_factor(where, each.base->coefficient_name, each.base->coefficient, computing,
                             detail::is_finite_number, detail::must_be_finite);
      each.functions->check_numbers(each.term, where, computing);
    }
    for (std::size_t i = 0; i < count(); ++i) check_outputs(where, i);
    if (!gradient_) return;
    detail::matrix_extent const gradient = extent_of(gradient_);
    detail::require_shape(where, "gradient", gradient, student_.rows, student_.columns);
    detail::require_distinct_elements(where, gradient);
    detail::require_writable_over_student(where, gradient, extent_of(student_));
    for (weighed_term const& each : terms_) each.functions->check_apart(each.term, where, gradient);
  }

  // Two terms that write to one place would leave the part of the last.
  void check_outputs(char const* where, std::size_t at) const {
    auto const same = [](std::span<double> a, std::span<double> b) {
      return !a.empty() && a.data() == b.data();
    };
    detail::term_base const& mine = *terms_[at].base;
    bool temperature = false, values = false;
    bool teacher = same(mine.teacher_temperature_gradient, mine.temperature_gradient);
    for (std::size_t i = 0; i < count(); ++i) {
      detail::term_base const& other = *terms_[i].base;
      teacher = teacher || same(mine.teacher_temperature_gradient, other.temperature_gradient);
      if (i >= at) continue;
      temperature = temperature || same(mine.temperature_gradient, other.temperature_gradient);
      teacher = teacher || same(mine.teacher_temperature_gradient, other.teacher_temperature_gradient);
      values = values || same(mine.rows.values, other.rows.values);
    }
    detail::require(!temperature, where, "temperature_gradient", "shared by two terms", "one for each term");
    detail::require(!teacher, where, "teacher_temperature_gradient", "shared with another gradient",
                    "one of its own");
    detail::require(!values, where, "rows.values", "shared by two terms", "one for each term");
  }

  // The divisor must be known before the first gradient is written, and so must every bad label.
  void weigh(char const* where) {
    for (weighed_term const& each : terms_) {
      each.functions->inspect(each.term, where, student_.rows, student_.columns);
    }
    alike_ = student_.rows > 0 && !any_begins_masked(student_);
    for (weighed_term const& each : terms_) {
      alike_ = alike_ && each.functions->alike(each.term) && !each.base->rows.coefficients.per_row();
    }
    index const looked_at = alike_ ? 1 : student_.rows;
    for (index row = 0; row < looked_at; ++row) {
      bool const masked = !alike_ && fully_masked(student_, row);
      for (weighed_term& each : terms_) {
        detail::row_weight const weight = each.functions->weigh(each.term, masked, row);
        each.weight += alike_ ? weight.counted * static_cast<double>(student_.rows) : weight.counted;
        double const multiplier = weight.multiplier * each.base->rows.coefficients[row];
        if (std::abs(multiplier) > std::abs(each.common)) each.common = multiplier;
      }
    }
    for (weighed_term& each : terms_) divide(where, each);
  }

  // What multiplies the row that counts most must be a number to the kernels.
  static void divide(char const* where, weighed_term& each) {
    row_options const& rows = each.base->rows;
    if (rows.reduce == reduction::sum) {
      each.divisor = 1.0;
    } else {
      each.divisor = rows.normalizer > 0.0 ? rows.normalizer : each.weight;
    }
    double const scale = each.scale_of(each.common);
    detail::require(
        std::isfinite(computing.converted(scale)), where, "a row's weight over the divisor of all",
        [&] { return detail::said(scale, ", which is ", computing.text(scale)); }, detail::must_be_finite);
  }

  std::span<term_sums> sums_;
  bool alike_ = false;
  bool writes_by_row_ = false;  ///< something besides the gradient and the sums
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
