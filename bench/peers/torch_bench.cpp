#include <torch/torch.h>

#include "support/batch.hpp"
#include "support/registry.hpp"

// Hinton's loss in libtorch, one thread: as it is written for training, and as far as one gets by hand
// without autograd.
namespace {

namespace functional = torch::nn::functional;

constexpr double temperature = 4.0;
constexpr double soft_weight = 0.9;
constexpr double hard_weight = 1.0 - soft_weight;

struct tensors {
  torch::Tensor student, teacher, gradient, labels;

  explicit tensors(bench::batch<float> const& batch)
      : student(matrix(batch.student.data(), batch.size)),
        teacher(matrix(batch.teacher.data(), batch.size)),
        gradient(matrix(batch.gradient.data(), batch.size)),
        labels(torch::tensor(batch.labels).to(torch::kInt64)) {}

 private:
  static torch::Tensor matrix(float* data, bench::shape size) {
    return torch::from_blob(data, {size.rows, size.classes});
  }
};

torch::Tensor loss(tensors const& on) {
  torch::Tensor const hard = functional::cross_entropy(on.student, on.labels);
  torch::Tensor const soft = functional::kl_div(functional::log_softmax(on.student / temperature, 1),
                                                functional::softmax(on.teacher / temperature, 1),
                                                functional::KLDivFuncOptions().reduction(torch::kBatchMean));
  return hard_weight * hard + soft_weight * temperature * temperature * soft;
}

double value(tensors const& on) {
  torch::NoGradGuard const without_graph;
  return loss(on).item<double>();
}

double by_autograd(tensors& on) {
  on.student.mutable_grad().reset();
  torch::Tensor const total = loss(on);
  total.backward();
  return total.item<double>();
}

double by_hand(tensors& on) {
  torch::NoGradGuard const without_graph;
  auto const rows = static_cast<double>(on.student.size(0));
  torch::Tensor log_hard = on.student.log_softmax(1);
  torch::Tensor log_soft = (on.student / temperature).log_softmax(1);
  torch::Tensor log_teacher = (on.teacher / temperature).log_softmax(1);
  torch::Tensor const target = log_teacher.exp();
  double const hard = torch::nll_loss(log_hard, on.labels).item<double>();
  double const soft = log_teacher.sub_(log_soft).mul_(target).sum().item<double>() / rows;
  torch::Tensor const label_columns = on.labels.unsqueeze(1);
  torch::exp_out(on.gradient, log_hard);
  on.gradient.scatter_add_(1, label_columns, torch::full_like(label_columns, -1.0, on.gradient.options()));
  on.gradient.mul_(hard_weight / rows).add_(log_soft.exp_().sub_(target), soft_weight * temperature / rows);
  return hard_weight * hard + soft_weight * temperature * temperature * soft;
}

template <class Call>
void add(char const* library, char const* form, std::size_t matrices, Call one_call, bool with_graph) {
  for (bench::shape const size : bench::shapes) {
    bench::add({library, "hinton_kd", "float", size.name(), form},
               {size.elements(), matrices * sizeof(float)}, [=]() -> bench::call {
                 at::set_num_threads(1);
                 tensors on(bench::batch_of<float>(size));
                 on.student.set_requires_grad(with_graph);
                 return [=]() mutable { return one_call(on); };
               });
  }
}

bool const registered = [] {
  add("torch_by_hand", "value", 2, value, false);
  add("torch_by_hand", "gradient", 3, by_hand, false);
  add("torch_autograd", "gradient", 3, by_autograd, true);
  return true;
}();

}  // namespace
