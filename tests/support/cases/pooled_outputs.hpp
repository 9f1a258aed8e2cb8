#pragma once

#include "distil/feature/pooled_outputs.hpp"

#include "pair_case.hpp"

namespace distil::testing {

struct pooled_outputs_case : pair_case<distil::pooled_outputs, pooled_outputs_options> {
  static constexpr char const* name = "pooled_outputs";
  static constexpr error_bound bound = pooled_outputs_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"width, squared", {.over = pooled_over::width, .distance = pooled_distance::squared}},
            {"height, as they are", {.over = pooled_over::height, .elements = pooled_elements::as_they_are}},
            {"channels", {.over = pooled_over::channels}},
            {"positions", {.over = pooled_over::positions}},
            {"nothing, as they are, squared",
             {.over = pooled_over::nothing,
              .elements = pooled_elements::as_they_are,
              .distance = pooled_distance::squared}}};
  }

  /// What is left of a sample: sums by the coordinates that stay.
  static std::vector<long double> pooled(exact_map const& map, index n, setting const& s) {
    index const C = map.channels(), H = map.height(), W = map.width();
    auto const sum = [&](index c0, index c1, index y0, index y1, index x0, index x1) {
      long double total = 0;
      for (index c = c0; c < c1; ++c) {
        for (index y = y0; y < y1; ++y) {
          for (index x = x0; x < x1; ++x) {
            long double const f = map(n, c, y, x);
            total += s.options.elements == pooled_elements::squares ? f * f : f;
          }
        }
      }
      return total;
    };
    std::vector<long double> result;
    auto const over = s.options.over;
    if (over == pooled_over::width || over == pooled_over::each_side) {
      for (index c = 0; c < C; ++c) {
        for (index y = 0; y < H; ++y) result.push_back(sum(c, c + 1, y, y + 1, 0, W));
      }
    }
    if (over == pooled_over::height || over == pooled_over::each_side) {
      for (index c = 0; c < C; ++c) {
        for (index x = 0; x < W; ++x) result.push_back(sum(c, c + 1, 0, H, x, x + 1));
      }
    }
    if (over == pooled_over::channels) {
      for (index y = 0; y < H; ++y) {
        for (index x = 0; x < W; ++x) result.push_back(sum(0, C, y, y + 1, x, x + 1));
      }
    }
    if (over == pooled_over::positions) {
      for (index c = 0; c < C; ++c) result.push_back(sum(c, c + 1, 0, H, 0, W));
    }
    if (over == pooled_over::nothing) {
      for (index c = 0; c < C; ++c) {
        for (index y = 0; y < H; ++y) {
          for (index x = 0; x < W; ++x) result.push_back(sum(c, c + 1, y, y + 1, x, x + 1));
        }
      }
    }
    return result;
  }
  static long double length(std::vector<long double> const& numbers) {
    long double squares = 0;
    for (long double const x : numbers) squares += x * x;
    return std::sqrt(squares);
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    long double sum = 0, total = 0;
    for (index n = 0; n < student.samples(); ++n) {
      auto const a = pooled(student, n, s), b = pooled(teacher, n, s);
      long double const of_a = length(a), of_b = length(b);
      long double squares = 0;
      for (std::size_t i = 0; i < a.size(); ++i) {
        long double const d = (of_a == 0 ? 0 : a[i] / of_a) - (of_b == 0 ? 0 : b[i] / of_b);
        squares += d * d;
      }
      sum +=
          s.options.weights[n] * (s.options.distance == pooled_distance::norm ? std::sqrt(squares) : squares);
      total += s.options.weights[n];
    }
    return total == 0 ? 0 : sum / total;
  }

  static pair_scales scales(exact_map const& student, exact_map const&, setting const& s) {
    long double steepest = 0;
    for (index n = 0; n < student.samples(); ++n) {
      long double const of_sample = length(pooled(student, n, s));
      long double largest = s.options.elements == pooled_elements::squares ? 0 : 1;
      for (index c = 0; c < student.channels(); ++c) {
        for (index p = 0; p < student.positions() && s.options.elements == pooled_elements::squares; ++p) {
          largest = std::max(largest, 2 * std::abs(student.at(n, c, p)));
        }
      }
      if (of_sample > 0) steepest = std::max(steepest, largest / of_sample);
    }
    double const by = s.options.distance == pooled_distance::norm ? 1.0 : 2.0;
    return {1.0,
            by * static_cast<double>(steepest) / static_cast<double>(std::max<index>(1, student.samples()))};
  }
};

}  // namespace distil::testing
