#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <type_traits>

#include "distil/core/execution.hpp"
#include "distil/simd/scratch_lease.hpp"
#include "distil/sweep/row_sweeps.hpp"
#include "distil/sweep/tile_weights.hpp"

/// From terms to a loss: checks, weights and divisor first, then the sweeps chunk by chunk, then the sums in
/// order.
///
/// A term is a `detail::term_base` with `kernel<T>` (see kernel.hpp) and
///
///   arithmetic                               the widest arithmetic type among the matrices it reads
///   check(where, rows, columns)              options and shapes, O(1); throws
///   check_numbers(where, type)               if it has it, numbers that the computing_type does not hold; throws
///   check_apart(where, gradient)             if it has a gradient, its matrices do not overlap what is written; throws
///   inspect(where, rows, columns)            values per row: labels, weights, temperatures; throws
///   weigh(student_is_masked, row)            the row's weight; 0 for rows that do not count
///   alike()                                  true when all rows that are not masked weigh the same, more than 0
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// The sweeps of a batch, compiled once for an arithmetic type, whatever its terms, its matrices are stored in, and
/// whether a gradient is wanted.
template <class T>
class evaluation : weighed_batch<T> {
  using base = weighed_batch<T>;
  using base::chunks_, base::gradient_, base::student_, base::terms_;
  struct of_sweeps {};
  struct of_weights {};
  using sweeps = row_sweeps<T>;
  using weights = tile_weights<T>;

 public:
  [[gnu::noinline]] evaluation(char const* where, source_matrix<T> const& student,
                               target_matrix<T> const& gradient, objective_options const& options,
                               std::span<weighed_term> terms, std::span<term_sums> sums,
                               std::span<swept_term<T> const> swept)
      : base(where, student, gradient, options, terms, sums),
        where_(where),
        swept_(swept),
        accumulates_(options.accumulate),
        by_blocks_(terms.size() > 1 && gradient.data == student.data) {}

  loss_value run(detail::any_policy policy) {
    if (student_.rows > 0) {
      bool const short_rows = student_.columns <= short_row_registers * lanes<T>::size;
      bool const class_major = student_.row_stride == 1 && student_.column_stride != 1;
      if (student_.rows > 1 && (short_rows || class_major)) {
        run_rows(across, policy);
      } else if (student_.rows < few_rows && student_.columns >= 2 * least_part_columns) {
        run_parts(policy);
      } else {
        run_rows(along, policy);
      }
    }
    return this->reduce();
  }

 private:
  static constexpr index ceiling(index a, index b) { return (a + b - 1) / b; }

  /// Whether anything that the first sweep keeps of a row is taken again.
  [[nodiscard]] bool keeps() const { return this->wants_gradient() || sweeps::refines_kept(swept_); }
  [[nodiscard]] T* reserve(axis way) const {
    (void)scratch<std::byte, of_sweeps>(static_cast<index>(sweeps::bytes(swept_)));
    (void)scratch<double, of_weights>(weights::numbers(this->count()));
    return scratch<T>(sweeps::kept_elements(way, swept_, student_.columns, keeps()));
  }

  /// Rows in chunks.
  void run_rows(axis way, detail::any_policy policy) {
    index chunk_rows =
        std::max(ceiling(student_.rows, most_chunks), ceiling(least_chunk_elements, student_.columns));
    index const whole = std::max(way.tile_rows<T>(), window_rows_of<T>(way, student_));
    chunk_rows = ceiling(chunk_rows, whole) * whole;
    chunks_ = ceiling(student_.rows, chunk_rows);
    // On this thread before any work, so that a lack of memory can be reported.
    (void)reserve(way);
    auto const body = [this, way, chunk_rows](index chunk) {
      index const first = chunk * chunk_rows;
      run_chunk(way, first, std::min(first + chunk_rows, student_.rows), this->sums_of(chunk));
    };
    policy(chunks_, student_.rows * student_.columns, detail::chunk_task(body));
  }

