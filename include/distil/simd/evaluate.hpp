#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include "distil/core/execution.hpp"
#include "distil/core/objective.hpp"
#include "distil/core/shapes.hpp"
#include "distil/simd/row_engine.hpp"

/// From terms to a loss: checks, weights and divisor first, then the sweeps chunk by chunk, then the sums in
/// order.
///
/// A term is a `detail::term_base` with `kernel<T, Axis>` (see kernel.hpp) and
///
///   arithmetic                               the widest arithmetic type among the matrices it reads
///   check(where, rows, columns)              options and shapes, O(1); throws
///   check_apart(where, gradient)             its matrices do not overlap what is written; throws
///   inspect(where, rows, columns)            values per row: labels, weights, temperatures; throws
///   weigh(student_is_masked, row)            the row's weight; 0 for rows that do not count
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// The value-only form writes nowhere.
struct no_gradient {};

/// Makes an element of a tuple where it lies, since kernels are large.
template <class Make>
struct made_in_place {
  Make make;
  operator std::invoke_result_t<Make>() const { return make(); }
};

template <class Student, class Gradient, class... Terms>
class evaluation {
  static constexpr bool with_gradient = !std::is_same_v<Gradient, no_gradient>;
  static constexpr std::size_t count = sizeof...(Terms);
  static constexpr auto each = std::index_sequence_for<Terms...>{};
  using T = std::common_type_t<arithmetic_t<Student>, typename Terms::arithmetic...>;

 public:
  evaluation(char const* where, matrix_view<Student const> student, Gradient gradient,
             objective_options const& options, Terms const&... terms)
      : student_(student), gradient_(gradient), options_(options), terms_(terms...) {
    check(where, each);
    weigh(where, each);
    auto const by_row = [](detail::term_base const& term) {
      return !term.rows.values.empty() || !term.temperature_gradient.empty();
    };
    writes_by_row_ = !options_.values.empty() || (by_row(terms) || ...);
  }

  template <class Policy>
  objective_value<count> run(Policy policy) {
    if (student_.rows > 0) {
      bool const short_rows = student_.columns <= short_row_registers * lanes<T>::size;
      bool const class_major = student_.row_stride == 1 && student_.column_stride != 1;
      if (student_.rows > 1 && (short_rows || class_major)) {
        run_along<across<T>>(policy);
      } else {
        run_along<along<T>>(policy);
      }
    }
    return reduce(each);
  }

 private:
  struct chunk_sums {
    std::array<double, count> value{};
    std::array<double, count> temperature{};
  };

  template <std::size_t... I>
  void check(char const* where, std::index_sequence<I...>) {
    detail::require_matrix(where, "student", student_);
    if (!options_.values.empty()) {
      detail::require_size(where, "values", static_cast<index>(options_.values.size()), student_.rows);
    }
    (std::get<I>(terms_).check(where, student_.rows, student_.columns), ...);
    (check_outputs<I>(where, each), ...);
    if constexpr (with_gradient) {
      detail::require_shape(where, "gradient", gradient_, student_.rows, student_.columns);
      detail::require_distinct_elements(where, gradient_);
      detail::require_writable_over_student(where, gradient_, student_);
      (std::get<I>(terms_).check_apart(where, gradient_), ...);
    }
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
    detail::require(!(... || (J < I && same(mine.rows.values, std::get<J>(terms_).rows.values))), where,
                    "rows.values", "shared by two terms", "one for each term");
  }

  // The divisor must be known before the first gradient is written, and so must every bad label.
  template <std::size_t... I>
  void weigh(char const* where, std::index_sequence<I...>) {
    (std::get<I>(terms_).inspect(where, student_.rows, student_.columns), ...);
    for (index row = 0; row < student_.rows; ++row) {
      bool const masked = detail::fully_masked(student_, row);
      ((weight_[I] += std::get<I>(terms_).weigh(masked, row).counted), ...);
    }
    (divide(I, std::get<I>(terms_)), ...);
  }

  // What a term's sum is divided by; 0 where nothing counts, and then nothing is summed either.
  void divide(std::size_t i, detail::term_base const& term) {
    if (term.rows.reduce == reduction::sum) {
      divisor_[i] = 1.0;
    } else {
      divisor_[i] = term.rows.normalizer > 0.0 ? term.rows.normalizer : weight_[i];
    }
  }

