#include "logits.hpp"

#include <distil/response/jensen_shannon.hpp>
#include <distil/response/reverse_kl.hpp>

double one_call(logits<float> student, logits<float> teacher, labels of_rows, output<float> gradient) {
  return distil::hinton_kd.with_grad(student, teacher, of_rows, gradient,
                                     {.temperature = 4, .soft_weight = 0.7});
}
double another(logits<float> student, logits<float> teacher, output<float> gradient) {
  return distil::reverse_kl.with_grad(student, teacher, gradient, {.temperature = 4});
}
double a_third(logits<float> student, logits<float> teacher, output<float> gradient) {
  return distil::jensen_shannon.with_grad(student, teacher, gradient, {.temperature = 4});
}
