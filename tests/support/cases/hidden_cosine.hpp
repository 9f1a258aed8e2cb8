#pragma once

#include "distil/feature/hidden_cosine.hpp"

#include "pair_case.hpp"

namespace distil::testing {

struct hidden_cosine_case : pair_case<distil::hidden_cosine, hidden_cosine_options> {
  static constexpr char const* name = "hidden_cosine";
  static constexpr error_bound bound = hidden_cosine_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"sample mean", {.reduce = feature_reduction::sample_mean}},
            {"sum", {.reduce = feature_reduction::sum}}};
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    auto const& o = s.options;
    bool const by_position = o.weights.per_row() && o.weights.size() != student.samples();
    long double sum = 0, positions = 0, samples = 0;
    for (index n = 0; n < student.samples(); ++n) {
      long double of_sample = 0;
      for (index p = 0; p < student.positions(); ++p) {
        long double const weight = by_position ? o.weights[n * student.positions() + p] : o.weights[n];
        positions += weight;
        of_sample = by_position ? std::max(of_sample, weight > 0 ? 1.0L : 0.0L) : weight;
        if (weight > 0) sum += weight * (1 - cosine(student, teacher, n, p));
      }
      samples += of_sample;
    }
    long double const divisor = o.reduce == feature_reduction::sum           ? 1
                                : o.reduce == feature_reduction::sample_mean ? samples
                                                                             : positions;
    return divisor == 0 ? 0 : sum / divisor;
  }

  static pair_scales scales(exact_map const& student, exact_map const&, setting const& s) {
    long double shortest = std::numeric_limits<long double>::max();
    for (index n = 0; n < student.samples(); ++n) {
      for (index p = 0; p < student.positions(); ++p) {
        long double squares = 0;
        for (index c = 0; c < student.channels(); ++c) squares += student.at(n, c, p) * student.at(n, c, p);
        if (squares > 0) shortest = std::min(shortest, std::sqrt(squares));
      }
    }
    auto const samples = static_cast<double>(student.samples());
    double const positions = samples * static_cast<double>(student.positions());
    double const divisor = s.options.reduce == feature_reduction::sum           ? 1
                           : s.options.reduce == feature_reduction::sample_mean ? samples
                                                                                : positions;
    return {positions / divisor, 1 / (divisor * static_cast<double>(shortest))};
  }

 private:
  static long double cosine(exact_map const& s, exact_map const& t, index n, index p) {
    long double dot = 0, of_s = 0, of_t = 0;
    for (index c = 0; c < s.channels(); ++c) {
      dot += s.at(n, c, p) * t.at(n, c, p);
      of_s += s.at(n, c, p) * s.at(n, c, p);
      of_t += t.at(n, c, p) * t.at(n, c, p);
    }
    return of_s == 0 || of_t == 0 ? 0 : dot / std::sqrt(of_s * of_t);
  }
};

}  // namespace distil::testing
