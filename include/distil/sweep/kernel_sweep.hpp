#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include "distil/sweep/term_sweep.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// The loops of a kernel. What a loop reads is local: a store to memory could change anything else.
template <class T, class Kernel>
class kernel_sweep : public term_sweep<T> {
  using base = term_sweep<T>;
  static constexpr index lane_count = lanes<T>::size;
  static_assert(std::is_trivially_destructible_v<Kernel>);

 public:
  using typename base::target;

  void rescale(running_maximum<T> const& maximum) final { kernel().rescale(maximum); }

  void sum(block_at<T> const& at, bool reads_ahead) final {
    block const here = at.here;
    auto strips = open(at.rows, here, at.student);
    kernel().observe(strips, here);
    kernel().mark(keeper<T>{at.marks + this->marks_at});
    if constexpr (Kernel::exponentials) {
      if (!this->exponentials.computes) return sum_loop<false>(at, strips, reads_ahead);
    }
    sum_loop<true>(at, strips, reads_ahead);
  }

  [[nodiscard]] bool rides() const final { return kernel().rides(); }
  void add_exponentials(lanes<T> sum) final { kernel().add_exponentials(sum); }
  [[nodiscard]] bool gradient_rides() const final { return kernel().gradient_rides(); }
  [[nodiscard]] lanes<T> multiple(lanes<T> decay) const final { return kernel().multiple(decay); }

  void join(base& other) final { kernel().join(static_cast<kernel_sweep&>(other).kernel()); }
  void copy(base const& other) final {
    this->sharpness = this->related_sharpness = other.sharpness;
    this->exponentials = other.exponentials;
    this->refines = other.refines;
    make(static_cast<kernel_sweep const&>(other).kernel());
  }

  void refine(block_at<T> const& at, running_maximum<T> const& maximum, lanes<T> earlier) final {
    block const here = at.here;
    auto strips = open(at.rows, here, at.student);
    exponentials_at const taken = this->exponentials;
    T* const own_exponentials = at.registers + taken.offset;
    T* const saved = saved_of(at);
    lanes<T> const shift = at.shift;
    auto const refiner = [&] {
      if constexpr (Kernel::refines_kept) {
        return kernel().refiner(maximum.decay_since(earlier, this->sharpness),
                                kept<T>{at.marks + this->marks_at});
      } else {
        return nothing{};
      }
    }();
    for (run part = run::at(here, 0); part.first < here.steps; part = part.next(here)) {
      strip<T> const logits = at.student.from(part.first, part.partial);
      auto const operands = strips.from(part.first, part.partial);
      typename Kernel::refinement sums;
      for (index k = 0; k < part.count; ++k) {
        [[maybe_unused]] index const step = part.first + k;
        student_register<T> z;
        z.logit = logits[k];
        z.centred = z.logit - shift;
        if constexpr (Kernel::refines_kept) {
          z.exponent = lanes<T>(0);
          z.exponential = power_of(lanes<T>::load(own_exponentials + step * lane_count), taken.power);
          T* const own = saved + step * (Kernel::saved_registers * lane_count);
          refiner(sums, z, operands, k, kept<T>{own}, keeper<T>{own});
        } else {
          kernel().refine(sums, z.centred, operands, k);
        }
      }
      kernel().fold_refined(sums);
    }
  }
  void join_refined(base& other) final { kernel().join_refined(static_cast<kernel_sweep&>(other).kernel()); }
  void close_refined() final { kernel().close_refined(); }

  [[nodiscard]] lanes<T> value() const final { return kernel().value(); }
  [[nodiscard]] row_derivatives<T> derivatives() const final {
    return {kernel().temperature_derivative(), kernel().teacher_temperature_derivative()};
  }
  [[nodiscard]] bool rereads() const final { return kernel().rereads(); }

 protected:
  template <class Term>
  kernel_sweep(axis way, Term const& term) : base(traits_of<Kernel, T>), operands_(way, term) {}