  /// What multiplies the loss of a row in the reduced value.
  template <std::size_t I>
  [[nodiscard]] double scale_of(double multiplier) const {
    return divisor_[I] > 0.0 ? std::get<I>(terms_).coefficient * multiplier / divisor_[I] : 0.0;
  }

  template <class Axis, class Policy>
  void run_along(Policy policy) {
    auto const ceiling = [](index a, index b) { return (a + b - 1) / b; };
    index chunk_rows =
        std::max(ceiling(student_.rows, most_chunks), ceiling(least_chunk_elements, student_.columns));
    chunk_rows = ceiling(chunk_rows, Axis::tile_rows) * Axis::tile_rows;
    chunks_ = ceiling(student_.rows, chunk_rows);
    // On this thread before any work, so that a lack of memory can be reported.
    row_sweeps<T, Axis, with_gradient, Student, Terms...>::reserve(student_.columns);
    auto const body = [this, chunk_rows](index chunk) {
      index const first = chunk * chunk_rows;
      index const last = std::min(first + chunk_rows, student_.rows);
      run_chunk<Axis>(first, last, sums_[static_cast<std::size_t>(chunk)], each);
    };
    detail::run_chunks(policy, chunks_, student_.rows * student_.columns, detail::chunk_task(body));
  }

  template <class Axis, std::size_t... I>
  void run_chunk(index first, index last, chunk_sums& sums, std::index_sequence<I...>) noexcept {
    using sweeps_of = row_sweeps<T, Axis, with_gradient, Student, Terms...>;
    sweeps_of sweeps(student_, terms_, sweeps_of::reserve(student_.columns));
    class_range const classes{0, student_.columns};
    auto writer = [&] {
      if constexpr (with_gradient) {
        return block_writer<T, Axis, typename Gradient::element>(gradient_, options_.accumulate);
      } else {
        return nothing{};
      }
    }();
    for (index row = first; row < last; row += Axis::tile_rows) {
      tile const rows{row, std::min(Axis::tile_rows, last - row)};
      double multiplier[count][Axis::tile_rows];
      bool any_counts = false, all_count = true;
      for (index r = 0; r < rows.rows; ++r) {
        bool const masked = detail::fully_masked(student_, row + r);
        ((multiplier[I][r] = std::get<I>(terms_).weigh(masked, row + r).multiplier), ...);
        any_counts = any_counts || ((multiplier[I][r] > 0.0) || ...);
        all_count = all_count && ((multiplier[I][r] > 0.0) && ...);
      }
      if (!any_counts) {
        for (index r = 0; r < rows.rows; ++r) {
          if constexpr (with_gradient) writer.fill(row + r, sweeps_of::masked_output);
          record(row + r, {}, {}, sums);
        }
        continue;
      }
      lanes<T> const scale[count] = {
          Axis::per_row(rows, [&](index r) { return scale_of<I>(multiplier[I][r - row]); })...};
      typename sweeps_of::state state{{made_in_place{[&] {
        return typename Terms::template kernel<T, Axis>(std::get<I>(terms_), student_, rows, scale[I]);
      }}...}};
      sweeps.read(rows, classes, state);
      sweeps.close(state);
      if (sweeps.refines(state)) {
        sweeps.refine(rows, classes, state);
        sweeps.close_refined(state);
      }
      T value[count][lanes<T>::size];
      T derivative[count][lanes<T>::size];
      (std::get<I>(state.of).value().store(value[I]), ...);
      (std::get<I>(state.of).temperature_derivative().store(derivative[I]), ...);
      for (index r = 0; r < rows.rows; ++r) {
        record(row + r,
               {(multiplier[I][r] > 0.0 ? weighted{multiplier[I][r], static_cast<double>(value[I][r])}
                                        : weighted{})...},
               {static_cast<double>(derivative[I][r])...}, sums);
      }
      if constexpr (with_gradient) {
        all_count = all_count && ((std::get<I>(terms_).coefficient != 0.0) && ...);
        auto const counts = [&](double coefficient, double const* of_row) {
          return Axis::per_row(rows, [&](index r) {
                   return coefficient != 0.0 && of_row[r - row] > 0.0 ? 1.0 : 0.0;
                 }) > lanes<T>(0);
        };
        if (all_count) {
          sweeps.write(rows, classes, state, terms_, writer);
        } else {
          sweeps.write_some(rows, classes, state, terms_,
                            {counts(std::get<I>(terms_).coefficient, multiplier[I])...}, writer);
        }
      }
    }
  }

