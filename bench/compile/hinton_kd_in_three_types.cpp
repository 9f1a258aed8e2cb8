#include "logits.hpp"

template <class Element>
double in(logits<Element> student, logits<Element> teacher, labels of_rows, output<Element> gradient) {
  return distil::hinton_kd.with_grad(student, teacher, of_rows, gradient,
                                     {.temperature = 4, .soft_weight = 0.7});
}
template double in(logits<float>, logits<float>, labels, output<float>);
template double in(logits<double>, logits<double>, labels, output<double>);
template double in(logits<distil::bfloat16>, logits<distil::bfloat16>, labels, output<distil::bfloat16>);
