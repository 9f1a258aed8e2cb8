#pragma once

#include "distil/feature/attention_hint.hpp"

#include "attention_map_reference.hpp"
#include "pair_case.hpp"

namespace distil::testing {

struct attention_hint_case : pair_case<distil::attention_hint, attention_hint_options> {
  static constexpr char const* name = "attention_hint";
  static constexpr error_bound bound = attention_hint_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"T=0.1, power 2, sum", {.temperature = 0.1, .power = 2, .reduce = feature_reduction::sum}},
            {"normalised, sample mean",
             {.weighting = attention_weighting::normalized, .reduce = feature_reduction::sample_mean}}};
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    long double sum = 0, total = 0;
    auto const& o = s.options;
    for (index n = 0; n < student.samples(); ++n) {
      total += o.weights[n];
      if (!(o.weights[n] > 0)) continue;
      auto const a = attention(teacher, n, o);
      for (index c = 0; c < student.channels(); ++c) {
        for (index p = 0; p < student.positions(); ++p)
          sum += o.weights[n] * a[static_cast<std::size_t>(p)] *
                 std::pow(student.at(n, c, p) - teacher.at(n, c, p), 2.0L);
      }
    }
    if (o.reduce == feature_reduction::sum || total == 0) return sum;
    if (o.reduce == feature_reduction::sample_mean) return sum / total;
    return sum / (total * static_cast<long double>(student.channels() * student.positions()));
  }

  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    auto const& o = s.options;
    long double top = 0, steepest = 0;
    for (index n = 0; n < teacher.samples(); ++n) {
      auto const a = attention(teacher, n, o);
      for (long double const v : reference::attention_sums(teacher, n, o.power))
        top = std::max(top, v / static_cast<long double>(teacher.channels()));
      for (index c = 0; c < student.channels(); ++c) {
        for (index p = 0; p < student.positions(); ++p)
          steepest = std::max(steepest, 2 * a[static_cast<std::size_t>(p)] *
                                            std::abs(student.at(n, c, p) - teacher.at(n, c, p)));
      }
    }
    auto const samples = static_cast<double>(student.samples());
    double const divisor = o.reduce == feature_reduction::sum ? 1
                           : o.reduce == feature_reduction::sample_mean
                               ? samples
                               : static_cast<double>(student.values.size());
    double const size =
        o.weighting == attention_weighting::softmax ? 1 + static_cast<double>(top) / o.temperature : 1;
    return {static_cast<double>(of(student, teacher, s)) * size,
            static_cast<double>(steepest) * size / divisor};
  }

 private:
  static std::vector<long double> attention(exact_map const& map, index n, attention_hint_options const& o) {
    auto v = reference::attention_sums(map, n, o.power);
    long double sum = 0, top = 0;
    for (long double& x : v) top = std::max(top, x /= static_cast<long double>(map.channels()));
    for (long double& x : v) {
      if (o.weighting == attention_weighting::softmax) x = std::exp((x - top) / o.temperature);
      sum += x;
    }
    for (long double& x : v) x = sum == 0 ? 1 : x * static_cast<long double>(v.size()) / sum;
    return v;
  }
};

}  // namespace distil::testing
