#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "distil/sweep/shared_exponentials.hpp"
#include "distil/sweep/swept_term.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// Classes from one to before another.
struct class_range {
  index first;
  index last;
};

/// The sweeps over one tile of rows for a set of terms.
template <class T>
class row_sweeps {
  using sweep = term_sweep<T>;
  static constexpr index lane_count = lanes<T>::size;

 public:
  using writer = block_writer<T>;

  /// The memory that terms take while they are swept, at a line of the cache.
  static std::size_t bytes(std::span<swept_term<T> const> terms) {
    std::size_t sum = (terms.size() * sizeof(sweep*) + cache_line - 1) / cache_line * cache_line;
    for (auto const& term : terms) sum += term.maker->bytes;
    return sum;
  }

  /// Elements of what is kept of a row for the sweeps after the first; of one block where there are none.
  static index kept_elements(axis way, std::span<swept_term<T> const> terms, index columns, bool keeps) {
    return kept_layout::of<T>(terms, blocks(way, columns, keeps)).size;
  }

  /// Whether a second sweep over the values takes what the first has kept.
  static bool refines_kept(std::span<swept_term<T> const> terms) {
    return std::any_of(terms.begin(), terms.end(),
                       [](auto const& term) { return term.maker->traits.refines_kept; });
  }

  /// All of it must outlive the sweeps.
  row_sweeps(axis way, source_matrix<T> const& student, std::span<swept_term<T> const> terms,
             std::byte* memory, T* kept, bool keeps)
      : axis_(way),
        student_(way, student),
        layout_(kept_layout::of<T>(terms, blocks(way, student.columns, keeps))),
        kept_(kept),
        keeps_(keeps) {
    auto* const pointers = reinterpret_cast<sweep**>(memory);
    memory += (terms.size() * sizeof(sweep*) + cache_line - 1) / cache_line * cache_line;
    index marks_at = lane_count, saved_at = layout_.saved_at;
    for (std::size_t i = 0; i < terms.size(); ++i) {
      auto const& maker = *terms[i].maker;
      sweep* const term = pointers[i] = maker.make(memory, way, terms[i].term, student);
      memory += maker.bytes;
      term->marks_at = marks_at;
      term->saved_at = saved_at;
      marks_at += maker.traits.block_marks * lane_count;
      saved_at += maker.traits.saved_registers * layout_.array;
      needs_maximum_ = needs_maximum_ || maker.traits.needs_maximum;
    }
    terms_ = {pointers, terms.size()};
  }

  /// The tile that is swept, which must outlive that, and what multiplies the gradients of its rows: a register for each term.
  template <class Scale>
  DISTIL_INLINE void begin(tile const& rows, Scale const& scale) {
    rows_ = &rows;
    maximum_ = {};
    for (std::size_t i = 0; i < terms_.size(); ++i) terms_[i]->begin(rows, scale(i));
    if (shared_.changed(terms_)) {
      shared_.relate(terms_, layout_.base_at, layout_.own_at, layout_.array);
      choose_passenger();
    }
  }

  /// Reads classes of the rows into the sums of every term.
  void read(class_range classes) {
    std::size_t const computing = shared_.computing(), count = terms_.size();
    T const padding = terms_[0]->traits.padding;
    for (index column = classes.first; column < classes.last;) {
      block const here = axis_.next<T>(column, classes.last);
      block_at<T> at = block_of(here);
      at.student = student_.open(*rows_, here, padding);
      if (needs_maximum_) {
        lanes<T> const maximum = axis_.max(block_maximum<T>(at.student, here));
        if (column > classes.first) {
          raise(maximum);
        } else {
          maximum_.now = maximum_.before = maximum;
        }
      }
      keeper<T>{at.marks}.put(0, maximum_.now);
      at.shift = maximum_.shift();
      shared_.compute_base(terms_, at);
      bool reads_ahead = true;
      if (computing < count) {
        terms_[computing]->sum(at, true);
        if (passenger_ < count) add_exponentials(at, *terms_[passenger_]);
        reads_ahead = false;
      }
      shared_.compute_mixed(terms_, at);
      for (std::size_t i = 0; i < count; ++i) {
        if (i == computing || i == passenger_) continue;
        terms_[i]->sum(at, reads_ahead);
        reads_ahead = false;
      }
      column += here.columns;
    }
  }

  /// Joins the sums over other classes of the same rows.
  void join(row_sweeps& other) {
    raise(other.maximum_.now);
    other.raise(maximum_.now);
    for (std::size_t i = 0; i < terms_.size(); ++i) terms_[i]->join(*other.terms_[i]);
  }

  /// The sums are complete.
  void close() {
    refines_ = false;
    for (sweep* const term : terms_) {
      term->refines = term->close(*rows_, maximum_);
      refines_ = refines_ || term->refines;
    }
  }

  /// Becomes what other sweeps over the same rows are.
  void copy(row_sweeps const& other) {
    rows_ = other.rows_;
    maximum_ = other.maximum_;
    shared_ = other.shared_;
    passenger_ = other.passenger_;
    for (std::size_t i = 0; i < terms_.size(); ++i) terms_[i]->copy(*other.terms_[i]);
  }