  void run_chunk(axis way, index first, index last, term_sums* sums) noexcept {
    T* const kept = reserve(way);
    sweeps sweep(way, student_, swept_,
                 scratch<std::byte, of_sweeps>(static_cast<index>(sweeps::bytes(swept_))), kept, keeps());
    weights tile(*this, scratch<double, of_weights>(weights::numbers(this->count())));
    block_writer<T> writer(way, gradient_, accumulates_, by_blocks_);
    class_range const classes{0, student_.columns};
    index const tile_rows = way.tile_rows<T>();
    for (index row = first; row < last; row += tile_rows) {
      tile.look_at(way, row, std::min(tile_rows, last - row), last);
      if (!tile.any) {
        skip(tile, sweep, writer, sums);
        continue;
      }
      sweep.begin(tile.rows, [&](std::size_t term) { return tile.scale(term); });
      sweep.read(classes);
      sweep.close();
      if (sweep.refines()) {
        sweep.refine(classes);
        sweep.close_refined();
      }
      record(tile, sweep, sums);
      write(tile, sweep, classes, writer);
    }
  }

  /// Few long rows, each in parts whose sums are joined in order.
  void run_parts(detail::any_policy policy) {
    index const width =
        ceiling(ceiling(student_.columns, std::min(most_parts, student_.columns / least_part_columns)),
                block_elements) *
        block_elements;
    index const parts = ceiling(student_.columns, width);
    // Memory that no other evaluation on this thread takes while others work for this one.
    scratch_lease of_parts, of_row;
    of_parts.take(where_);
    of_row.take(where_);
    std::size_t const bytes = sweeps::bytes(swept_), of_one = sizeof(sweeps) + bytes;
    static_assert(sizeof(sweeps) % cache_line == 0 && std::is_trivially_destructible_v<sweeps>);
    std::byte* const memory = of_parts.memory(static_cast<std::size_t>(1 + parts) * of_one);
    auto* const kept = reinterpret_cast<T*>(of_row.memory(
        static_cast<std::size_t>(sweeps::kept_elements(along, swept_, student_.columns, true)) * sizeof(T)));
    auto const make = [&](index at) {
      std::byte* const here = memory + static_cast<std::size_t>(at) * of_one;
      return ::new (static_cast<void*>(here))
          sweeps(along, student_, swept_, here + sizeof(sweeps), kept, true);
    };
    sweeps& whole = *make(0);
    std::array<sweeps*, static_cast<std::size_t>(most_parts)> of_part{};
    for (index part = 0; part < parts; ++part) of_part[static_cast<std::size_t>(part)] = make(1 + part);
    weights tile(*this, scratch<double, of_weights>(weights::numbers(this->count())));
    using work_on_part = void (evaluation::*)(weights const&, sweeps&, class_range) const;
    auto const each_part = [&](work_on_part work) {
      auto const body = [&, work](index part) {
        sweeps& mine = *of_part[static_cast<std::size_t>(part)];
        mine.copy(whole);
        (this->*work)(tile, mine, {part * width, std::min((part + 1) * width, student_.columns)});
      };
      policy(parts, student_.columns, detail::chunk_task(body));
    };
    chunks_ = 1;
    term_sums* const sums = this->sums_of(0);
    for (index row = 0; row < student_.rows; ++row) {
      tile.look_at(along, row, 1, row + 1);
      if (!tile.any) {
        block_writer<T> writer(along, gradient_, accumulates_, by_blocks_);
        skip(tile, whole, writer, sums);
        continue;
      }
      whole.begin(tile.rows, [&](std::size_t term) { return tile.scale(term); });
      each_part(&evaluation::read_part);
      for (index part = 0; part < parts; ++part) whole.join(*of_part[static_cast<std::size_t>(part)]);
      whole.close();
      if (whole.refines()) {
        each_part(&evaluation::refine_part);
        for (index part = 0; part < parts; ++part) {
          whole.join_refined(*of_part[static_cast<std::size_t>(part)]);
        }
        whole.close_refined();
      }
      record(tile, whole, sums);
      if (this->wants_gradient()) each_part(&evaluation::write_part);
    }
  }
  void read_part(weights const&, sweeps& part, class_range classes) const { part.read(classes); }
  void refine_part(weights const&, sweeps& part, class_range classes) const { part.refine(classes); }
  void write_part(weights const& tile, sweeps& part, class_range classes) const {
    block_writer<T> writer(along, gradient_, accumulates_, by_blocks_);
    write(tile, part, classes, writer);
  }

  /// None of the rows counts.
  void skip(weights const& tile, sweeps const& sweep, block_writer<T>& writer, term_sums* sums) const {
    for (index r = 0; r < tile.rows.rows; ++r) {
      index const row = tile.rows.first_row + r;
      if (this->wants_gradient()) writer.fill(row, sweep.masked_output());
      if (this->writes_by_row())
        this->write_row(
            row, tile.at(r), [](std::size_t) { return row_record{}; }, sums);
    }
  }

