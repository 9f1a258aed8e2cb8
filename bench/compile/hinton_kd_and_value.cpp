#include "logits.hpp"

double with_gradient(logits<float> student, logits<float> teacher, labels of_rows, output<float> gradient) {
  return distil::hinton_kd.with_grad(student, teacher, of_rows, gradient,
                                     {.temperature = 4, .soft_weight = 0.7});
}
double value_alone(logits<float> student, logits<float> teacher, labels of_rows) {
  return distil::hinton_kd(student, teacher, of_rows, {.temperature = 4, .soft_weight = 0.7});
}
