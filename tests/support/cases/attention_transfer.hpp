#pragma once

#include "distil/feature/attention_transfer.hpp"

#include "attention_map_reference.hpp"
#include "pair_case.hpp"

namespace distil::testing {

struct attention_transfer_case : pair_case<distil::attention_transfer, attention_transfer_options> {
  static constexpr char const* name = "attention_transfer";
  static constexpr error_bound bound = attention_transfer_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"power 3", {.power = 3}},
            {"power 1.5, norm", {.power = 1.5, .distance = attention_distance::norm}},
            {"norm", {.distance = attention_distance::norm}}};
  }
  static std::vector<pair_shape> shapes() {
    auto result = same({{1, 1, 1, 1}, {1, 3, 2, 2}, {2, 1, 3, 4}, {3, 17, 1, 1}});
    result.push_back({{2, 2, 5, 7}, {2, 3, 5, 7}});
    result.push_back({{3, 5, 4, 3}, {3, 5, 4, 3}});
    return result;
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    long double sum = 0, total = 0;
    for (index n = 0; n < student.samples(); ++n) {
      auto const a = reference::attention_map(student, n, s.options.power);
      auto const b = reference::attention_map(teacher, n, s.options.power);
      long double squares = 0;
      for (std::size_t p = 0; p < a.size(); ++p) squares += (a[p] - b[p]) * (a[p] - b[p]);
      bool const norm = s.options.distance == attention_distance::norm;
      sum += s.options.weights[n] *
             (norm ? std::sqrt(squares) : squares / static_cast<long double>(student.positions()));
      total += s.options.weights[n];
    }
    return total == 0 ? 0 : sum / total;
  }

  static pair_scales scales(exact_map const& student, exact_map const&, setting const& s) {
    bool const norm = s.options.distance == attention_distance::norm;
    auto const positions = static_cast<double>(student.positions());
    double steepest = 0;
    for (index n = 0; n < student.samples(); ++n)
      steepest = std::max(steepest, reference::attention_slope(student, n, s.options.power));
    return {norm ? 1.0 : 1 / positions,
            (norm ? 1.0 : 2 / positions) * steepest / static_cast<double>(student.samples())};
  }
};

}  // namespace distil::testing
