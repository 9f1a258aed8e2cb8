#pragma once

#include <algorithm>

#include "distil/sweep/running_maximum.hpp"

/// What a term is made of: a kernel says what one register of classes adds to the sums of its row and to its gradient.
/// The sweeps over the batch are made from it, a loop for each kernel and block; several terms on the same logits run
/// over a block one after the other while it lies in the caches.
///
/// A term offers `template <class T> struct kernel` with
///
///   needs_maximum                  static: sums are taken relative to the row's maximum
///   exponentials, sharpness()      static: it takes 2^(sharpness * (z - maximum)), which is e^((z - maximum) / T) for
///                                  a sharpness of log2(e) / T
///   keeps_exponentials             static: its gradient takes them, too
///   padding                        static: what stands in for a class past the last
///   masked_output                  static: what is written where the logit is -inf
///   operands(axis, term), open     the other matrices it reads, and their strips in one block
///                                  (`open` may take the student's strip as well, for a kernel with a maximum of its own)
///   kernel(term, student, rows, scale)   the state of a tile; `scale` multiplies the gradient of each row. `student` is a
///                                  source_matrix. A kernel is copied, and not destroyed
///   rescale(maximum)               the student's maximum rose: bring the sums along
///   observe(strips, block)         looks at a block before its sums (a teacher's maximum); may rescale
///   partial, summand(), fold       sums over at most `longest_sum` registers, then added to those of the row. summand()
///                                  gives for one block a small function (sums, z, strips, k, keep) that adds one register
///   saved_registers, block_marks   static: registers kept a step and a block for the gradient, besides exponentials
///   mark(keep)                     keeps what the registers of a block are relative to
///   join(other)                    adds the sums over other classes of the row, relative to the same student's maximum
///   look_up(term, student, rows)   single logits, such as the label's, now that the caches have seen them
///   close(maximum)                 the sums are complete
///   refines(), refinement, refine, fold_refined, join_refined, close_refined
///                                  a second sweep over the values, when it asks for one
///   refines_kept                   static: the second sweep takes exponentials and saved registers of the first, and
///                                  may save others in their place for the gradient. In the place of `refine`,
///   refiner(decay, marks)          gives for one block a small function (sums, z, strips, k, saved, keep)
///   value()                        the loss of each row
///   rereads()                      whether the gradient looks at the logits and strips again
///   gradient(decay, marks)         for one block: a small function (z, strips, k, saved) that gives scale * d loss / d z
///                                  for one register. `decay` is what exponentials must be multiplied by
///   rides()                        whether all it takes of a tile in the first sweep is the sum of its exponentials; then
///   add_exponentials(sum)          takes it, run by run
///   gradient_rides()               whether its gradient, but for patches, is a multiple of them, too; then
///   multiple(decay)                which
///   patch(term, rows, block, target)         corrections of single elements, such as the label's
///
/// The functions for one block hold copies of what they need, since a store to memory could change anything else.
/// `kernel_defaults` has what most leave out, and `axis_`, by which sums of lanes become those of rows.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

struct nothing {
  DISTIL_INLINE nothing from(index, bool) const { return {}; }
};

/// One register of logits z: as they are, less the row's maximum (computed once for all terms), and for a kernel that
/// takes exponentials 2^exponent, and exponent = sharpness * centred if it asks for that.
template <class T>
struct student_register {
  lanes<T> logit, centred, exponent, exponential;
  index column = 0;  ///< the first class in it; for the gradient
};

/// Registers that the sweeps keep for those after them.
template <class T>
struct keeper {
  T* data;
  DISTIL_INLINE void put(index slot, lanes<T> value) const { value.store(data + slot * lanes<T>::size); }
};
template <class T>
struct kept {
  T const* data;
  DISTIL_INLINE lanes<T> operator[](index slot) const { return lanes<T>::load(data + slot * lanes<T>::size); }
};

/// Registers of a block that one loop takes: full ones, at most `longest_sum` of them, or by itself the partial one.
struct run {
  index first;
  index count;
  bool partial;

  static DISTIL_INLINE run at(block const& here, index first) {
    bool const partial = first == here.whole;
    return {first, partial ? 1 : std::min(longest_sum, here.whole - first), partial};
  }
  [[nodiscard]] DISTIL_INLINE run next(block const& here) const { return at(here, first + count); }
};

template <class T>
struct kernel_defaults {
  explicit DISTIL_INLINE kernel_defaults(tile const& rows) : axis_(rows.axis) {}

  static constexpr bool needs_maximum = true;
  static constexpr bool exponentials = false;
  static constexpr bool keeps_exponentials = false;
  static constexpr T padding = -infinity<T>;
  static constexpr T masked_output = T(0);
  static constexpr bool refines_kept = false;
  static constexpr index saved_registers = 0;
  static constexpr index block_marks = 0;

  struct operands {
    template <class Term>
    operands(axis, Term const&) {}
    DISTIL_INLINE nothing open(tile, block) { return {}; }
  };
  using refinement = nothing;

  [[nodiscard]] DISTIL_INLINE lanes<T> sharpness() const { return lanes<T>(0); }
  template <class Strips>
  DISTIL_INLINE void observe(Strips const&, block) {}
  DISTIL_INLINE void rescale(running_maximum<T> const&) {}
  template <class Keep>
  DISTIL_INLINE void mark(Keep const&) const {}
  template <class Term, class Student>
  DISTIL_INLINE void look_up(Term const&, Student const&, tile) {}
  [[nodiscard]] DISTIL_INLINE bool refines() const { return false; }
  template <class Strips>
  DISTIL_INLINE void refine(nothing&, lanes<T>, Strips const&, index) const {}
  DISTIL_INLINE void fold_refined(nothing const&) {}
  template <class Kernel>
  DISTIL_INLINE void join_refined(Kernel const&) {}
  DISTIL_INLINE void close_refined() {}
  [[nodiscard]] DISTIL_INLINE bool rereads() const { return true; }
  /// Of what is no loss, but a statistic of rows.
  struct no_gradient_of_block {
    template <class Strips>
    DISTIL_INLINE lanes<T> operator()(student_register<T> const&, Strips const&, index, kept<T>) const {
      return lanes<T>(0);
    }
  };
  [[nodiscard]] DISTIL_INLINE no_gradient_of_block gradient(lanes<T>, kept<T>) const { return {}; }
  [[nodiscard]] DISTIL_INLINE bool rides() const { return false; }
  [[nodiscard]] DISTIL_INLINE bool gradient_rides() const { return false; }
  DISTIL_INLINE void add_exponentials(lanes<T>) {}
  [[nodiscard]] DISTIL_INLINE lanes<T> multiple(lanes<T>) const { return lanes<T>(0); }
  template <class Term, class Target>
  DISTIL_INLINE void patch(Term const&, tile, block, Target const&) const {}
  [[nodiscard]] DISTIL_INLINE lanes<T> temperature_derivative() const { return lanes<T>(0); }
  [[nodiscard]] DISTIL_INLINE lanes<T> teacher_temperature_derivative() const { return lanes<T>(0); }

 protected:
  axis axis_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
