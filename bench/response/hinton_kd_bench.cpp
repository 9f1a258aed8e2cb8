#include <distil/response/hinton_kd.hpp>

#include "support/loss.hpp"

namespace {

auto with_gradient(float temperature) {
  return [=](auto policy, auto const& on) {
    return distil::hinton_kd.with_grad(policy, on.student, on.teacher, on.labels, on.gradient,
                                       {.temperature = temperature});
  };
}

/// At temperature 4, the papers' favourite. Whole temperatures need two exponentials, since e^z = (e^(z/4))^4.
template <class T>
bool add(int threads = 1) {
  return bench::add_loss<T>(
      "hinton_kd", 2,
      [](auto policy, auto const& on) {
        return distil::hinton_kd(policy, on.student, on.teacher, on.labels, {.temperature = 4});
      },
      with_gradient(4), threads);
}

bool const registered = add<float>() && add<float>(2) && add<double>() && add<distil::bfloat16>() &&
                        add<distil::bfloat16>(2) && add<distil::half>();

bool const temperatures_registered =
    bench::add_form<float>("hinton_kd_at_2", {"gradient", 3, 2}, with_gradient(2)) &&
    bench::add_form<float>("hinton_kd_at_3.5", {"gradient", 3, 3}, with_gradient(3.5F));

constexpr bench::shape unusual[] = {bench::single_row, bench::segmentation.flat()};
bool const unusual_registered =
    bench::add_form<float>("hinton_kd", {"gradient", 3, 2}, with_gradient(4), unusual) &&
    bench::add_form<float>("hinton_kd", {"gradient", 3, 2, 2}, with_gradient(4), unusual);

// NCHW: a call for each image, its pixels the rows, divided by the pixels of all.
double over_images(bench::batch<float> const& batch) {
  constexpr bench::image_shape size = bench::segmentation;
  auto const image = [&](float* data, std::ptrdiff_t i) {
    return distil::matrix_view<float>(data + i * size.classes * size.pixels(), size.pixels(), size.classes, 1,
                                      size.pixels());
  };
  double loss = 0.0;
  for (std::ptrdiff_t i = 0; i < size.images; ++i) {
    std::span const labels(batch.labels.data() + i * size.pixels(), static_cast<std::size_t>(size.pixels()));
    loss += distil::hinton_kd.with_grad(
        image(batch.student.data(), i), image(batch.teacher.data(), i), labels,
        image(batch.gradient.data(), i),
        {.temperature = 4, .rows = {.normalizer = static_cast<double>(size.flat().rows)}});
  }
  return loss;
}

bool const images_registered = [] {
  using bench::segmentation;
  bench::add({"distil", "hinton_kd", "float", segmentation.name(), "gradient"},
             {segmentation.flat().elements(), 3 * sizeof(float), 2}, []() -> bench::call {
               static bench::batch<float> const batch(segmentation);
               return [] { return over_images(batch); };
             });
  return true;
}();

}  // namespace
