#include <cmath>
#include <distil/simd/exponential.hpp>

#include "support/batch.hpp"
#include "support/registry.hpp"

// The limit of arithmetic: one exponential for each element, of arguments <= 0 as every loss has them.
namespace {

using register_of = distil::simd::lanes<float>;

void exponentials(float const* from, float* to, std::ptrdiff_t size) {
  register_of const shift(32.0F);
  std::ptrdiff_t i = 0;
  for (; i + register_of::size <= size; i += register_of::size) {
    exp_nonpositive(register_of::load(from + i) - shift).store(to + i);
  }
  for (; i < size; ++i) to[i] = std::exp(from[i] - 32.0F);
}

bool const registered = [] {
  for (bench::shape const size : bench::shapes) {
    bench::add({"limit", "exp", "float", size.name(), "output"}, size.elements(), 2 * sizeof(float),
               [=]() -> bench::call {
                 auto& batch = bench::batch_of<float>(size);
                 return [=, &batch] {
                   exponentials(batch.student.data(), batch.gradient.data(), size.elements());
                   return static_cast<double>(batch.gradient.data()[0]);
                 };
               });
  }
  return true;
}();

}  // namespace
