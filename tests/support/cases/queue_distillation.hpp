#pragma once

#include "distil/contrastive/queue_distillation.hpp"

#include "naive_embeddings.hpp"

namespace distil::testing {

/// The queue is made by a fixed rule: eleven entries of the batch's width.
struct queue_distillation_case
    : pair_case<distil::queue_distillation, queue_distillation_options, pair_arguments::matrices> {
  static constexpr char const* name = "queue_distillation";
  static constexpr error_bound bound = queue_distillation_loss::bound;

  static std::vector<setting> settings() {
    return {{"T = 0.5", {.temperature = 0.5, .teacher_temperature = 0.5}},
            {"cross entropy, as given",
             {.temperature = 1.0,
              .teacher_temperature = 0.7,
              .kind = soft_divergence::cross_entropy,
              .normalize = false}},
            {"with own teacher", {.temperature = 0.2, .teacher_temperature = 0.1, .with_own_teacher = true}}};
  }
  static std::vector<pair_shape> shapes() {
    return same({{1, 3, 1, 1}, {2, 1, 1, 1}, {3, 17, 1, 1}, {9, 5, 1, 1}});
  }
  static std::vector<pair_shape> large_shapes() { return same({{600, 40, 1, 1}}); }

  static owned_map<double> queue_of(index features) {
    owned_map<double> queue({11, features, 1, 1}, map_layout::channels_first);
    numbers random(99);
    queue.fill([&](index, index, index, index) { return random.next(); });
    return queue;
  }

  template <class Policy, class Batch>
  static auto value(Policy policy, Batch const& b, setting const& s) {
    auto const queue = queue_of(b.student.shape()[1]);
    return distil::queue_distillation(policy, b.student.matrix(), b.teacher.matrix(), queue.matrix(),
                                      s.options);
  }
  template <class Policy, class Batch, class Gradient>
  static auto with_grad(Policy policy, Batch const& b, owned_map<Gradient>& gradient, setting const& s,
                        bool accumulate) {
    auto options = s.options;
    options.accumulate = accumulate;
    auto const queue = queue_of(b.student.shape()[1]);
    return distil::queue_distillation.with_grad(policy, b.student.matrix(), b.teacher.matrix(),
                                                queue.matrix(), gradient.matrix(), options);
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    auto const queue = naive::embeddings(queue_of(student.channels()).exact(), false);
    return of(student, teacher, queue, queue, s.options);
  }
  static long double of(exact_map const& student, exact_map const& teacher, naive::table const& student_queue,
                        naive::table const& teacher_queue, queue_distillation_options const& o) {
    auto const a = naive::embeddings(student, o.normalize), b = naive::embeddings(teacher, o.normalize);
    auto of_student = naive::similarities(a, student_queue),
         of_teacher = naive::similarities(b, teacher_queue);
    for (std::size_t i = 0; i < a.size() && o.with_own_teacher; ++i) {
      of_student[i].push_back(naive::similarities({a[i]}, {b[i]})[0][0]);
      of_teacher[i].push_back(naive::similarities({b[i]}, {b[i]})[0][0]);
    }
    return naive::teacher_loss(of_student, 1 / o.temperature, of_teacher, 1 / o.teacher_temperature,
                               o.kind == soft_divergence::cross_entropy);
  }

  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    double const scale = 1 / s.options.temperature, other = 1 / s.options.teacher_temperature;
    double const count = static_cast<double>(student.samples());
    double const longest = std::sqrt(static_cast<double>(student.channels()));
    double const size =
        longest * (s.options.normalize ? 1 : naive::longest(student) + naive::longest(teacher));
    double const length = s.options.normalize ? naive::shortest(student) : 1;
    return {1 + std::log(12.0) + size * (scale + other),
            (1 + size * (scale + other)) * scale * longest / (count * length)};
  }
};

}  // namespace distil::testing
