#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

#include "distil/sweep/shared_exponentials.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// Classes from one to before another.
struct class_range {
  index first;
  index last;
};

/// The sweeps over one tile of rows for a set of terms (see kernel.hpp). With `Writes`, what the gradient needs of the
/// first sweep is kept.
template <class T, class Axis, bool Writes, class StudentStorage, class... Terms>
class row_sweeps {
  template <class Term>
  using kernel_of = typename Term::template kernel<T, Axis>;
  using first_kernel = std::tuple_element_t<0, std::tuple<kernel_of<Terms>...>>;
  using sequence = std::index_sequence_for<Terms...>;
  using exponentials = shared_exponentials<T, (Axis::tile_rows > 1), kernel_of<Terms>...>;
  static constexpr auto each = sequence{};
  static constexpr index lane_count = lanes<T>::size;

 public:
  using kernels = kernel_set<kernel_of<Terms>...>;
  static constexpr T masked_output = first_kernel::masked_output;

  /// What is known of a tile of rows.
  struct state {
    kernels of;
    running_maximum<T> maximum = {};
  };

  row_sweeps(matrix_view<StudentStorage const> student, std::tuple<Terms...> const& terms, T* keep)
      : row_sweeps(student, terms, keep, each) {}

  /// The memory of this thread for what is kept of a row. It throws where memory ends.
  static T* reserve([[maybe_unused]] index columns) {
    if constexpr (keeps) {
      return scratch<T>(Axis::blocks(columns) * block_stride);
    } else {
      return nullptr;
    }
  }

  /// Reads classes of the rows into the sums of every kernel.
  void read(tile rows, class_range classes, state& row) { read(rows, classes, row, each); }

  /// Joins the sums over other classes of the same rows.
  static void join(state& row, state& other) { join(row, other, each); }

  /// The sums are complete.
  static DISTIL_INLINE void close(state& row) { close(row, each); }

  /// The second sweep over the values, and whether it is asked for.
  static DISTIL_INLINE bool refines(state const& row) { return refines(row, each); }
  void refine(tile rows, class_range classes, state& row) { refine(rows, classes, row, each); }
  static void join_refined(state& row, state const& other) { join_refined(row, other, each); }
  static DISTIL_INLINE void close_refined(state& row) { close_refined(row, each); }

  /// Writes the sum of the terms' gradients.
  template <class Writer>
  DISTIL_INLINE void write(tile rows, class_range classes, state& row, std::tuple<Terms...> const& terms,
                           Writer& writer) {
    if (rereads(row, each)) {
      write<true, true>(rows, classes, row, terms, {}, writer, each);
    } else {
      write<false, true>(rows, classes, row, terms, {}, writer, each);
    }
  }

  /// Whether a row has the gradient of a term.
  using counts = std::array<mask<T>, sizeof...(Terms)>;

  /// Writes the sum of the gradients of the terms that count.
  template <class Writer>
  void write_some(tile rows, class_range classes, state& row, std::tuple<Terms...> const& terms,
                  counts const& which, Writer& writer) {
    write<true, false>(rows, classes, row, terms, which, writer, each);
  }

 private:
  template <std::size_t... I>
  row_sweeps(matrix_view<StudentStorage const> student, std::tuple<Terms...> const& terms, T* keep,
             std::index_sequence<I...>)
      : student_(student),
        operands_{{typename kernel_of<Terms>::operands(std::get<I>(terms))}...},
        kept_(keep) {}

  static constexpr bool needs_maximum = (kernel_of<Terms>::needs_maximum || ...);
  static constexpr T padding = first_kernel::padding;

  // What is kept of a block: the student's maximum and the marks of the kernels, then for each step the exponentials of
  // the base, the registers that kernels save, and exponentials that are no powers of the base, if there are any.
  static constexpr index marks = 1 + (kernel_of<Terms>::block_marks + ...);
  static constexpr index first_saved = exponentials::slots > 0 ? 1 : 0;
  static constexpr index first_other = first_saved + (kernel_of<Terms>::saved_registers + ...);
  static constexpr index step_slots = first_other + exponentials::slots - first_saved;
  static constexpr index block_stride = (marks + Axis::block_steps * step_slots) * lane_count;
  static constexpr bool refines_kept = (kernel_of<Terms>::refines_kept || ...);
  static constexpr bool keeps = (Writes || refines_kept) && step_slots > 0;

