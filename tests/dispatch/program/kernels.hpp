#pragma once

#include <distil/core/loss_value.hpp>
#include <distil/core/matrix_view.hpp>
#include <exception>
#include <string_view>
#include <vector>

/// What kernels.cpp and more_kernels.cpp define and the test calls.

/// In both, inline in all units of the program: one for all.
inline int shared_counter = 0;

inline int& shared_in_function() {
  static int value = 0;
  return value;
}

inline int& shared_of_thread() {
  thread_local int value = 0;
  return value;
}

/// Called at the end of the program by the chosen architecture.
inline void (*called_at_the_end)(float half_of_counter) = nullptr;

/// Thrown in a dispatched unit and caught in another; all of it inline.
struct own_error : std::exception {
  char const* what() const noexcept override { return "own error"; }
};

/// A class whose table of virtual functions each unit has; the architecture's functions must stay behind it.
struct shape {
  virtual ~shape() = default;
  virtual long lanes() const { return 1; }
};

using constant_view = distil::matrix_view<float const>;
using mutable_view = distil::matrix_view<float>;

distil::loss_value distil_step(constant_view student, constant_view teacher, std::vector<int> const& labels,
                               mutable_view gradient, float temperature);
distil::loss_value distil_step_in_parallel(constant_view student, constant_view teacher,
                                           std::vector<int> const& labels, mutable_view gradient,
                                           float temperature);

/// How many floats a register of the running code has, by two ways through two sources.
long lanes();
long lanes_of_the_other_source();

std::string_view instruction_set();
int count_up();
int initialised();
[[noreturn]] void throw_own_error();
shape* make_shape();

/// Ten arguments in registers and four beyond, which the first call must not lose.
double weighted_sum(int a, int b, int c, int d, int e, int f, int g, double h, double i, double j, double k,
                    double l, double m, double n, double o, double p);
int sum_of(int count, ...);

/// Calls back from the dispatched unit: exceptions go through it both ways.
void call(void (*function)());

class accumulator {
 public:
  explicit accumulator(double start);
  double add(double x);

 private:
  double sum_;
};
