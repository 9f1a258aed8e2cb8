#include "lessons.hpp"

#include <cmath>
#include <distil/attention/self_relation.hpp>
#include <distil/feature/attention_transfer.hpp>
#include <distil/feature/hint.hpp>
#include <distil/feature/linear_projector.hpp>
#include <distil/relation/similarity_preserving.hpp>
#include <distil/response/cross_entropy.hpp>
#include <distil/response/hinton_kd.hpp>
#include <span>

namespace feature_distillation {
namespace {

using trainer::matrix;

// What each loss is multiplied by beside the cross entropy. Those of attention and similarity are the published ones; a
// hint's 100 goes with features that are smaller than these.
constexpr float hint_weight = 10.0F;
constexpr float attention_weight = 1000.0F;
constexpr float similarity_weight = 3000.0F;
constexpr float relation_weight = 10.0F;

std::span<float> elements_of(matrix& values) {
  return {values.data(), static_cast<std::size_t>(values.size())};
}

}  // namespace

std::string name_of(method what) {
  switch (what) {
    case method::labels_alone:
      return "labels alone";
    case method::logits:
      return "logits (hinton_kd)";
    case method::hint:
      return "hint";
    case method::attention:
      return "attention_transfer";
    case method::similarity:
      return "similarity_preserving";
    case method::relations:
      return "self_relation";
  }
  return "?";
}

lesson::lesson(method what, design const& student, design const& teacher, trainer::random_numbers& random)
    : method_(what), student_(student), teacher_(teacher) {
  if (what != method::hint) return;
  // Weights as a dense layer begins, from the student's channels to the teacher's.
  projection_.resize(teacher.second_channels, student.second_channels);
  projection_gradient_.resize(projection_.rows(), projection_.cols());
  double const limit = std::sqrt(6.0 / static_cast<double>(student.second_channels));
  for (float& weight : projection_.reshaped())
    weight = static_cast<float>(limit * (2.0 * random.uniform() - 1.0));
  optimizer_.emplace(elements_of(projection_), trainer::adam_options{.learning_rate = 3e-3});
}

void lesson::teach(trainer::network const& student, std::vector<int> const& labels, answers const& teacher,
                   double progress, student_gradients& gradients) {
  matrix const& logits = student.output(student.layer_count() - 1);
  matrix const &first = student.output(first_block), &second = student.output(second_block);
  gradients.logits.resize(logits.rows(), logits.cols());
  gradients.first.resize(first.rows(), first.cols());
  gradients.second.resize(second.rows(), second.cols());
  gradients.of_first = gradients.of_second = false;
  if (method_ == method::logits) {
    distil::hinton_kd.with_grad(logits, teacher.logits, labels, gradients.logits,
                                {.temperature = 4.0F, .soft_weight = 0.9});
    return;
  }
  distil::cross_entropy.with_grad(logits, labels, gradients.logits);
  switch (method_) {
    case method::labels_alone:
    case method::logits:
      break;
    case method::hint:
      teach_hint(second, teacher.second, progress, gradients);
      break;
    case method::attention:
      distil::attention_transfer.with_grad(as_map(first, student_.first()),
                                           as_map(teacher.first, teacher_.first()),
                                           as_map(gradients.first, student_.first()));
      distil::attention_transfer.with_grad(as_map(second, student_.second()),
                                           as_map(teacher.second, teacher_.second()),
                                           as_map(gradients.second, student_.second()));
      gradients.first *= attention_weight;
      gradients.second *= attention_weight;
      gradients.of_first = gradients.of_second = true;
      break;
    case method::similarity:
      distil::similarity_preserving.with_grad(second, teacher.second, gradients.second);
      gradients.second *= similarity_weight;
      gradients.of_second = true;
      break;
    case method::relations:
      // Pixels are the tokens, as in a transformer for images, and their channels the values.
      distil::self_relation.with_grad(as_map(second, student_.second()),
                                      as_map(teacher.second, teacher_.second()),
                                      as_map(gradients.second, student_.second()), {.heads = 4});
      gradients.second *= relation_weight;
      gradients.of_second = true;
      break;
  }
}

void lesson::teach_hint(matrix const& student, matrix const& teacher, double progress,
                        student_gradients& gradients) {
  trainer::image_shape const shape = teacher_.second();
  projected_.resize(student.rows(), shape.size());
  upstream_.resize(student.rows(), shape.size());
  distil::linear_projector(as_map(student, student_.second()), projection_, as_map(projected_, shape));
  distil::hint.with_grad(as_map(projected_, shape), as_map(teacher, shape), as_map(upstream_, shape));
  upstream_ *= hint_weight;
  distil::linear_projector.pull_back(as_map(upstream_, shape), projection_,
                                     as_map(gradients.second, student_.second()));
  distil::linear_projector.pull_back_weight(as_map(student, student_.second()), as_map(upstream_, shape),
                                            projection_gradient_);
  optimizer_->step(elements_of(projection_gradient_), 1.0 - progress);
  gradients.of_second = true;
}

}  // namespace feature_distillation
