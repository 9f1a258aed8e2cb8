#include "../support/tensor_replay.hpp"
#include "distil/contrastive.hpp"

/// Losses that tell the samples of a batch, a queue or a memory apart against PyTorch.
namespace distil::testing {
namespace {

double noise_contrast(tensor_case& b) {
  return info_nce.with_grad(b.matrix("student"), b.matrix("teacher"), b.gradient_matrix("student"),
                            {.temperature = b.numbers("temperature")[0],
                             .normalize = b.is("normalize"),
                             .symmetric = b.is("symmetric"),
                             .temperature_gradient = b.gradient("temperature")});
}

template <class Loss, class Options>
double of_pairs(Loss const& loss, tensor_case& b, Options const& options) {
  return loss.with_grad(b.matrix("image"), b.matrix("text"), b.matrix("teacher_image"),
                        b.matrix("teacher_text"), b.gradient_matrix("image"), b.gradient_matrix("text"),
                        options);
}

soft_divergence what_of(tensor_case const& b) {
  return b.one_of<soft_divergence>(
      "what", {{"kl", soft_divergence::kl}, {"cross_entropy", soft_divergence::cross_entropy}});
}

double affinity(tensor_case& b) {
  return of_pairs(clip_affinity, b,
                  clip_affinity_options{.student_scale = b.numbers("scale")[0],
                                        .teacher_scale = b.number("teacher_scale"),
                                        .kind = what_of(b),
                                        .direction_weight = b.number("direction_weight"),
                                        .normalize = b.is("normalize"),
                                        .scale_gradient = b.gradient("scale")});
}

double interactive(tensor_case& b) {
  return of_pairs(interactive_contrast, b,
                  interactive_contrast_options{.scale = b.numbers("scale")[0],
                                               .normalize = b.is("normalize"),
                                               .scale_gradient = b.gradient("scale")});
}

double gradients(tensor_case& b) {
  return of_pairs(contrast_gradients, b,
                  contrast_gradients_options{.student_scale = b.numbers("scale")[0],
                                             .teacher_scale = b.number("teacher_scale"),
                                             .normalize = b.is("normalize"),
                                             .scale_gradient = b.gradient("scale")});
}

double queue(tensor_case& b) {
  queue_distillation_options const options{.temperature = b.number("student_temperature"),
                                           .teacher_temperature = b.number("teacher_temperature"),
                                           .kind = what_of(b),
                                           .with_own_teacher = b.is("with_own_teacher"),
                                           .normalize = b.is("normalize")};
  auto const other = b.matrix(b.has("teacher_queue") ? "teacher_queue" : "queue");
  return queue_distillation.with_two_queues(serial, b.matrix("student"), b.matrix("teacher"),
                                            b.matrix("queue"), other, b.gradient_matrix("student"), options);
}

double representation(tensor_case& b) {
  contrastive_representation_options const options{.temperature = b.number("temperature"),
                                                   .epsilon = b.number("epsilon")};
  auto const students = b.matrix("students");
  contrastive_memory<double> memory(students.rows, students.columns);
  std::vector<int> all;
  for (index n = 0; n < students.rows; ++n) all.push_back(static_cast<int>(n));
  memory.update(students, b.matrix("teachers"), all, 0.0);
  auto const negatives = b.integers("negatives");
  if (b.has("first_student")) {
    auto const student = b.matrix("first_student"), teacher = b.matrix("first_teacher");
    auto const numbers = b.integers("first_numbers");
    EXPECT_GT(contrastive_representation(student, teacher, numbers, negatives, memory, options), 0.0);
    memory.update(student, teacher, numbers, b.number("momentum"));
  }
  return contrastive_representation.with_grad(b.matrix("student"), b.matrix("teacher"), b.integers("numbers"),
                                              negatives, memory, b.gradient_matrix("student"),
                                              b.gradient_matrix("teacher"), options);
}

TEST(vectors, of_contrast) {
  expect_tensors("contrastive.txt", {{"clip_affinity", affinity},
                                     {"contrast_gradients", gradients},
                                     {"contrastive_representation", representation},
                                     {"info_nce", noise_contrast},
                                     {"interactive_contrast", interactive},
                                     {"queue_distillation", queue}});
}

}  // namespace
}  // namespace distil::testing
