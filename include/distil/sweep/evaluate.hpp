#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "distil/core/execution.hpp"
#include "distil/sweep/row_engine.hpp"
#include "distil/sweep/weighed_batch.hpp"

/// From terms to a loss: checks, weights and divisor first, then the sweeps chunk by chunk, then the sums in
/// order.
///
/// A term is a `detail::term_base` with `kernel<T, Axis>` (see kernel.hpp) and
///
///   arithmetic                               the widest arithmetic type among the matrices it reads
///   check(where, rows, columns)              options and shapes, O(1); throws
///   check_numbers(where, type)               if it has it, numbers that the computing_type does not hold; throws
///   check_apart(where, gradient)             its matrices do not overlap what is written; throws
///   inspect(where, rows, columns)            values per row: labels, weights, temperatures; throws
///   weigh(student_is_masked, row)            the row's weight; 0 for rows that do not count
///   alike()                                  true when all rows that are not masked weigh the same, more than 0
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

template <class Student, class Gradient, class... Terms>
class evaluation : weighed_batch<Student, Gradient, Terms...> {
  using base = weighed_batch<Student, Gradient, Terms...>;
  using base::chunks_, base::count, base::each, base::gradient_, base::options_, base::student_, base::sums_,
      base::terms_, base::with_gradient;
  using typename base::chunk_sums, typename base::multipliers;
  using T = std::common_type_t<arithmetic_t<Student>, typename Terms::arithmetic...>;
  template <class Axis>
  using sweeps = row_sweeps<T, Axis, with_gradient, Student, Terms...>;

 public:
  using base::base;

  objective_value<count> run(detail::any_policy policy) {
    if (student_.rows > 0) {
      bool const short_rows = student_.columns <= short_row_registers * lanes<T>::size;
      bool const class_major = student_.row_stride == 1 && student_.column_stride != 1;
      if (student_.rows > 1 && (short_rows || class_major)) {
        run_rows<across<T>>(policy);
      } else if (student_.rows < few_rows && student_.columns >= 2 * least_part_columns) {
        run_parts(policy);
      } else {
        run_rows<along<T>>(policy);
      }
    }
    return this->reduce(each);
  }

 private:
  static constexpr index ceiling(index a, index b) { return (a + b - 1) / b; }

  /// Rows in chunks.
  template <class Axis>
  void run_rows(detail::any_policy policy) {
    index chunk_rows =
        std::max(ceiling(student_.rows, most_chunks), ceiling(least_chunk_elements, student_.columns));
    index const whole = std::max(Axis::tile_rows, window_rows_of<T, Axis>(student_));
    chunk_rows = ceiling(chunk_rows, whole) * whole;
    chunks_ = ceiling(student_.rows, chunk_rows);
    // On this thread before any work, so that a lack of memory can be reported.
    sweeps<Axis>::reserve(student_.columns);
    auto const body = [this, chunk_rows](index chunk) {
      index const first = chunk * chunk_rows;
      index const last = std::min(first + chunk_rows, student_.rows);
      run_chunk<Axis>(first, last, sums_[static_cast<std::size_t>(chunk)]);
    };
    detail::run_chunks(policy, chunks_, student_.rows * student_.columns, detail::chunk_task(body));
  }

  template <class Axis>
  void run_chunk(index first, index last, chunk_sums& sums) noexcept {
    sweeps<Axis> sweep(student_, terms_, sweeps<Axis>::reserve(student_.columns));
    auto writer = writer_of<Axis>();
    class_range const classes{0, student_.columns};
    for (index row = first; row < last; row += Axis::tile_rows) {
      tile_weights<Axis> const tile(*this, {row, std::min(Axis::tile_rows, last - row), last});
      if (!tile.any) {
        skip(tile, writer, sums);
        continue;
      }
      auto state = begin<Axis>(tile, each);
      sweep.read(tile.rows, classes, state);
      look_up(tile, state, each);
      sweep.close(state);
      if (sweep.refines(state)) {
        sweep.refine(tile.rows, classes, state);
        sweep.close_refined(state);
      }
      record(tile, state, sums, each);
      write(sweep, tile, classes, state, writer, each);
    }
  }

