#include "logits.hpp"

double serially(logits<float> student, logits<float> teacher, labels of_rows, output<float> gradient) {
  return distil::hinton_kd.with_grad(student, teacher, of_rows, gradient,
                                     {.temperature = 4, .soft_weight = 0.7});
}
double in_parallel(logits<float> student, logits<float> teacher, labels of_rows, output<float> gradient) {
  return distil::hinton_kd.with_grad(distil::parallel, student, teacher, of_rows, gradient,
                                     {.temperature = 4, .soft_weight = 0.7});
}