  /// Four sums side by side, so that not every addition waits for the one before it.
  static double sum_of(T const* values) {
    constexpr index size = lanes<T>::size, width = size < 4 ? size : 4;
    double sums[static_cast<std::size_t>(width)] = {};
    for (index i = 0; i < size; i += width) {
      for (index j = 0; j < width; ++j) sums[j] += static_cast<double>(values[i + j]);
    }
    double sum = sums[0];
    for (index j = 1; j < width; ++j) sum += sums[j];
    return sum;
  }

  void record(weights const& tile, sweeps const& sweep, term_sums* sums) const {
    constexpr auto lane_count = static_cast<std::size_t>(lanes<T>::size);
    T value[lane_count];
    for (std::size_t i = 0; i < this->count(); ++i) {
      sweep.value(i).store(value);
      double total = 0.0;
      if (this->alike() && tile.rows.rows == lanes<T>::size) {
        total = tile.at(0)[i] * sum_of(value);
      } else {
        for (index r = 0; r < tile.rows.rows; ++r) {
          double const multiplier = tile.at(r)[i];
          total += multiplier != 0.0 ? multiplier * static_cast<double>(value[r]) : 0.0;
        }
      }
      sums[i].value += total;
    }
    if (this->writes_by_row()) record_rows(tile, sweep, sums);
  }

  [[gnu::noinline]] void record_rows(weights const& tile, sweeps const& sweep, term_sums* sums) const {
    for (index r = 0; r < tile.rows.rows; ++r) {
      this->write_row(
          tile.rows.first_row + r, tile.at(r),
          [&](std::size_t i) {
            row_derivatives<T> const by = sweep.derivatives(i);
            return row_record{lane_of(sweep.value(i), r), lane_of(by.temperature, r),
                              lane_of(by.teacher_temperature, r)};
          },
          sums);
    }
  }
  static double lane_of(lanes<T> values, index lane) {
    T each[static_cast<std::size_t>(lanes<T>::size)];
    values.store(each);
    return static_cast<double>(each[lane]);
  }

  void write(weights const& tile, sweeps& sweep, class_range classes, block_writer<T>& writer) const {
    if (!this->wants_gradient()) return;
    sweep.write(classes, writer, tile.every_row, [&](std::size_t term) { return tile.counts(term); });
  }

  char const* where_;
  std::span<swept_term<T> const> swept_;
  bool accumulates_;
  bool by_blocks_;  ///< a term may look at logits after another has written its gradient over them
};

/// The terms are copies, which may take memory for themselves while they are evaluated.
template <class T, class... Terms>
objective_value<sizeof...(Terms)> evaluate_in(char const* where, detail::any_policy policy,
                                              source_matrix<T> const& logits, target_matrix<T> const& target,
                                              objective_options const& options, Terms const... terms) {
  terms_and_sums<sizeof...(Terms)> of_batch{{weighed_term::of(terms)...}};
  swept_term<T> const swept[] = {swept_term<T>::of(terms)...};
  objective_value<sizeof...(Terms)> result{
      evaluation<T>(where, logits, target, options, of_batch.terms, of_batch.sums, swept).run(policy), {}};
  for (std::size_t i = 0; i < sizeof...(Terms); ++i) {
    result.terms[i] = {of_batch.terms[i].value, of_batch.terms[i].weight};
  }
  return result;
}

/// The value of a sum of terms, and where `output` is a view and not `no_gradient`, its gradient with respect to the
/// student.
template <class Student, class Output, class... Terms>
objective_value<sizeof...(Terms)> evaluate(char const* where, detail::any_policy policy,
                                           Student const& student, Output const& output,
                                           objective_options const& options, Terms const&... terms) {
  auto const logits = detail::logit_rows(student);
  using T =
      std::common_type_t<arithmetic_t<typename decltype(logits)::element>, typename Terms::arithmetic...>;
  // Anything else has been refused already, in words that the errors of whole sweeps would bury.
  if constexpr (std::is_floating_point_v<T>) {
    return evaluate_in<T, Terms...>(where, policy, source_matrix<T>(logits), target_matrix<T>(output),
                                    options, terms...);
  } else {
    return {};
  }
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
