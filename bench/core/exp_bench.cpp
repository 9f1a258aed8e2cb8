#include <cmath>
#include <distil/simd/exponential.hpp>

#include "support/batch.hpp"
#include "support/registry.hpp"

// The limit of arithmetic, of which a loss needs at least one for each distribution and temperature: one vectorised
// exponential for each element, read and written. `exp` is the general one of xsimd, as any program would call it;
// `exp_nonpositive` is what the kernels use, for arguments <= 0.
namespace {

using lanes = distil::simd::lanes<float>;

struct general {
  DISTIL_INLINE lanes operator()(lanes x) const {
    using std::exp;
    return lanes::of(exp(x.raw));
  }
};

struct nonpositive {
  DISTIL_INLINE lanes operator()(lanes x) const { return exp_nonpositive(x - lanes(32)); }
};

template <class Exponential>
void exponentials(float const* from, float* to, std::ptrdiff_t size) {
  std::ptrdiff_t i = 0;
  for (; i + lanes::size <= size; i += lanes::size) Exponential()(lanes::load(from + i)).store(to + i);
  for (; i < size; ++i) to[i] = std::exp(from[i]);
}

template <class Exponential>
bool add(char const* operation) {
  for (bench::shape const size : bench::shapes) {
    bench::add({"limit", operation, "float", size.name(), "output"}, {size.elements(), 2 * sizeof(float), 1},
               [=]() -> bench::call {
                 auto& batch = bench::batch_of<float>(size);
                 return [=, &batch] {
                   exponentials<Exponential>(batch.student.data(), batch.gradient.data(), size.elements());
                   return static_cast<double>(batch.gradient.data()[0]);
                 };
               });
  }
  return true;
}

bool const registered = add<general>("exp") && add<nonpositive>("exp_nonpositive");

}  // namespace
