#include <distil/contrastive/queue_distillation.hpp>

#include "support/pair_loss.hpp"

namespace {

// The batch's own teacher embeddings are the queue.
struct with_queue {
  template <class Policy, class Student, class Teacher>
  double operator()(Policy policy, Student const& student, Teacher const& teacher) const {
    return distil::queue_distillation(policy, student, teacher, teacher);
  }
  template <class Policy, class Student, class Teacher, class Gradient>
  double with_grad(Policy policy, Student const& student, Teacher const& teacher, Gradient&& gradient) const {
    return distil::queue_distillation.with_grad(policy, student, teacher, teacher, gradient);
  }
};

bool const registered = bench::add_relation_loss("queue_distillation", with_queue());

}  // namespace