  template <class... Arguments>
  DISTIL_INLINE void make(Arguments const&... arguments) {
    ::new (static_cast<void*>(state_)) Kernel(arguments...);
  }
  [[nodiscard]] DISTIL_INLINE Kernel& kernel() { return *std::launder(reinterpret_cast<Kernel*>(state_)); }
  [[nodiscard]] DISTIL_INLINE Kernel const& kernel() const {
    return *std::launder(reinterpret_cast<Kernel const*>(state_));
  }

  void write_gradient(block_at<T> const& at, running_maximum<T> const& maximum, lanes<T> earlier,
                      target const& to, gradient_form<T> const& form) {
    block const here = at.here;
    decltype(open(at.rows, here, at.student)) strips{};
    strip<T> student{at.registers + this->exponentials.offset, lane_count};  // what nobody looks at
    bool const rereads = kernel().rereads();
    if (rereads) {
      student = at.student;
      strips = open(at.rows, here, at.student);
    }
    lanes<T> decay(0);
    if constexpr (Kernel::keeps_exponentials) decay = maximum.decay_since(earlier, this->sharpness);
    auto const gradient = kernel().gradient(decay, kept<T>{at.marks + this->marks_at});
    if (rereads || !form.every_row || form.adds || this->exponentials.power != 1) {
      write_loop<false>(at, student, strips, gradient, to, form, rereads);
    } else {
      write_loop<true>(at, student, strips, gradient, to, form, false);
    }
  }

 private:
  using operands_of_kernel = typename Kernel::operands;

  /// The strips of the kernel; those that take the student's own get it.
  DISTIL_INLINE auto open(tile const& rows, block const& here, [[maybe_unused]] strip<T> student) {
    if constexpr (requires(operands_of_kernel & operands) { operands.open(rows, here, student); }) {
      return operands_.open(rows, here, student);
    } else {
      return operands_.open(rows, here);
    }
  }

  [[nodiscard]] DISTIL_INLINE T* saved_of(block_at<T> const& at) const {
    if constexpr (Kernel::saved_registers == 0) return at.registers;
    return at.registers + this->saved_at + (Kernel::saved_registers - 1) * at.first;
  }

  /// The next block of a row, while this one is computed: the processor's own look-ahead ends with a page of memory.
  static DISTIL_INLINE void prefetch([[maybe_unused]] strip<T> const& strip, [[maybe_unused]] index k) {
#if defined(__GNUC__)
    __builtin_prefetch(
        reinterpret_cast<void const*>(reinterpret_cast<std::uintptr_t>(strip.at(k)) + strip.ahead));
#endif
  }
  template <class Strips>
  static DISTIL_INLINE void prefetch_strip([[maybe_unused]] Strips const& strips, [[maybe_unused]] index k) {
    if constexpr (std::is_same_v<Strips, strip<T>>) prefetch(strips, k);
  }

  template <bool Computes, class Strips>
  DISTIL_INLINE void sum_loop(block_at<T> const& at, Strips const& strips, bool reads_ahead) {
    block const here = at.here;
    [[maybe_unused]] int const power = this->exponentials.power;
    [[maybe_unused]] T* const own_exponentials = at.registers + this->exponentials.offset;
    T* const saved = saved_of(at);
    lanes<T> const shift = at.shift;
    [[maybe_unused]] lanes<T> const own_sharpness = this->sharpness;
    auto const summand = kernel().summand();
    for (run part = run::at(here, 0); part.first < here.steps; part = part.next(here)) {
      strip<T> logits = at.student.from(part.first, part.partial);
      if (!reads_ahead) logits.ahead = 0;
      auto const operands = strips.from(part.first, part.partial);
      typename Kernel::partial sums;
      for (index k = 0; k < part.count; ++k) {
        index const step = part.first + k;
        student_register<T> z;
        z.logit = logits[k];
        z.centred = z.logit - shift;
        prefetch(logits, k);
        prefetch_strip(operands, k);
        z.exponent = z.exponential = lanes<T>(0);
        if constexpr (Kernel::exponentials) {
          // Once for the exponential and for sums, so that both see the same rounding.
          z.exponent = z.centred * own_sharpness;
          if constexpr (Computes) {
            z.exponential = exp2_nonpositive(z.exponent);
            z.exponential.store(own_exponentials + step * lane_count);
          } else {
            z.exponential = power_of(lanes<T>::load(own_exponentials + step * lane_count), power);
          }
        }
        summand(sums, z, operands, k, keeper<T>{saved + step * (Kernel::saved_registers * lane_count)});
      }
      kernel().fold(sums);
    }
  }

