#pragma once

#include "distil/feature/variational_information.hpp"

#include "pair_case.hpp"

namespace distil::testing {

struct variational_information_case
    : pair_case<distil::variational_information, variational_information_options> {
  static constexpr char const* name = "variational_information";
  static constexpr error_bound bound = variational_information_loss::bound;

  static std::vector<setting> settings() {
    return {
        {},
        {"a = -3", {.variance_parameter = -3}},
        {"exponential", {.variance_parameter = -0.5, .form = variance_form::exponential, .epsilon = 1e-6}}};
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    std::vector<long double> parameters;
    for (index c = 0; c < student.channels(); ++c) parameters.push_back(s.options.variance_parameter[c]);
    return of(student, teacher, s, parameters);
  }
  static long double of(exact_map const& student, exact_map const& teacher, setting const& s,
                        std::vector<long double> const& parameters, bool sizes = false) {
    long double sum = 0, total = 0;
    bool const exponential = s.options.form == variance_form::exponential;
    for (index n = 0; n < student.samples(); ++n) {
      total += s.options.weights[n];
      for (index c = 0; s.options.weights[n] > 0 && c < student.channels(); ++c) {
        long double const a = parameters[static_cast<std::size_t>(c)], grown = std::exp(a);
        long double const v = (exponential ? grown : std::log1p(grown)) + s.options.epsilon;
        long double const logarithm = exponential ? a : std::log(v);
        for (index p = 0; p < student.positions(); ++p) {
          long double const d = student.at(n, c, p) - teacher.at(n, c, p);
          sum += s.options.weights[n] * (exponential ? 1 : 0.5L) *
                 ((sizes ? std::abs(logarithm) : logarithm) + d * d / v);
        }
      }
    }
    return total == 0 ? 0
                      : sum / (total * static_cast<long double>(student.channels() * student.positions()));
  }

  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    std::vector<long double> parameters;
    for (index c = 0; c < student.channels(); ++c) parameters.push_back(s.options.variance_parameter[c]);
    return {static_cast<double>(of(student, teacher, s, parameters, true)), 0};
  }
};

}  // namespace distil::testing
