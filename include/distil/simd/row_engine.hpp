#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

#include "distil/simd/running_maximum.hpp"

/// The row engine: from terms that say what one register of classes adds to a row's sums and to its gradient, it
/// makes the sweeps over the batch. Several terms on the same logits run in the same sweeps.
///
/// A term offers `template <class T, class Axis> struct kernel` with
///
///   needs_maximum                  static: sums are taken relative to the row's maximum
///   padding                        static: what stands in for a class past the last
///   masked_output                  static: what is written where the logit is -inf
///   operands(term), open(...)      the other matrices it reads, and their strips in one block
///   kernel(term, student, rows, scale)   the state of a tile; `scale` multiplies the gradient of each row
///   rescale(maximum)               the student's maximum rose: bring the sums along
///   observe(strips, steps)         looks at a block before its sums (a teacher's maximum); may rescale
///   partial, accumulate, fold      sums over at most `longest_sum` registers, then added to those of the row
///   saved_registers, block_marks   static: registers kept a step and a block for the gradient, as exponentials
///   mark(maximum, keep)            keeps what the registers of a block are relative to
///   close(maximum)                 the sums are complete
///   refines(), refinement, refine, fold_refined, close_refined
///                                  a second sweep over the values, when it asks for one
///   value()                        the loss of each row
///   rereads()                      whether the gradient looks at the logits and strips again
///   recall(marks)                  what the next block's kept registers are relative to
///   gradient(z, centred, strips, k, saved)   scale * d loss / d z for one register
///   patch(term, rows, block, target)         corrections of single elements, such as the label's
///
/// `centred` is z minus the row's maximum, computed once for all terms. `kernel_defaults` has what most leave out.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

struct nothing {};

/// Registers that are added one after the other before their sum joins that of the row: rounding grows with the
/// number of additions, and with equal classes all of it goes one way.
inline constexpr index longest_sum = 64;

/// Registers that the first sweep keeps for the gradient. The value-only form keeps nothing.
template <class T, bool Keeps>
struct keeper {
  T* data;
  DISTIL_INLINE void put(index slot, lanes<T> value) const {
    if constexpr (Keeps) value.store(data + slot * lanes<T>::size);
  }
};
template <class T>
struct kept {
  T const* data;
  DISTIL_INLINE lanes<T> operator[](index slot) const { return lanes<T>::load(data + slot * lanes<T>::size); }
};

template <class T, class Axis>
struct kernel_defaults {
  static constexpr bool needs_maximum = true;
  static constexpr T padding = -infinity<T>;
  static constexpr T masked_output = T(0);
  static constexpr index saved_registers = 0;
  static constexpr index block_marks = 0;

  struct operands {
    template <class Term>
    explicit operands(Term const&) {}
    DISTIL_INLINE nothing open(tile, block) { return {}; }
  };
  using refinement = nothing;

  template <class Strips>
  DISTIL_INLINE void observe(Strips const&, index) {}
  DISTIL_INLINE void rescale(running_maximum<T> const&) {}
  template <class Keep>
  DISTIL_INLINE void mark(running_maximum<T> const&, Keep const&) const {}
  [[nodiscard]] DISTIL_INLINE bool refines() const { return false; }
  template <class Strips>
  DISTIL_INLINE void refine(nothing&, lanes<T>, Strips const&, index) const {}
  DISTIL_INLINE void fold_refined(nothing const&) {}
  DISTIL_INLINE void close_refined() {}
  [[nodiscard]] DISTIL_INLINE bool rereads() const { return true; }
  DISTIL_INLINE void recall(kept<T>) {}
  template <class Term, class Target>
  DISTIL_INLINE void patch(Term const&, tile, block, Target const&) const {}
  [[nodiscard]] DISTIL_INLINE lanes<T> temperature_derivative() const { return lanes<T>(0); }
};

/// The sweeps over one tile of rows for a set of terms. With `Writes`, what the gradient needs of the first is kept.
template <class T, class Axis, bool Writes, class StudentStorage, class... Terms>
class row_sweeps {
  template <class Term>
  using kernel_of = typename Term::template kernel<T, Axis>;
  using sequence = std::index_sequence_for<Terms...>;
  static constexpr index lane_count = lanes<T>::size;

