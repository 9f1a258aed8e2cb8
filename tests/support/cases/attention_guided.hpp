#pragma once

#include "distil/feature/attention_guided.hpp"

#include "pair_case.hpp"

namespace distil::testing {

/// What the masks of `attention_guided` are made of: the student as it was, however it moves for its derivative.
struct attention_masks {
  exact_map student, teacher;
};

inline long double attention_guided_of(exact_map const& student, exact_map const& teacher,
                                       attention_masks const& fixed, attention_guided_options const& o) {
  auto const pooled = [](exact_map const& map, index n, index c, index p, bool magnitude) {
    long double sum = 0, count = 0;  // c or p is -1: over all of them
    for (index i = 0; i < map.channels(); ++i) {
      for (index j = 0; j < map.positions(); ++j) {
        if ((c >= 0 && i != c) || (p >= 0 && j != p)) continue;
        sum += magnitude ? std::abs(map.at(n, i, j)) : map.at(n, i, j);
        count += 1;
      }
    }
    return sum / count;
  };
  auto const softmax_of = [&](index n, index size, bool channels, index at, long double of_student,
                              long double of_teacher) {
    auto const score = [&](index i) {
      return (of_student * pooled(fixed.student, n, channels ? i : -1, channels ? -1 : i, true) +
              of_teacher * pooled(fixed.teacher, n, channels ? i : -1, channels ? -1 : i, true)) /
             static_cast<long double>(o.temperature);
    };
    long double sum = 0;
    for (index i = 0; i < size; ++i) sum += std::exp(score(i));
    return static_cast<long double>(size) * std::exp(score(at)) / sum;
  };
  auto const mask = [&](attention_mask kind, index n, index size, bool channels, index at) -> long double {
    if (kind == attention_mask::none) return 1;
    if (kind == attention_mask::joint) return softmax_of(n, size, channels, at, 1, 1);
    return (softmax_of(n, size, channels, at, 1, 0) + softmax_of(n, size, channels, at, 0, 1)) / 2;
  };
  bool const magnitude = o.pooling == attention_pooling::magnitude;
  long double masked = 0, of_channels = 0, of_positions = 0;
  for (index n = 0; n < student.samples(); ++n) {
    for (index c = 0; c < student.channels(); ++c) {
      of_channels += std::pow(pooled(student, n, c, -1, magnitude) - pooled(teacher, n, c, -1, magnitude), 2);
      for (index p = 0; p < student.positions(); ++p) {
        masked += mask(o.spatial_mask, n, student.positions(), false, p) *
                  mask(o.channel_mask, n, student.channels(), true, c) *
                  std::pow(student.at(n, c, p) - teacher.at(n, c, p), 2);
      }
    }
    for (index p = 0; p < student.positions(); ++p)
      of_positions +=
          std::pow(pooled(student, n, -1, p, magnitude) - pooled(teacher, n, -1, p, magnitude), 2);
  }
  return static_cast<long double>(o.masked_weight) * std::sqrt(masked) +
         static_cast<long double>(o.channel_weight) * std::sqrt(of_channels) +
         static_cast<long double>(o.spatial_weight) * std::sqrt(of_positions);
}

/// Without masks, which are constant for the gradient and not for a difference.
struct attention_guided_case : pair_case<distil::attention_guided, attention_guided_options> {
  static constexpr char const* name = "attention_guided";
  static constexpr error_bound bound = attention_guided_loss::bound;

  static std::vector<setting> settings() {
    auto const with = [](double masked, double channel, double spatial, attention_pooling pooling) {
      return attention_guided_options{.masked_weight = masked,
                                      .channel_weight = channel,
                                      .spatial_weight = spatial,
                                      .spatial_mask = attention_mask::none,
                                      .channel_mask = attention_mask::none,
                                      .pooling = pooling};
    };
    return {{"magnitudes", with(1, 2, 0.5, attention_pooling::magnitude)},
            {"means", with(0.25, 0.5, 1, attention_pooling::mean)},
            {"distance", with(1, 0, 0, attention_pooling::mean)}};
  }

  static std::vector<pair_shape> shapes() {
    return same({{1, 1, 1, 1}, {1, 3, 2, 2}, {2, 2, 3, 4}, {3, 5, 4, 3}});
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    return attention_guided_of(student, teacher, {student, teacher}, s.options);
  }

  static pair_scales scales(exact_map const& student, exact_map const& teacher, setting const&) {
    long double squares = 0;
    for (auto const* const map : {&student, &teacher}) {
      for (long double const x : map->values) squares += x * x;
    }
    return {static_cast<double>(std::sqrt(squares)), 0};
  }
};

}  // namespace distil::testing
