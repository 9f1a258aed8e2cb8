#include "kernels.hpp"

#include <distil/response/hinton_kd.hpp>
#include <iostream>  // brings a static initialiser of its own
#include <map>
#include <string>

#define DISPATCH_TEST_TEXT(x) #x
#define DISPATCH_TEST_NAME(x) DISPATCH_TEST_TEXT(x)

namespace {

// Initialised at run time, by code for the architecture, which must not run before it is chosen.
std::map<int, std::string> const table{{1, "one"}, {2, "two"}};
int const initialised_when_chosen = [] {
  shared_counter = 40;
  return static_cast<int>(table.size());
}();

// At the end of the program, too, only the chosen architecture's code may run.
[[gnu::destructor]] void finish() {
  if (called_at_the_end != nullptr) called_at_the_end(static_cast<float>(shared_counter) * 0.5F);
}

struct wide_shape : shape {
  long lanes() const override { return distil::simd::lanes<float>::size; }
};

}  // namespace

distil::loss_value distil_step(constant_view student, constant_view teacher, std::vector<int> const& labels,
                               mutable_view gradient, float temperature) {
  return distil::hinton_kd.with_grad(student, teacher, labels, gradient, {.temperature = temperature});
}

distil::loss_value distil_step_in_parallel(constant_view student, constant_view teacher,
                                           std::vector<int> const& labels, mutable_view gradient,
                                           float temperature) {
  return distil::hinton_kd.with_grad(distil::parallel_policy{.threads = 2}, student, teacher, labels,
                                     gradient, {.temperature = temperature});
}

long lanes() { return distil::simd::lanes<float>::size; }

std::string_view instruction_set() { return DISPATCH_TEST_NAME(DISTIL_ARCH_NAMESPACE); }

int count_up() {
  ++shared_in_function();
  ++shared_of_thread();
  return ++shared_counter;
}

int initialised() { return initialised_when_chosen + static_cast<int>(table.at(2).size()); }

void throw_own_error() { throw own_error(); }

shape* make_shape() { return new wide_shape; }