  /// Where the registers of the I-th term begin among those of all terms.
  template <std::size_t I>
  static constexpr index before(std::array<index, sizeof...(Terms)> counts) {
    index sum = 0;
    for (std::size_t i = 0; i < I; ++i) sum += counts[i];
    return sum * lane_count;
  }
  template <std::size_t I>
  static constexpr index saved_at = first_saved* lane_count +
                                    before<I>({kernel_of<Terms>::saved_registers...});
  template <std::size_t I>
  static constexpr index marks_at = lane_count + before<I>({kernel_of<Terms>::block_marks...});

  /// What is kept of a block; the value-only form keeps only what a second sweep over the values takes.
  [[nodiscard]] DISTIL_INLINE T* kept_of([[maybe_unused]] block here) const {
    if constexpr (keeps) {
      return kept_ + here.first_column / Axis::block_columns * block_stride;
    }
    return kept_;
  }

  /// From the registers of one step to those of the next.
  static DISTIL_INLINE index stride(exponentials const& shared) {
    return (first_other + shared.others()) * lane_count;
  }

  /// A place further on in what is kept.
  template <class Element>
  static DISTIL_INLINE Element* place(Element* keep, [[maybe_unused]] index offset) {
    if constexpr (keeps) return keep + offset;
    return keep;
  }

  /// The next block of a row, while this one is computed: the processor's own look-ahead ends with a page of memory.
  static DISTIL_INLINE void prefetch([[maybe_unused]] strip<T> const& strip, [[maybe_unused]] index k) {
#if defined(__GNUC__)
    if constexpr (std::is_same_v<Axis, along<T>>) __builtin_prefetch(strip.ahead + k * strip.ahead_step);
#endif
  }
  template <class Strips>
  static DISTIL_INLINE void prefetch_strip(Strips const& strips, index k) {
    if constexpr (std::is_same_v<Strips, strip<T>>) prefetch(strips, k);
  }

  /// The strips of a kernel; those that take the student's own get it.
  template <class Operands>
  static DISTIL_INLINE auto open(Operands& operands, tile rows, block here,
                                 [[maybe_unused]] strip<T> student) {
    if constexpr (requires { operands.open(rows, here, student); }) {
      return operands.open(rows, here, student);
    } else {
      return operands.open(rows, here);
    }
  }

  template <std::size_t... I>
  DISTIL_INLINE void read(tile rows, class_range classes, state& row, std::index_sequence<I...>) {
    exponentials const shared(row.of, each);
    index const step_stride = stride(shared);
    for (index column = classes.first; column < classes.last;) {
      block const here = Axis::next(column, classes.last);
      strip<T> const z = student_.open(rows, here, padding);
      std::tuple strips{open(get<I>(operands_), rows, here, z)...};
      if constexpr (needs_maximum) {
        lanes<T> const maximum = Axis::max(block_maximum<T>(z, here));
        if (column > classes.first) {
          raise(row, maximum, each);
        } else {
          row.maximum.now = row.maximum.before = maximum;
        }
      }
      (get<I>(row.of).observe(std::get<I>(strips), here), ...);
      T* keep = kept_of(here);
      keeper<T, keeps>{keep}.put(0, row.maximum.now);
      (get<I>(row.of).mark(keeper<T, keeps>{place(keep, marks_at<I>)}), ...);
      keep = place(keep, marks * lane_count);
      lanes<T> const shift = row.maximum.shift();
      std::tuple const summands{get<I>(row.of).summand()...};
      for (run part = run::at(here, 0); part.first < here.steps; part = part.next(here)) {
        strip<T> const logits = z.from(part.first, part.partial);
        std::tuple const operands{std::get<I>(strips).from(part.first, part.partial)...};
        std::tuple<typename kernel_of<Terms>::partial...> sums;
        for (index k = 0; k < part.count; ++k) {
          lanes<T> const logit = logits[k];
          lanes<T> const centred = logit - shift;
          prefetch(logits, k);
          (prefetch_strip(std::get<I>(operands), k), ...);
          lanes<T> const exponent[] = {shared.template exponent<I>(centred)...};
          lanes<T> const of_base = shared.of_base(centred, exponentials::last_of(exponent));
          lanes<T> const exponential[] = {shared.template of<I>(centred, of_base)...};
          shared.keep_base(of_base, keeper<T, keeps>{keep});
          (shared.template keep<I, first_other>(exponential[I], keeper<T, keeps>{keep}), ...);
          (std::get<I>(summands)(std::get<I>(sums),
                                 student_register<T>{logit, centred, exponent[I], exponential[I]},
                                 std::get<I>(operands), k, keeper<T, keeps>{place(keep, saved_at<I>)}),
           ...);
          keep = place(keep, step_stride);
        }
        (get<I>(row.of).fold(std::get<I>(sums)), ...);
      }
      column += here.columns;
    }
  }

