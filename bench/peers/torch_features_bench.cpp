#include <torch/torch.h>

#include "support/batch.hpp"
#include "support/registry.hpp"

// Losses of features and relations in libtorch with autograd, one thread, each step as the public training code of these
// losses has it (RepDistiller, mdistiller; channel_wise: mmrazor). The teacher needs no gradient, and no graph is made of it.
namespace {

namespace functional = torch::nn::functional;
using torch::Tensor;

Tensor unit(Tensor const& values, std::int64_t along) {
  return functional::normalize(values, functional::NormalizeFuncOptions().dim(along));
}

Tensor attention_transfer(Tensor const& student, Tensor const& teacher) {
  auto const map = [](Tensor const& features) {
    return unit(features.pow(2).mean(1).view({features.size(0), -1}), 1);
  };
  return (map(student) - map(teacher)).pow(2).mean();
}

Tensor channel_wise(Tensor const& student, Tensor const& teacher) {
  auto const channels = [](Tensor const& features) {
    return features.view({-1, features.size(2) * features.size(3)});
  };
  Tensor const target = functional::softmax(channels(teacher), 1);
  Tensor const sum = torch::sum(target * functional::log_softmax(channels(teacher), 1) -
                                target * functional::log_softmax(channels(student), 1));
  return sum / (student.size(0) * student.size(1));
}

Tensor neuron_selectivity(Tensor const& student, Tensor const& teacher) {
  auto const channels = [](Tensor const& features) {
    return unit(features.view({features.size(0), features.size(1), -1}), 2);
  };
  auto const kernel = [](Tensor const& a, Tensor const& b) {
    return (a.unsqueeze(1) * b.unsqueeze(2)).sum(-1).pow(2).mean();
  };
  Tensor const x = channels(student), y = channels(teacher);
  return kernel(y, y).detach() + kernel(x, x) - 2 * kernel(x, y);
}

Tensor similarity_preserving(Tensor const& student, Tensor const& teacher) {
  auto const similarities = [](Tensor const& features) {
    Tensor const rows = features.view({features.size(0), -1});
    return unit(torch::mm(rows, rows.t()), 1);
  };
  return (similarities(teacher) - similarities(student)).pow(2).mean();
}

Tensor relational_angle(Tensor const& student, Tensor const& teacher) {
  auto const angles = [](Tensor const& features) {
    Tensor const directions = unit(features.unsqueeze(0) - features.unsqueeze(1), 2);
    return torch::bmm(directions, directions.transpose(1, 2)).view(-1);
  };
  return functional::smooth_l1_loss(angles(student), angles(teacher));
}

template <class Loss>
void add(char const* operation, Loss loss, bench::shape size, std::string const& shape,
         std::vector<std::int64_t> sizes) {
  bench::add({"torch_autograd", operation, "float", shape, "gradient"}, {size.elements(), 3 * sizeof(float)},
             [=]() -> bench::call {
               at::set_num_threads(1);
               bench::batch<float> const& on = bench::batch_of<float>(size);
               Tensor const student = torch::from_blob(on.student.data(), sizes).set_requires_grad(true);
               Tensor const teacher = torch::from_blob(on.teacher.data(), sizes);
               return [=] {
                 student.mutable_grad().reset();
                 Tensor const value = loss(student, teacher);
                 value.backward();
                 return value.template item<double>();
               };
             });
}

template <class Loss>
void add_of_maps(char const* operation, Loss loss, bench::map_size size) {
  add(operation, loss, size.flat(), size.name(), {size.samples, size.channels, size.height, size.width});
}

bool const registered = [] {
  bench::map_size const usual = bench::map_sizes[0];
  add_of_maps("attention_transfer", attention_transfer, usual);
  add_of_maps("channel_wise", channel_wise, usual);
  add_of_maps("neuron_selectivity", neuron_selectivity, bench::few_maps[0]);
  add_of_maps("similarity_preserving", similarity_preserving, usual);
  bench::shape const rows = bench::relation_sizes[0];
  add("relational_angle", relational_angle, rows, rows.name(), {rows.rows, rows.classes});
  return true;
}();

}  // namespace