 public:
  using kernels = std::tuple<kernel_of<Terms>...>;
  static constexpr T masked_output = std::tuple_element_t<0, kernels>::masked_output;

  row_sweeps(matrix_view<StudentStorage const> student, std::tuple<Terms...> const& terms)
      : columns_(student.columns),
        student_(student),
        operands_(std::apply(
            [](auto const&... term) {
              return std::tuple<typename kernel_of<Terms>::operands...>(
                  typename kernel_of<Terms>::operands(term)...);
            },
            terms)) {
    kept_ = reserve(columns_);
  }

  /// The memory of this thread for what is kept. It throws where memory ends.
  static T* reserve([[maybe_unused]] index columns) {
    if constexpr (Writes && all_saved > 0) {
      return scratch<T>(lane_count * (Axis::steps(columns) * all_saved + Axis::blocks(columns) * all_marks));
    } else {
      return nullptr;
    }
  }

  /// Reads the rows and completes the state of every kernel.
  DISTIL_INLINE void read(tile rows, kernels& state) { read(rows, state, sequence{}); }

  /// Writes the sum of the terms' gradients, rows where `active` is false for a term without that term.
  template <class Writer, class Active>
  DISTIL_INLINE void write(tile rows, kernels& state, std::tuple<Terms...> const& terms, Active const& active,
                           Writer& writer) {
    write(rows, state, terms, active, writer, sequence{});
  }

 private:
  static constexpr bool needs_maximum = (kernel_of<Terms>::needs_maximum || ...);
  static constexpr T padding = std::tuple_element_t<0, kernels>::padding;
  static constexpr index all_saved = (kernel_of<Terms>::saved_registers + ...);
  static constexpr index all_marks = (kernel_of<Terms>::block_marks + ...);

  /// Where the registers of the I-th term begin among those of all terms.
  template <std::size_t I>
  static constexpr index before(std::array<index, sizeof...(Terms)> counts) {
    index sum = 0;
    for (std::size_t i = 0; i < I; ++i) sum += counts[i];
    return sum * lane_count;
  }
  template <std::size_t I>
  static constexpr index saved_at = before<I>({kernel_of<Terms>::saved_registers...});
  template <std::size_t I>
  static constexpr index marks_at = before<I>({kernel_of<Terms>::block_marks...});

  /// The next block of a row, while this one is computed: the processor's own look-ahead ends with a page of memory.
  static DISTIL_INLINE void prefetch([[maybe_unused]] T const* here) {
#if defined(__GNUC__)
    if constexpr (std::is_same_v<Axis, along<T>>) {
      __builtin_prefetch(
          reinterpret_cast<void const*>(reinterpret_cast<std::uintptr_t>(here) + block_elements * sizeof(T)));
    }
#endif
  }
  template <class Strips>
  static DISTIL_INLINE void prefetch_strip(Strips const& strips, index k) {
    if constexpr (std::is_same_v<Strips, strip<T>>) prefetch(strips.at(k));
  }

  /// A place further on in what is kept; the value-only form has none.
  static DISTIL_INLINE T* place(T* keep, [[maybe_unused]] index offset) {
    if constexpr (Writes) return keep + offset;
    return keep;
  }

