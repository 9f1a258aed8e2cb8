#pragma once

#include "distil/contrastive/clip_affinity.hpp"

#include "clip_case.hpp"

namespace distil::testing {

struct clip_affinity_case : clip_case<distil::clip_affinity, clip_affinity_options> {
  static constexpr char const* name = "clip_affinity";
  static constexpr error_bound bound = clip_affinity_loss::bound;

  static std::vector<setting> settings() {
    return {{"scales 5 and 9", {.student_scale = 5, .teacher_scale = 9}},
            {"cross entropy, sum",
             {.student_scale = 2,
              .teacher_scale = 3,
              .kind = soft_divergence::cross_entropy,
              .direction_weight = 1}},
            {"as given", {.student_scale = 0.5, .teacher_scale = 0.7, .normalize = false}}};
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    auto const& o = s.options;
    auto const a = naive::similarities(half(student, false, o.normalize), half(student, true, o.normalize));
    auto const b = naive::similarities(half(teacher, false, o.normalize), half(teacher, true, o.normalize));
    bool const cross_entropy = o.kind == soft_divergence::cross_entropy;
    return o.direction_weight * (naive::teacher_loss(a, o.student_scale, b, o.teacher_scale, cross_entropy) +
                                 naive::teacher_loss(naive::turned(a), o.student_scale, naive::turned(b),
                                                     o.teacher_scale, cross_entropy));
  }

  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    double const count = static_cast<double>(student.samples());
    double const most =
        s.options.normalize ? 1 : std::pow(std::max(naive::longest(student), naive::longest(teacher)), 2);
    double const size = most * (s.options.student_scale + s.options.teacher_scale);
    double const length = s.options.normalize ? shortest_half(student) : 1 / naive::longest(student);
    return {1 + std::log(count) + size, s.options.student_scale * (1 + size) / (count * length)};
  }
};

}  // namespace distil::testing
