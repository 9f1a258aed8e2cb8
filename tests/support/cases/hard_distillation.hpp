#pragma once

#include "distil/response/hard_distillation.hpp"

#include "labelled_case.hpp"

namespace distil::testing {

struct hard_setting : setting {
  double teacher_weight = 0.5, label_weight = 0.5;
};

struct hard_distillation_case : labelled_case<hard_distillation_case, distil::hard_distillation> {
  static constexpr char const* name = "hard_distillation";
  static constexpr error_bound bound = hard_distillation_definition::bound;

  static std::vector<hard_setting> settings() {
    return {{{.label = "DeiT"}}, {{.label = "independent weights"}, 0.3, 2}};
  }
  static hard_distillation_options options(hard_setting const& s, row_options const& rows, std::span<double>,
                                           bool accumulate) {
    return {.teacher_weight = s.teacher_weight,
            .label_weight = s.label_weight,
            .rows = rows,
            .accumulate = accumulate};
  }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t label, hard_setting const& s) {
    if (skips(z, t, label)) return skipped(z);
    auto const choice = std::max_element(t.begin(), t.end()) - t.begin();
    reference::target<long double> wanted{exact_row(z.size(), 0)};
    wanted.mass[static_cast<std::size_t>(label)] += s.label_weight;
    wanted.mass[static_cast<std::size_t>(choice)] += s.teacher_weight;
    double const f = s.label_weight + s.teacher_weight;
    return {.value = reference::cross_entropy(z, wanted).value,
            .weight = 1,
            .gradient = reference::cross_entropy_gradient(z, wanted),
            .value_scale = f * size_of_classes(z),
            .gradient_scale = f};
  }
};

}  // namespace distil::testing