  /// Few long rows, each in parts whose sums are joined in order.
  void run_parts(detail::any_policy policy) {
    using axis = along<T>;
    using state_of_row = typename sweeps<axis>::state;
    index const parts = std::min(most_parts, student_.columns / least_part_columns);
    index const width = ceiling(ceiling(student_.columns, parts), axis::block_columns) * axis::block_columns;
    T* const keep = sweeps<axis>::reserve(student_.columns);
    auto const each_part = [&](auto const& work) {
      auto const body = [&](index part) {
        class_range const classes{part * width, std::min((part + 1) * width, student_.columns)};
        if (classes.first < classes.last) work(static_cast<std::size_t>(part), classes);
      };
      detail::run_chunks(policy, parts, student_.columns, detail::chunk_task(body));
    };
    chunks_ = 1;
    for (index row = 0; row < student_.rows; ++row) {
      tile_weights<axis> const tile(*this, {row, 1});
      if (!tile.any) {
        auto writer = writer_of<axis>();
        skip(tile, writer, sums_[0]);
        continue;
      }
      state_of_row whole = begin<axis>(tile, each);
      auto states = copies(whole, std::make_index_sequence<static_cast<std::size_t>(most_parts)>{});
      each_part([&](std::size_t part, class_range classes) {
        sweeps<axis>(student_, terms_, keep).read(tile.rows, classes, states[part]);
      });
      each_part_in_order(parts, width, [&](std::size_t part) { sweeps<axis>::join(whole, states[part]); });
      look_up(tile, whole, each);
      sweeps<axis>::close(whole);
      if (sweeps<axis>::refines(whole)) {
        state_of_row const closed = whole;
        each_part([&](std::size_t part, class_range classes) {
          states[part] = closed;
          sweeps<axis>(student_, terms_, keep).refine(tile.rows, classes, states[part]);
        });
        each_part_in_order(parts, width,
                           [&](std::size_t part) { sweeps<axis>::join_refined(whole, states[part]); });
        sweeps<axis>::close_refined(whole);
      }
      record(tile, whole, sums_[0], each);
      if constexpr (with_gradient) {
        each_part([&](std::size_t part, class_range classes) {
          states[part] = whole;
          sweeps<axis> sweep(student_, terms_, keep);
          auto writer = writer_of<axis>();
          write(sweep, tile, classes, states[part], writer, each);
        });
      }
    }
  }

  template <class State, std::size_t... Part>
  static std::array<State, sizeof...(Part)> copies(State const& state, std::index_sequence<Part...>) {
    return {((void)Part, state)...};
  }

  template <class Work>
  void each_part_in_order(index parts, index width, Work const& work) const {
    for (index part = 0; part < parts && part * width < student_.columns; ++part) {
      work(static_cast<std::size_t>(part));
    }
  }

  /// How much the rows of a tile count.
  template <class Axis>
  struct tile_weights {
    tile rows;
    std::array<multipliers, static_cast<std::size_t>(Axis::tile_rows)> of_row;
    multipliers const* common = nullptr;  ///< of every row
    bool any = false;                     ///< some row counts for some term
    bool every_term = true;               ///< every row has the gradient of every term

    DISTIL_INLINE tile_weights(evaluation const& batch, tile here) : rows(here) {
      if (batch.common()) {
        common = &*batch.common();
        look_at(batch, *common, each);
        return;
      }
      for (index r = 0; r < here.rows; ++r) {
        multipliers const weights = batch.multipliers_of(here.first_row + r, each);
        of_row[static_cast<std::size_t>(r)] = weights;
        look_at(batch, weights, each);
      }
    }

    [[nodiscard]] multipliers const& at(index row) const {
      return common != nullptr ? *common : of_row[static_cast<std::size_t>(row - rows.first_row)];
    }

   private:
    template <std::size_t... I>
    DISTIL_INLINE void look_at(evaluation const& batch, multipliers const& row, std::index_sequence<I...>) {
      any = any || ((row[I] > 0.0) || ...);
      every_term = every_term && (batch.template counts<I>(row) && ...);
    }
  };

  template <class Axis>
  [[nodiscard]] auto writer_of() const {
    if constexpr (with_gradient) {
      return block_writer<T, Axis, typename Gradient::element>(gradient_, options_.accumulate);
    } else {
      return nothing{};
    }
  }

  /// What multiplies the gradients of the rows for the I-th term.
  template <std::size_t I, class Axis>
  [[nodiscard]] DISTIL_INLINE lanes<T> scale_of(tile_weights<Axis> const& tile) const {
    if (tile.common != nullptr) return lanes<T>(base::template scale_of<I>((*tile.common)[I]));
    return Axis::per_row(tile.rows, [&](index row) { return base::template scale_of<I>(tile.at(row)[I]); });
  }

  /// The state of a tile before its first class.
  template <class Axis, std::size_t... I>
  [[nodiscard]] DISTIL_INLINE typename sweeps<Axis>::state begin(tile_weights<Axis> const& tile,
                                                                 std::index_sequence<I...>) const {
    lanes<T> const scale[] = {scale_of<I>(tile)...};
    return {
        {{typename Terms::template kernel<T, Axis>(std::get<I>(terms_), student_, tile.rows, scale[I])}...}};
  }

  template <class Axis, class State, std::size_t... I>
  DISTIL_INLINE void look_up(tile_weights<Axis> const& tile, State& state, std::index_sequence<I...>) const {
    (get<I>(state.of).look_up(std::get<I>(terms_), student_, tile.rows), ...);
  }

  /// None of the rows counts.
  template <class Axis, class Writer>
  void skip(tile_weights<Axis> const& tile, [[maybe_unused]] Writer& writer, chunk_sums& sums) {
    for (index r = 0; r < tile.rows.rows; ++r) {
      index const row = tile.rows.first_row + r;
      if constexpr (with_gradient) writer.fill(row, sweeps<Axis>::masked_output);
      if (this->writes_by_row()) this->write_row(row, {}, {}, sums);
    }
  }

