#pragma once

#include "distil/feature/softmax_regression.hpp"

#include "pair_case.hpp"

namespace distil::testing {

/// The classifier is drawn for the student's channels, so that the suites need not know it.
struct softmax_regression_case : pair_case<distil::softmax_regression, softmax_regression_options> {
  static constexpr char const* name = "softmax_regression";
  static constexpr error_bound bound = softmax_regression_loss::bound;
  static constexpr index classes = 7;

  static std::vector<setting> settings() {
    return {{},
            {"features alone", {.feature_weight = 2, .score_weight = 0}},
            {"scores alone", {.feature_weight = 0, .score_weight = 0.5}}};
  }
  static std::vector<pair_shape> shapes() {
    return {{{1, 1, 1, 1}, {1, 1, 1, 1}},
            {{3, 17, 1, 1}, {3, 17, 1, 1}},
            {{2, 2, 5, 7}, {2, 2, 3, 4}},
            {{3, 5, 4, 3}, {3, 5, 4, 3}}};
  }

  static owned_matrix<float> classifier(index channels) {
    owned_matrix<float> result(classes, channels, layout::padded);
    numbers random(5);
    for (index k = 0; k < classes; ++k) {
      for (index c = 0; c < channels; ++c) result.set(k, c, random.next());
    }
    return result;
  }

  template <class Policy, class Batch>
  static auto value(Policy policy, Batch const& b, setting const& s) {
    auto const by = classifier(b.student.shape()[1]);
    return softmax_regression(policy, b.student.map(), b.teacher.map(), by.view(), s.options);
  }
  template <class Policy, class Batch, class Gradient>
  static auto with_grad(Policy policy, Batch const& b, owned_map<Gradient>& gradient, setting const& s,
                        bool accumulate) {
    softmax_regression_options options = s.options;
    options.accumulate = accumulate;
    auto const by = classifier(b.student.shape()[1]);
    return softmax_regression.with_grad(policy, b.student.map(), b.teacher.map(), by.view(), gradient.map(),
                                        options);
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s,
                        bool magnitudes = false) {
    auto const by = classifier(student.channels());
    auto const size = [&](long double x) { return magnitudes ? std::abs(x) : x; };
    long double features = 0, scores = 0, total = 0;
    for (index n = 0; n < student.samples(); ++n) {
      long double const weight = s.options.weights[n];
      total += weight;
      if (!(weight > 0)) continue;
      std::vector<long double> d;
      for (index c = 0; c < student.channels(); ++c) {
        long double of_s = 0, of_t = 0;
        for (index p = 0; p < student.positions(); ++p)
          of_s += size(student.at(n, c, p)) / static_cast<long double>(student.positions());
        for (index p = 0; p < teacher.positions(); ++p)
          of_t += size(teacher.at(n, c, p)) / static_cast<long double>(teacher.positions());
        d.push_back(magnitudes ? of_s + of_t : of_s - of_t);
        features += weight * d.back() * d.back() / static_cast<long double>(student.channels());
      }
      for (index k = 0; k < classes; ++k) {
        long double score = 0;
        for (index c = 0; c < student.channels(); ++c)
          score += size(by.at(k, c)) * d[static_cast<std::size_t>(c)];
        scores += weight * score * score / classes;
      }
    }
    return total == 0 ? 0 : (s.options.feature_weight * features + s.options.score_weight * scores) / total;
  }

  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    return {static_cast<double>(of(student, teacher, s, true)), 0};
  }
};

}  // namespace distil::testing
