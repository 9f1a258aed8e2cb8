#pragma once

#include "distil/feature/factor_transfer.hpp"

#include "attention_map_reference.hpp"
#include "pair_case.hpp"

namespace distil::testing {

struct factor_transfer_case : pair_case<distil::factor_transfer, factor_transfer_options> {
  static constexpr char const* name = "factor_transfer";
  static constexpr error_bound bound = factor_transfer_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"squared, sample mean",
             {.distance = factor_distance::squared, .reduce = feature_reduction::sample_mean}},
            {"map", {.factor = factor_kind::attention_map}},
            {"map, power 1, squared, sum",
             {.factor = factor_kind::attention_map,
              .power = 1,
              .distance = factor_distance::squared,
              .reduce = feature_reduction::sum}}};
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    long double sum = 0, total = 0;
    std::size_t numbers = 0;
    for (index n = 0; n < student.samples(); ++n) {
      auto const a = factor(student, n, s), b = factor(teacher, n, s);
      numbers = a.size();
      total += s.options.weights[n];
      for (std::size_t i = 0; s.options.weights[n] > 0 && i < numbers; ++i) {
        long double const d = std::abs(a[i] - b[i]);
        sum += s.options.weights[n] * (s.options.distance == factor_distance::absolute ? d : d * d);
      }
    }
    if (s.options.reduce == feature_reduction::sum || total == 0) return sum;
    if (s.options.reduce == feature_reduction::sample_mean) return sum / total;
    return sum / (total * static_cast<long double>(numbers));
  }

  static pair_scales scales(exact_map const& student, exact_map const&, setting const& s) {
    bool const absolute = s.options.distance == factor_distance::absolute;
    double steepest = 0, numbers = 0;
    for (index n = 0; n < student.samples(); ++n) {
      numbers = static_cast<double>(factor(student, n, s).size());
      if (s.options.factor == factor_kind::attention_map) {
        steepest = std::max(steepest, reference::attention_slope(student, n, s.options.power));
      } else {
        steepest = std::max(steepest, static_cast<double>(1 / reference::length(elements(student, n))));
      }
    }
    auto const samples = static_cast<double>(student.samples());
    double const sum = s.options.reduce == feature_reduction::sum           ? 1
                       : s.options.reduce == feature_reduction::sample_mean ? 1 / samples
                                                                            : 1 / (samples * numbers);
    return {sum * samples * (absolute ? std::sqrt(numbers) : 1),
            sum * steepest * (absolute ? std::sqrt(numbers) : 2)};
  }

 private:
  static std::vector<long double> elements(exact_map const& map, index n) {
    std::vector<long double> result;
    for (index c = 0; c < map.channels(); ++c) {
      for (index p = 0; p < map.positions(); ++p) result.push_back(map.at(n, c, p));
    }
    return result;
  }
  static std::vector<long double> factor(exact_map const& map, index n, setting const& s) {
    if (s.options.factor == factor_kind::attention_map)
      return reference::attention_map(map, n, s.options.power);
    auto result = elements(map, n);
    long double const by = reference::length(result);
    for (long double& x : result) x /= by == 0 ? 1 : by;
    return result;
  }
};

}  // namespace distil::testing
