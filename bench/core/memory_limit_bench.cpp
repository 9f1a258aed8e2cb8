#include "support/memory_limit.hpp"

#include "support/batch.hpp"
#include "support/registry.hpp"

// What no kernel with two inputs and one output of the size of the logits can beat: an addition.
namespace {

using bench::stores;

template <stores Kind>
void add(char const* form, int threads) {
  for (bench::shape const size : bench::shapes) {
    bench::add({"limit", "add", "float", size.name(), form, threads}, {size.elements(), 3 * sizeof(float)},
               [=]() -> bench::call {
                 auto& batch = bench::batch_of<float>(size);
                 return [=, &batch] {
                   bench::add_arrays<Kind>(batch.student.data(), batch.teacher.data(), batch.gradient.data(),
                                           size.elements(), threads);
                   return static_cast<double>(batch.gradient.data()[0]);
                 };
               });
  }
}

bool const registered = [] {
  for (int const threads : {1, 2}) {
    add<stores::plain>("plain", threads);
    add<stores::streamed>("streamed", threads);
  }
  return true;
}();

}  // namespace