  struct weighted {
    double multiplier = 0.0;
    double value = 0.0;
  };

  void record(index row, std::array<weighted, count> const& losses,
              std::array<double, count> const& derivatives, chunk_sums& sums) {
    if (!writes_by_row_) {
      for (std::size_t i = 0; i < count; ++i) {
        if (losses[i].multiplier > 0.0) sums.value[i] += losses[i].multiplier * losses[i].value;
      }
      return;
    }
    double total = 0.0;
    auto const one = [&](std::size_t i, detail::term_base const& term) {
      weighted const loss = losses[i];
      auto const at = static_cast<std::size_t>(row);
      if (!term.rows.values.empty()) term.rows.values[at] = loss.value;
      if (loss.multiplier > 0.0) {
        if (term.coefficient != 0.0) total += term.coefficient * loss.value;
        sums.value[i] += loss.multiplier * loss.value;
      }
      if (!term.temperature_gradient.empty()) {
        bool const counts = loss.multiplier > 0.0 && term.coefficient != 0.0 && divisor_[i] > 0.0;
        double const derivative =
            counts ? term.coefficient * loss.multiplier / divisor_[i] * derivatives[i] : 0.0;
        if (term.temperature_gradient.size() == 1) {
          sums.temperature[i] += derivative;
        } else {
          term.temperature_gradient[at] = derivative;
        }
      }
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) { (one(I, std::get<I>(terms_)), ...); }
    (each);
    if (!options_.values.empty()) options_.values[static_cast<std::size_t>(row)] = total;
  }

  template <std::size_t... I>
  objective_value<count> reduce(std::index_sequence<I...>) const {
    objective_value<count> result{};
    auto const one = [&](std::size_t i, detail::term_base const& term) {
      double value = 0.0;
      double derivative = 0.0;
      for (index chunk = 0; chunk < chunks_; ++chunk) {
        value += sums_[static_cast<std::size_t>(chunk)].value[i];
        derivative += sums_[static_cast<std::size_t>(chunk)].temperature[i];
      }
      result.terms[i] = {divisor_[i] > 0.0 ? value / divisor_[i] : 0.0, weight_[i]};
      // A term of coefficient 0 is absent, whatever its value.
      if (term.coefficient != 0.0) result.value += term.coefficient * result.terms[i].value;
      result.weight = std::max(result.weight, weight_[i]);
      if (term.temperature_gradient.size() == 1) term.temperature_gradient[0] = derivative;
    };
    (one(I, std::get<I>(terms_)), ...);
    return result;
  }

  matrix_view<Student const> student_;
  Gradient gradient_;
  objective_options options_;
  std::tuple<Terms...> terms_;
  std::array<double, count> weight_{};
  std::array<double, count> divisor_{};
  index chunks_ = 0;
  bool writes_by_row_ = false;  ///< something besides the gradient and the sums
  std::array<chunk_sums, static_cast<std::size_t>(most_chunks)> sums_{};
};

/// The value of a sum of terms.
template <class Policy, class Student, class... Terms>
objective_value<sizeof...(Terms)> evaluate(char const* where, Policy policy, Student const& student,
                                           objective_options const& options, Terms const&... terms) {
  auto const logits = detail::input_view(student);
  using element = std::remove_const_t<typename decltype(logits)::element>;
  return evaluation<element, no_gradient, Terms...>(where, logits, {}, options, terms...).run(policy);
}

/// The value of a sum of terms, and its gradient with respect to the student.
template <class Policy, class Student, class Gradient, class... Terms>
objective_value<sizeof...(Terms)> evaluate_with_gradient(char const* where, Policy policy,
                                                         Student const& student, Gradient& gradient,
                                                         objective_options const& options,
                                                         Terms const&... terms) {
  auto const logits = detail::input_view(student);
  auto const output = detail::output_view(gradient);
  using element = std::remove_const_t<typename decltype(logits)::element>;
  return evaluation<element, std::remove_const_t<decltype(output)>, Terms...>(where, logits, output, options,
                                                                              terms...)
      .run(policy);
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
