#pragma once

#include "distil/response/margin_corrected_kl.hpp"

#include "labelled_case.hpp"

namespace distil::testing {

struct margin_setting : setting {
  double margin = 0.2;
  corrected_rows corrects = corrected_rows::all;
};

struct margin_corrected_kl_case : labelled_case<margin_corrected_kl_case, distil::margin_corrected_kl> {
  static constexpr char const* name = "margin_corrected_kl";
  static constexpr error_bound bound = margin_corrected_kl_definition::bound;

  static std::vector<margin_setting> settings() {
    return {{{.label = "the paper's"}},
            {{.label = "T=4", .temperature = 4}, 0.5},
            {{.label = "wrong rows only", .temperature = 2}, 0.1, corrected_rows::wrong_only},
            {{.label = "margin 0", .temperature = 0.5}, 0},
            {{.label = "margin 1 without T^2", .temperature = 2.5, .squared = false}, 1}};
  }
  static margin_corrected_kl_options options(margin_setting const& s, row_options const& rows,
                                             std::span<double>, bool accumulate) {
    return {.temperature = s.temperature,
            .scale_by_temperature_squared = s.squared,
            .margin = s.margin,
            .corrects = s.corrects,
            .rows = rows,
            .accumulate = accumulate};
  }
  /// p' as the paper mixes it.
  static exact_row corrected(exact_row const& t, std::int64_t label, margin_setting const& s) {
    exact_row p = reference::softmax(t, s.temperature);
    auto const y = static_cast<std::size_t>(label);
    bool const right = t[y] == *std::max_element(t.begin(), t.end());
    long double const others = reference::softmax(t, s.temperature)[y] < 1 ? 1 - p[y] : 0;
    long double m = 0;
    if (!right) {
      long double const lead = *std::max_element(p.begin(), p.end()) - p[y];
      m = (lead + s.margin) / (1 + lead);
    } else if (s.corrects == corrected_rows::all && others > 0) {
      m = (std::min<long double>(1, p[y] + s.margin) - p[y]) / others;
    }
    for (long double& entry : p) entry *= 1 - m;
    p[y] += m;
    return p;
  }
  static truth of(exact_row const& z, exact_row const& t, std::int64_t label, margin_setting const& s) {
    if (skips(z, t, label)) return skipped(z);
    double const f = temperature_factor(s);
    auto const target = reference::from_probabilities(corrected(t, label, s));
    truth result{.value = f * reference::forward_kl(target, reference::from_logits(z, s.temperature)).value,
                 .weight = 1,
                 .gradient = reference::forward_kl_gradient(z, target, s.temperature)};
    result.value_scale = f * size_of_classes(z);
    result.gradient_scale = f / s.temperature;
    for (long double& entry : result.gradient) entry *= f;
    return result;
  }
};

}  // namespace distil::testing
