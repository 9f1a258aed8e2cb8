#pragma once

#include "distil/feature/channel_wise.hpp"

#include "pair_case.hpp"

namespace distil::testing {

struct channel_wise_case : pair_case<distil::channel_wise, channel_wise_options> {
  static constexpr char const* name = "channel_wise";
  static constexpr error_bound bound = channel_wise_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"T=0.5, without its square", {.temperature = 0.5, .scale_by_temperature_squared = false}},
            {"T=4", {.temperature = 4}}};
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    return of(student, teacher, s, s.options.temperature);
  }
  static long double of(exact_map const& student, exact_map const& teacher, setting const& s,
                        long double temperature) {
    long double sum = 0, total = 0;
    for (index n = 0; n < student.samples(); ++n) {
      long double const weight = s.options.weights[n];
      total += weight;
      for (index c = 0; weight > 0 && c < student.channels(); ++c) {
        auto const log_q = log_softmax(student, n, c, temperature),
                   log_p = log_softmax(teacher, n, c, temperature);
        for (std::size_t p = 0; p < log_q.size(); ++p)
          sum += log_p[p] == -std::numeric_limits<long double>::infinity()
                     ? 0
                     : weight * std::exp(log_p[p]) * (log_p[p] - log_q[p]);
      }
    }
    if (s.options.scale_by_temperature_squared) sum *= temperature * temperature;
    return total == 0 ? 0 : sum / (total * static_cast<long double>(student.channels()));
  }

  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const& s) {
    long double furthest = 0;
    for (std::size_t i = 0; i < student.values.size(); ++i)
      furthest = std::max({furthest, std::abs(student.values[i]), std::abs(teacher.values[i])});
    double const t = s.options.temperature, squared = s.options.scale_by_temperature_squared ? t * t : 1;
    double const size = 1 + static_cast<double>(furthest) / t;
    return {squared * size, size * squared / t / static_cast<double>(student.samples() * student.channels())};
  }

 private:
  static std::vector<long double> log_softmax(exact_map const& map, index n, index c,
                                              long double temperature) {
    long double top = -std::numeric_limits<long double>::infinity(), sum = 0;
    for (index p = 0; p < map.positions(); ++p) top = std::max(top, map.at(n, c, p) / temperature);
    for (index p = 0; p < map.positions(); ++p) sum += std::exp(map.at(n, c, p) / temperature - top);
    std::vector<long double> result;
    for (index p = 0; p < map.positions(); ++p)
      result.push_back(map.at(n, c, p) / temperature - top - std::log(sum));
    return result;
  }
};

}  // namespace distil::testing