  /// Sums follow when the maximum of the classes read so far rises.
  template <std::size_t... I>
  static DISTIL_INLINE void raise(state& row, lanes<T> maximum, std::index_sequence<I...>) {
    if (row.maximum.raise(maximum)) {
      (get<I>(row.of).rescale(row.maximum), ...);
      row.maximum.settle();
    }
  }

  template <std::size_t... I>
  static void join(state& row, state& other, std::index_sequence<I...>) {
    raise(row, other.maximum.now, each);
    raise(other, row.maximum.now, each);
    (get<I>(row.of).join(get<I>(other.of)), ...);
  }

  template <std::size_t... I>
  static DISTIL_INLINE void close(state& row, std::index_sequence<I...>) {
    (get<I>(row.of).close(row.maximum), ...);
  }

  template <std::size_t... I>
  static DISTIL_INLINE bool refines(state const& row, std::index_sequence<I...>) {
    return (get<I>(row.of).refines() || ...);
  }

  /// What one block of a kernel adds to its second sums; of those that take nothing that is kept, the kernel itself.
  template <class Kernel>
  struct refines_anew {
    Kernel const& kernel;

    template <class Sums, class Strips, class Keep>
    DISTIL_INLINE void operator()(Sums& sums, student_register<T> const& z, Strips const& strips, index k,
                                  kept<T>, Keep const&) const {
      kernel.refine(sums, z.centred, strips, k);
    }
  };
  template <std::size_t I>
  static DISTIL_INLINE lanes<T> recalled([[maybe_unused]] exponentials const& shared,
                                         [[maybe_unused]] kept<T> saved) {
    if constexpr (std::tuple_element_t<I, std::tuple<kernel_of<Terms>...>>::refines_kept) {
      return shared.template recall<I, first_other>(saved);
    } else {
      return lanes<T>(0);
    }
  }
  template <class Kernel>
  static DISTIL_INLINE auto refiner(Kernel const& kernel, lanes<T> decay, kept<T> marked) {
    if constexpr (Kernel::refines_kept) {
      return kernel.refiner(decay, marked);
    } else {
      return refines_anew<Kernel>{kernel};
    }
  }

  template <std::size_t... I>
  DISTIL_INLINE void refine(tile rows, class_range classes, state& row, std::index_sequence<I...>) {
    lanes<T> const shift = row.maximum.shift();
    exponentials const shared(row.of, each);
    index const step_stride = stride(shared);
    for (index column = classes.first; column < classes.last;) {
      block const here = Axis::next(column, classes.last);
      strip<T> const z = student_.open(rows, here, padding);
      std::tuple strips{open(get<I>(operands_), rows, here, z)...};
      T* keep = kept_of(here);
      lanes<T> earlier(0);
      if constexpr (refines_kept) earlier = kept<T>{keep}[0];
      std::tuple const refiners{refiner(get<I>(row.of), shared.template decay<I>(row.maximum, earlier),
                                        kept<T>{place(keep, marks_at<I>)})...};
      keep = place(keep, marks * lane_count);
      for (run part = run::at(here, 0); part.first < here.steps; part = part.next(here)) {
        strip<T> const logits = z.from(part.first, part.partial);
        std::tuple const operands{std::get<I>(strips).from(part.first, part.partial)...};
        std::tuple<typename kernel_of<Terms>::refinement...> sums;
        for (index k = 0; k < part.count; ++k) {
          lanes<T> const logit = logits[k];
          lanes<T> const centred = logit - shift;
          (std::get<I>(refiners)(
               std::get<I>(sums),
               student_register<T>{logit, centred, lanes<T>(0), recalled<I>(shared, kept<T>{keep})},
               std::get<I>(operands), k, kept<T>{place(keep, saved_at<I>)},
               keeper<T, Writes>{place(keep, saved_at<I>)}),
           ...);
          keep = place(keep, step_stride);
        }
        (get<I>(row.of).fold_refined(std::get<I>(sums)), ...);
      }
      column += here.columns;
    }
  }