  template <std::size_t... I>
  DISTIL_INLINE void read(tile rows, kernels& state, std::index_sequence<I...>) {
    maximum_ = {};
    T* keep = kept_;
    for (index column = 0; column < columns_;) {
      block const here = Axis::next(column, columns_);
      strip<T> const z = student_.open(rows, here, padding);
      std::tuple strips{std::get<I>(operands_).open(rows, here)...};
      if constexpr (needs_maximum) {
        if (maximum_.template raise<Axis>(block_maximum<T>(z, here.steps))) {
          if (column > 0) (std::get<I>(state).rescale(maximum_), ...);
          maximum_.settle();
        }
      }
      (std::get<I>(state).observe(std::get<I>(strips), here.steps), ...);
      (std::get<I>(state).mark(maximum_, keeper<T, Writes>{place(keep, marks_at<I>)}), ...);
      keep = place(keep, all_marks * lane_count);
      lanes<T> const shift = maximum_.shift();
      for (index k = 0; k < here.steps;) {
        std::tuple<typename kernel_of<Terms>::partial...> sums;
        for (index const end = std::min(k + longest_sum, here.steps); k < end; ++k) {
          lanes<T> const logit = z[k];
          lanes<T> const centred = logit - shift;
          prefetch(z.at(k));
          (prefetch_strip(std::get<I>(strips), k), ...);
          (std::get<I>(state).accumulate(std::get<I>(sums), logit, centred, std::get<I>(strips), k,
                                         keeper<T, Writes>{place(keep, saved_at<I>)}),
           ...);
          keep = place(keep, all_saved * lane_count);
        }
        (std::get<I>(state).fold(std::get<I>(sums)), ...);
      }
      column += here.columns;
    }
    (std::get<I>(state).close(maximum_), ...);
    if ((std::get<I>(state).refines() || ...)) refine(rows, state, std::index_sequence<I...>{});
  }

  template <std::size_t... I>
  DISTIL_INLINE void refine(tile rows, kernels& state, std::index_sequence<I...>) {
    lanes<T> const shift = maximum_.shift();
    for (index column = 0; column < columns_;) {
      block const here = Axis::next(column, columns_);
      strip<T> const z = student_.open(rows, here, padding);
      std::tuple strips{std::get<I>(operands_).open(rows, here)...};
      for (index k = 0; k < here.steps;) {
        std::tuple<typename kernel_of<Terms>::refinement...> sums;
        for (index const end = std::min(k + longest_sum, here.steps); k < end; ++k) {
          lanes<T> const centred = z[k] - shift;
          (std::get<I>(state).refine(std::get<I>(sums), centred, std::get<I>(strips), k), ...);
        }
        (std::get<I>(state).fold_refined(std::get<I>(sums)), ...);
      }
      column += here.columns;
    }
    (std::get<I>(state).close_refined(), ...);
  }

  template <class Writer, class Active, std::size_t... I>
  DISTIL_INLINE void write(tile rows, kernels& state, std::tuple<Terms...> const& terms, Active const& active,
                           Writer& writer, std::index_sequence<I...>) {
    lanes<T> const shift = maximum_.shift();
    bool const rereads = (std::get<I>(state).rereads() || ...);
    T const* keep = kept_;
    for (index column = 0; column < columns_;) {
      block const here = Axis::next(column, columns_);
      strip<T> z{};
      std::tuple<decltype(std::get<I>(operands_).open(rows, here))...> strips{};
      if (rereads) {
        z = student_.open(rows, here, padding);
        ((std::get<I>(strips) = std::get<I>(operands_).open(rows, here)), ...);
      }
      (std::get<I>(state).recall(kept<T>{keep + marks_at<I>}), ...);
      keep += all_marks * lane_count;
      auto const target = writer.open(rows, here);
      for (index k = 0; k < here.steps; ++k) {
        // Terms that do not look again have kept zeros for masked classes.
        lanes<T> const logit = rereads ? z[k] : lanes<T>(0);
        lanes<T> const centred = logit - shift;
        lanes<T> sum(0);
        ((sum += select(active[I],
                        std::get<I>(state).gradient(logit, centred, std::get<I>(strips), k,
                                                    kept<T>{keep + saved_at<I>}),
                        lanes<T>(0))),
         ...);
        keep += all_saved * lane_count;
        select(logit == lanes<T>(-infinity<T>), lanes<T>(masked_output), sum).store(target.at(k));
      }
      (std::get<I>(state).patch(std::get<I>(terms), rows, here, target), ...);
      writer.commit(target, rows, here);
      column += here.columns;
    }
  }

  index columns_;
  block_reader<T, Axis, StudentStorage> student_;
  std::tuple<typename kernel_of<Terms>::operands...> operands_;
  running_maximum<T> maximum_;
  T* kept_ = nullptr;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
