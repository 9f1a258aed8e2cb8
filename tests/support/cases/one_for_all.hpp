#pragma once

#include "distil/response/one_for_all.hpp"

#include "labelled_case.hpp"

namespace distil::testing {

struct one_for_all_setting : setting {
  double power = 1;
};

struct one_for_all_case : labelled_case<one_for_all_case, distil::one_for_all> {
  static constexpr char const* name = "one_for_all";
  static constexpr error_bound bound = one_for_all_definition::bound;

  static std::vector<one_for_all_setting> settings() {
    return {{{.label = "ImageNet", .squared = false}, 1.5},
            {{.label = "CIFAR", .squared = false}, 1},
            {{.label = "root", .temperature = 2}, 0.5},
            {{.label = "T=0.5", .temperature = 0.5}, 3}};
  }
  static one_for_all_options options(one_for_all_setting const& s, row_options const& rows, std::span<double>,
                                     bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .power = s.power,
            .rows = rows,
            .accumulate = accumulate};
  }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t label, one_for_all_setting const& s) {
    if (skips(z, t, label)) return skipped(z);
    reference::target<long double> w{reference::softmax(t, s.temperature)};
    long double sum = 0;
    for (std::size_t i = 0; i < z.size(); ++i) {
      bool const here = i == static_cast<std::size_t>(label);
      w.mass[i] = here ? std::expm1(s.power * std::log1p(w.mass[i])) : std::pow(w.mass[i], s.power);
      sum += w.mass[i];
    }
    double const f = temperature_factor(s);
    double const size = f * static_cast<double>(sum) * std::max(1.0, s.power);
    truth result{.value = f * reference::cross_entropy(z, w, s.temperature).value,
                 .weight = 1,
                 .gradient = reference::cross_entropy_gradient(z, w, s.temperature)};
    result.value_scale = size * size_of_classes(z);
    result.gradient_scale = size / s.temperature;
    for (long double& entry : result.gradient) entry *= f;
    return result;
  }
};

}  // namespace distil::testing