  /// Plainly: every row has the gradient, it is the first, of exponentials that are no powers, and the logits are not looked
  /// at again; terms that do not look at them have kept zeros for masked classes.
  template <bool Plain, class Strips, class Gradient>
  DISTIL_INLINE void write_loop(block_at<T> const& at, strip<T> const& student, Strips const& strips,
                                Gradient const& gradient, target const& to, gradient_form<T> const& form,
                                bool rereads) const {
    block const here = at.here;
    lanes<T> const shift = at.shift;
    gradient_form<T> const joins = form;
    int const power = this->exponentials.power;
    T const* const own_exponentials = at.registers + this->exponentials.offset;
    T const* const saved = saved_of(at);
    for (run part = run::at(here, 0); part.first < here.steps; part = part.next(here)) {
      strip<T> const logits = student.from(part.first, part.partial);
      auto const operands = strips.from(part.first, part.partial);
      auto const output = to.from(part.first, part.partial);
      for (index k = 0; k < part.count; ++k) {
        index const step = part.first + k;
        student_register<T> z;
        z.logit = logits[k];
        z.centred = z.logit - shift;
        z.exponent = z.exponential = lanes<T>(0);
        if constexpr (Kernel::keeps_exponentials) {
          z.exponential = lanes<T>::load(own_exponentials + step * lane_count);
          if constexpr (!Plain) z.exponential = power_of(z.exponential, asked_again(power));
        }
        z.column = here.first_column + step * here.register_columns;
        lanes<T> sum =
            gradient(z, operands, k, kept<T>{saved + step * (Kernel::saved_registers * lane_count)});
        if constexpr (!Plain) {
          if (asked_again(rereads))
            sum = select(z.logit == lanes<T>(-infinity<T>), lanes<T>(Kernel::masked_output), sum);
          if (!asked_again(joins.every_row)) sum = select(joins.counts, sum, lanes<T>(0));
        }
        if constexpr (!Plain) {
          if (asked_again(joins.adds)) sum = lanes<T>::load(output.at(k)) + sum;
        }
        if constexpr (Kernel::keeps_exponentials) {
          int const rides = Plain ? joins.rides.power : asked_again(joins.rides.power);
          // As it is added where it does not ride: a row's bits do not hang on its neighbours.
          if (rides != 0) sum += product(joins.rides.multiple, power_of(z.exponential, rides));
        }
        sum.store(output.at(k));
      }
    }
  }

  operands_of_kernel operands_;
  alignas(Kernel) std::byte state_[sizeof(Kernel)];
};

/// The same for a term, which makes the kernel of a tile.
template <class T, class Term>
class sweep_of_term final : public kernel_sweep<T, typename Term::template kernel<T>> {
  using base = kernel_sweep<T, typename Term::template kernel<T>>;
  using base::kernel;

 public:
  using typename base::target;

  /// Both must outlive it.
  sweep_of_term(axis way, Term const& term, source_matrix<T> const& student)
      : base(way, term), term_(term), student_(student) {}

  void begin(tile const& rows, lanes<T> scale) override {
    base::make(term_, student_, rows, scale);
    this->sharpness = kernel().sharpness();
  }

  /// The label's logit and its like are looked up when the caches have seen them.
  bool close(tile const& rows, running_maximum<T> const& maximum) override {
    kernel().look_up(term_, student_, rows);
    kernel().close(maximum);
    return kernel().refines();
  }

  void write(block_at<T> const& at, running_maximum<T> const& maximum, lanes<T> earlier, target const& to,
             gradient_form<T> const& form) override {
    base::write_gradient(at, maximum, earlier, to, form);
    kernel().patch(term_, at.rows, at.here, to);
  }
  void patch(block_at<T> const& at, target const& to) const override {
    kernel().patch(term_, at.rows, at.here, to);
  }

 private:
  Term const& term_;
  source_matrix<T> const& student_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