  /// The second sweep over the values, and whether it is asked for.
  [[nodiscard]] bool refines() const { return refines_; }
  void refine(class_range classes) {
    each_block(classes, true, [&](block_at<T> const& at, lanes<T> earlier) {
      for (sweep* const term : terms_) {
        if (term->refines) term->refine(at, maximum_, earlier);
      }
    });
  }
  void join_refined(row_sweeps& other) {
    for (std::size_t i = 0; i < terms_.size(); ++i) {
      if (terms_[i]->refines) terms_[i]->join_refined(*other.terms_[i]);
    }
  }
  void close_refined() {
    for (sweep* const term : terms_) {
      if (term->refines) term->close_refined();
    }
  }

  [[nodiscard]] lanes<T> value(std::size_t term) const { return terms_[term]->value(); }
  [[nodiscard]] row_derivatives<T> derivatives(std::size_t term) const { return terms_[term]->derivatives(); }

  /// Writes the sum of the terms' gradients, of each in the rows where `counts(term)` says so.
  template <class Counts>
  DISTIL_INLINE void write(class_range classes, writer& output, bool every_row, Counts const& counts) {
    bool rereads = false;
    for (sweep const* const term : terms_) rereads = rereads || term->rereads();
    std::size_t const driver = shared_.computing(), count = terms_.size();
    bool const rides = passenger_ < count && every_row && terms_[driver]->traits.keeps_exponentials &&
                       terms_[passenger_]->gradient_rides();
    each_block(classes, rereads, [&](block_at<T> const& at, lanes<T> earlier) {
      auto const target = output.open(at.rows, at.here);
      gradient_form<T> form{false, every_row, {}};
      auto const write_one = [&](std::size_t i) {
        if (!every_row) form.counts = counts(i);
        terms_[i]->write(at, maximum_, earlier, target, form);
        form.adds = true;
      };
      auto const write_driver = [&] {
        if (rides) {
          lanes<T> const decay = maximum_.decay_since(earlier, terms_[passenger_]->sharpness);
          form.rides = {terms_[passenger_]->exponentials.power, terms_[passenger_]->multiple(decay)};
        }
        write_one(driver);
        form.rides = {};
      };
      if (!axis_.across && driver < count) write_driver();
      for (std::size_t i = count; i-- > 0;) {
        if (i == driver) {
          if (axis_.across) write_driver();
        } else if (!(rides && i == passenger_)) {
          write_one(i);
        }
      }
      if (rides) terms_[passenger_]->patch(at, target);
      output.commit(target, at.rows, at.here);
    });
  }

  /// What a row that does not count gets.
  [[nodiscard]] T masked_output() const { return terms_[0]->traits.masked_output; }

 private:
  static index blocks(axis way, index columns, bool keeps) { return keeps ? way.blocks<T>(columns) : 1; }

  [[nodiscard]] DISTIL_INLINE block_at<T> block_of(block const& here) const {
    index const number = keeps_ ? axis_.block_of<T>(here.first_column) : 0;
    index const first = number * (block_steps<T> * lane_count);
    return {*rows_, here, {}, maximum_.shift(), kept_ + number * layout_.marks_step, kept_ + first, first};
  }

  /// The first term that may ride with the one that computes the base; none: past the last. Where rows lie in lanes it is the
  /// one before that, after which it would be written anyway: how a row is rounded must not hang on those beside it.
  void choose_passenger() {
    std::size_t const driver = shared_.computing(), count = terms_.size();
    passenger_ = count;
    if (driver == count) return;
    for (std::size_t i = count; i-- > 0;) {
      exponentials_at const& taken = terms_[i]->exponentials;
      if (i != driver && (!axis_.across || i + 1 == driver) && terms_[i]->traits.exponentials &&
          !taken.computes && taken.offset == layout_.base_at && terms_[i]->rides()) {
        passenger_ = i;
      }
    }
  }

  /// The sums of a block that a passenger takes; where rows lie in lanes in the order in which it would take them itself.
  void add_exponentials(block_at<T> const& at, sweep& passenger) const {
    T const* const base = at.registers + passenger.exponentials.offset;
    int const power = passenger.exponentials.power;
    auto const one = [&](index k) { return power_of(lanes<T>::load(base + k * lane_count), power); };
    for (run part = run::at(at.here, 0); part.first < at.here.steps; part = part.next(at.here)) {
      lanes<T> even(0), odd(0);
      index k = part.first;
      index const end = part.first + part.count;
      for (; !axis_.across && k + 2 <= end; k += 2) {
        even += one(k);
        odd += one(k + 1);
      }
      for (; k < end; ++k) even += one(k);
      passenger.add_exponentials(axis_.across ? even : even + odd);
    }
  }

  /// Sums follow when the maximum of the classes read so far rises.
  DISTIL_INLINE void raise(lanes<T> maximum) {
    if (!maximum_.raise(maximum)) return;
    for (sweep* const term : terms_) term->rescale(maximum_);
    maximum_.settle();
  }

  template <class Work>
  DISTIL_INLINE void each_block(class_range classes, bool opens, Work const& work) {
    T const padding = terms_[0]->traits.padding;
    for (index column = classes.first; column < classes.last;) {
      block const here = axis_.next<T>(column, classes.last);
      block_at<T> at = block_of(here);
      if (opens) at.student = student_.open(*rows_, here, padding);
      work(at, kept<T>{at.marks}[0]);
      column += here.columns;
    }
  }

  axis axis_;
  block_reader<T> student_;
  std::span<sweep* const> terms_;
  kept_layout layout_;
  T* kept_;
  bool keeps_, needs_maximum_ = false, refines_ = false;
  tile const* rows_ = nullptr;
  running_maximum<T> maximum_;
  shared_exponentials<T> shared_;
  std::size_t passenger_ = 0;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