  /// Four sums side by side, so that not every addition waits for the one before it.
  template <std::size_t Size>
  static DISTIL_INLINE double sum_of(T const (&values)[Size]) {
    constexpr std::size_t width = Size < 4 ? Size : 4;
    double sums[width] = {};
    for (std::size_t i = 0; i < Size; i += width) {
      for (std::size_t j = 0; j < width; ++j) sums[j] += static_cast<double>(values[i + j]);
    }
    double sum = sums[0];
    for (std::size_t j = 1; j < width; ++j) sum += sums[j];
    return sum;
  }

  template <class Axis, class State, std::size_t... I>
  DISTIL_INLINE void record(tile_weights<Axis> const& tile, State const& state, chunk_sums& sums,
                            std::index_sequence<I...>) {
    constexpr auto lane_count = static_cast<std::size_t>(lanes<T>::size);
    T value[count][lane_count];
    T derivative[count][lane_count];
    (get<I>(state.of).value().store(value[I]), ...);
    (get<I>(state.of).temperature_derivative().store(derivative[I]), ...);
    if (Axis::tile_rows > 1 && tile.common != nullptr && tile.rows.rows == Axis::tile_rows) {
      ((sums.value[I] += (*tile.common)[I] * sum_of(value[I])), ...);
    } else {
      std::array<double, count> total{};
      for (index r = 0; r < tile.rows.rows; ++r) {
        multipliers const& row = tile.at(tile.rows.first_row + r);
        ((total[I] += row[I] > 0.0 ? row[I] * static_cast<double>(value[I][r]) : 0.0), ...);
      }
      ((sums.value[I] += total[I]), ...);
    }
    if (!this->writes_by_row()) return;
    T teacher_derivative[count][lanes<T>::size];
    (get<I>(state.of).teacher_temperature_derivative().store(teacher_derivative[I]), ...);
    for (index r = 0; r < tile.rows.rows; ++r) {
      index const row = tile.rows.first_row + r;
      this->write_row(row, tile.at(row),
                      {{static_cast<double>(value[I][r])...},
                       {static_cast<double>(derivative[I][r])...},
                       {static_cast<double>(teacher_derivative[I][r])...}},
                      sums);
    }
  }

  template <class Sweeps, class Axis, class State, class Writer, std::size_t... I>
  DISTIL_INLINE void write([[maybe_unused]] Sweeps& sweep, [[maybe_unused]] tile_weights<Axis> const& tile,
                           [[maybe_unused]] class_range classes, [[maybe_unused]] State& state,
                           [[maybe_unused]] Writer& writer, std::index_sequence<I...>) {
    if constexpr (with_gradient) {
      if (tile.every_term) {
        sweep.write(tile.rows, classes, state, terms_, writer);
      } else {
        sweep.write_some(tile.rows, classes, state, terms_,
                         {Axis::per_row(tile.rows,
                                        [&](index row) {
                                          return this->template counts<I>(tile.at(row)) ? 1.0 : 0.0;
                                        }) > lanes<T>(0)...},
                         writer);
      }
    }
  }
};

/// The value of a sum of terms.
template <class Policy, class Student, class... Terms>
objective_value<sizeof...(Terms)> evaluate(char const* where, Policy policy, Student const& student,
                                           objective_options const& options, Terms const&... terms) {
  auto const logits = detail::logits_view(student);
  using element = std::remove_const_t<typename decltype(logits)::element>;
  return evaluation<element, no_gradient, Terms...>(where, logits, {}, options, terms...)
      .run(detail::any_policy(policy));
}

/// The value of a sum of terms, and its gradient with respect to the student.
template <class Policy, class Student, class Gradient, class... Terms>
objective_value<sizeof...(Terms)> evaluate_with_gradient(char const* where, Policy policy,
                                                         Student const& student, Gradient&& gradient,
                                                         objective_options const& options,
                                                         Terms const&... terms) {
  auto const logits = detail::logits_view(student);
  auto const output = detail::output_view(std::forward<Gradient>(gradient));
  using element = std::remove_const_t<typename decltype(logits)::element>;
  return evaluation<element, std::remove_const_t<decltype(output)>, Terms...>(where, logits, output, options,
                                                                              terms...)
      .run(detail::any_policy(policy));
}

/// Either of them: `output` is `no_gradient`, or a view of what is written.
template <class Policy, class Student, class Output, class... Terms>
objective_value<sizeof...(Terms)> evaluate_into(char const* where, Policy policy, Student const& student,
                                                Output const& output, objective_options const& options,
                                                Terms const&... terms) {
  if constexpr (std::is_same_v<Output, no_gradient>) {
    return evaluate(where, policy, student, options, terms...);
  } else {
    return evaluate_with_gradient(where, policy, student, output, options, terms...);
  }
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
