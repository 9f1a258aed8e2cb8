#pragma once

#include "distil/contrastive/interactive_contrast.hpp"

#include "clip_case.hpp"

namespace distil::testing {

struct interactive_contrast_case : clip_case<distil::interactive_contrast, interactive_contrast_options> {
  static constexpr char const* name = "interactive_contrast";
  static constexpr error_bound bound = interactive_contrast_loss::bound;

  static std::vector<setting> settings() { return {{}, {"as given", {.scale = 0.5, .normalize = false}}}; }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    bool const unit = s.options.normalize;
    auto const images = naive::similarities(half(student, false, unit), half(teacher, true, unit));
    auto const texts = naive::similarities(half(student, true, unit), half(teacher, false, unit));
    return (naive::own_entry_loss(images, s.options.scale) + naive::own_entry_loss(texts, s.options.scale)) /
           2;
  }

  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    double const count = static_cast<double>(student.samples());
    double const size =
        s.options.scale * (s.options.normalize ? 1 : naive::longest(student) * naive::longest(teacher));
    double const length = s.options.normalize ? shortest_half(student) : 1 / naive::longest(teacher);
    return {1 + std::log(count) + size, s.options.scale * (1 + size) / (count * length)};
  }
};

}  // namespace distil::testing
