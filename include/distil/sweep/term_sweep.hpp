#pragma once

#include "distil/sweep/kernel.hpp"

/// One term in the sweeps, whatever its kernel: what it adds to the sums of a block and to its gradient, each in a loop of
/// its own. A kernel is compiled once for a type, alone or with others, with gradient or without.
namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// A block of the student while it lies in the caches.
template <class T>
struct block_at {
  tile const& rows;
  block const& here;
  strip<T> student;
  lanes<T> shift;  ///< what the logits are relative to
  T* marks;        ///< kept of this block: what its registers are relative to
  T* registers;    ///< kept of a row, an array for each purpose; here its element `first`
  index first;
};

/// Where a term finds its exponentials among what is kept of a row: those of the base, of which it takes a
/// power, or its own.
struct exponentials_at {
  index offset = 0;
  int power = 1;
  bool computes = false;  ///< its loop over the logits makes them
};

/// What a kernel asks for.
template <class T>
struct kernel_traits {
  bool needs_maximum, exponentials, keeps_exponentials, refines_kept;
  index saved_registers, block_marks;
  T padding, masked_output;
};

template <class Kernel, class T>
inline constexpr kernel_traits<T> traits_of{
    Kernel::needs_maximum, Kernel::exponentials,    Kernel::keeps_exponentials,
    Kernel::refines_kept,  Kernel::saved_registers, Kernel::block_marks,
    Kernel::padding,       Kernel::masked_output};

/// The derivatives of a row by its temperatures, lane by lane.
template <class T>
struct row_derivatives {
  lanes<T> temperature, teacher_temperature;
};

/// A term of which a tile takes no more than the sum of its exponentials, and whose gradient is a multiple of them, rides
/// with the term that computes the base, and needs no loops of its own.
template <class T>
struct passenger {
  int power = 0;         ///< of the base; 0: there is none
  lanes<T> multiple{0};  ///< for the gradient
};

/// How a term's gradient of a block joins that of the terms before.
template <class T>
struct gradient_form {
  bool adds;       ///< to what lies there
  bool every_row;  ///< each row has it, else those that count
  mask<T> counts;
  passenger<T> rides = {};
};

template <class T>
class term_sweep {
 public:
  using target = typename block_writer<T>::target;

  kernel_traits<T> const traits;
  index marks_at = 0, saved_at = 0;  ///< among the marks of a block, and in what is kept of a row
  exponentials_at exponentials;
  lanes<T> sharpness = lanes<T>(0);
  lanes<T> related_sharpness = lanes<T>(-1);  ///< to which `exponentials` belongs
  bool refines = false;                       ///< asks for the second sweep

  term_sweep(term_sweep const&) = delete;
  term_sweep& operator=(term_sweep const&) = delete;

  /// Before the first class of a tile; `scale` multiplies the gradient of each row.
  virtual void begin(tile const& rows, lanes<T> scale) = 0;
  /// The student's maximum rose.
  virtual void rescale(running_maximum<T> const& maximum) = 0;
  virtual void sum(block_at<T> const& at, bool reads_ahead) = 0;
  /// Whether it may ride with another, and what it is given then in the place of `sum`, run by run.
  [[nodiscard]] virtual bool rides() const = 0;
  virtual void add_exponentials(lanes<T> sum) = 0;
  /// Whether its gradient may ride, too, and what is asked for then in the place of `write`.
  [[nodiscard]] virtual bool gradient_rides() const = 0;
  [[nodiscard]] virtual lanes<T> multiple(lanes<T> decay) const = 0;
  virtual void patch(block_at<T> const& at, target const& to) const = 0;
  /// Takes the sums over other classes of the same rows.
  virtual void join(term_sweep& other) = 0;
  /// The sums are complete. Whether a second sweep over the values is asked for.
  virtual bool close(tile const& rows, running_maximum<T> const& maximum) = 0;
  /// Becomes what another is, of the same term.
  virtual void copy(term_sweep const& other) = 0;
  virtual void refine(block_at<T> const& at, running_maximum<T> const& maximum, lanes<T> earlier) = 0;
  virtual void join_refined(term_sweep& other) = 0;
  virtual void close_refined() = 0;
  [[nodiscard]] virtual lanes<T> value() const = 0;
  [[nodiscard]] virtual row_derivatives<T> derivatives() const = 0;
  /// Whether the gradient looks at logits and operands again.
  [[nodiscard]] virtual bool rereads() const = 0;
  virtual void write(block_at<T> const& at, running_maximum<T> const& maximum, lanes<T> earlier,
                     target const& to, gradient_form<T> const& form) = 0;

 protected:
  explicit term_sweep(kernel_traits<T> const& of_kernel) : traits(of_kernel) {}
  ~term_sweep() = default;
};

/// The x-th power of exponentials: what a temperature that is a small integer times smaller takes.
template <class T>
DISTIL_INLINE lanes<T> power_of(lanes<T> x, int power) {
  if (power == 1) return x;
  lanes<T> const squared = x * x;
  if (power == 2) return squared;
  return power == 3 ? squared * x : squared * squared;
}

/// A number that a loop asks for in every round: compilers would else make a loop for each answer.
template <class Number>
DISTIL_INLINE Number asked_again(Number number) {
#if defined(__GNUC__)
  asm("" : "+r"(number));
#endif
  return number;
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
