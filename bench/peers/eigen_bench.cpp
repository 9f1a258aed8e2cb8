#include "support/batch.hpp"
#include "support/plain_eigen.hpp"
#include "support/registry.hpp"

namespace {

template <class Loss>
void add(char const* library, Loss loss) {
  for (bench::shape const size : bench::shapes) {
    bench::add({library, "hinton_kd", "float", size.name(), "gradient"}, {size.elements(), 3 * sizeof(float)},
               [=]() -> bench::call {
                 auto const& batch = bench::batch_of<float>(size);
                 auto const matrix = [size](bench::array<float> const& values) {
                   return Eigen::Map<bench::eigen_logits>(values.data(), size.rows, size.classes);
                 };
                 return [=, &batch] {
                   bench::eigen_batch const on{matrix(batch.student), matrix(batch.teacher), batch.labels,
                                               4.0F, 0.9F};
                   return loss(on, matrix(batch.gradient));
                 };
               });
  }
}

bool const registered = [] {
  add("eigen", bench::plain_eigen_hinton_kd);
  add("eigen_staged", bench::staged_eigen_hinton_kd);
  return true;
}();

}  // namespace