  template <std::size_t... I>
  static void join_refined(state& row, state const& other, std::index_sequence<I...>) {
    (get<I>(row.of).join_refined(get<I>(other.of)), ...);
  }

  template <std::size_t... I>
  static DISTIL_INLINE void close_refined(state& row, std::index_sequence<I...>) {
    (get<I>(row.of).close_refined(), ...);
  }

  template <std::size_t... I>
  static DISTIL_INLINE bool rereads(state const& row, std::index_sequence<I...>) {
    return (get<I>(row.of).rereads() || ...);
  }

  template <bool EveryRow>
  static DISTIL_INLINE lanes<T> counted([[maybe_unused]] mask<T> counts, lanes<T> gradient) {
    if constexpr (EveryRow) return gradient;
    return select(counts, gradient, lanes<T>(0));
  }

  /// Terms that do not look at the logits again have kept zeros for masked classes.
  template <bool Rereads, bool EveryRow, class Writer, std::size_t... I>
  DISTIL_INLINE void write(tile rows, class_range classes, state& row, std::tuple<Terms...> const& terms,
                           [[maybe_unused]] counts const& which, Writer& writer, std::index_sequence<I...>) {
    // What the loop reads is local: a store of the gradient could change anything else.
    lanes<T> const shift = row.maximum.shift();
    exponentials const shared(row.of, each);
    index const step_stride = stride(shared);
    for (index column = classes.first; column < classes.last;) {
      block const here = Axis::next(column, classes.last);
      strip<T> z{};
      std::tuple<decltype(open(get<I>(operands_), rows, here, z))...> strips{};
      if constexpr (Rereads) {
        z = student_.open(rows, here, padding);
        ((std::get<I>(strips) = open(get<I>(operands_), rows, here, z)), ...);
      }
      T const* keep = kept_of(here);
      lanes<T> earlier(0);
      if constexpr (step_slots > 0) earlier = kept<T>{keep}[0];
      std::tuple const gradients{get<I>(row.of).gradient(shared.template decay<I>(row.maximum, earlier),
                                                         kept<T>{place(keep, marks_at<I>)})...};
      if constexpr (step_slots > 0) keep += marks * lane_count;
      auto const target = writer.open(rows, here);
      for (run part = run::at(here, 0); part.first < here.steps; part = part.next(here)) {
        strip<T> const logits = z.from(part.first, part.partial);
        std::tuple const operands{std::get<I>(strips).from(part.first, part.partial)...};
        auto const output = target.from(part.first, part.partial);
        for (index k = 0; k < part.count; ++k) {
          lanes<T> const logit = Rereads ? logits[k] : lanes<T>(0);
          lanes<T> const centred = logit - shift;
          index const first = here.first_column + (part.first + k) * Axis::register_columns;
          lanes<T> sum =
              (... + counted<EveryRow>(which[I],
                                       std::get<I>(gradients)(
                                           student_register<T>{
                                               logit, centred, lanes<T>(0),
                                               shared.template recall<I, first_other>(kept<T>{keep}), first},
                                           std::get<I>(operands), k, kept<T>{place(keep, saved_at<I>)})));
          keep += step_stride;
          if constexpr (Rereads) sum = select(logit == lanes<T>(-infinity<T>), lanes<T>(masked_output), sum);
          sum.store(output.at(k));
        }
      }
      (get<I>(row.of).patch(std::get<I>(terms), rows, here, target), ...);
      writer.commit(target, rows, here);
      column += here.columns;
    }
  }

  block_reader<T, Axis, StudentStorage> student_;
  kernel_set<typename kernel_of<Terms>::operands...> operands_;
  T* kept_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
