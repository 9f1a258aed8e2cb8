#pragma once

#include "naive_embeddings.hpp"

/// Losses between two pairs of encoders, as the suites see them: images and texts are the halves of one matrix's columns.
namespace distil::testing {

template <auto const& Loss, class Options>
struct clip_case : pair_case<Loss, Options, pair_arguments::matrices> {
  using base = pair_case<Loss, Options, pair_arguments::matrices>;
  using typename base::setting;

  static std::vector<pair_shape> shapes() {
    return base::same({{1, 4, 1, 1}, {2, 2, 1, 1}, {3, 34, 1, 1}, {7, 10, 1, 1}});
  }
  static std::vector<pair_shape> large_shapes() { return base::same({{520, 40, 1, 1}}); }

  template <class Map>
  static auto images(Map& map) {
    auto matrix = map.matrix();
    matrix.columns /= 2;
    return matrix;
  }
  template <class Map>
  static auto texts(Map& map) {
    auto matrix = images(map);
    matrix.data += matrix.columns * matrix.column_stride;
    return matrix;
  }

  template <class Policy, class Batch>
  static auto value(Policy policy, Batch const& b, setting const& s) {
    return Loss(policy, images(b.student), texts(b.student), images(b.teacher), texts(b.teacher), s.options);
  }
  template <class Policy, class Batch, class Gradient>
  static auto with_grad(Policy policy, Batch const& b, owned_map<Gradient>& gradient, setting const& s,
                        bool accumulate) {
    Options options = s.options;
    options.accumulate = accumulate;
    return Loss.with_grad(policy, images(b.student), texts(b.student), images(b.teacher), texts(b.teacher),
                          images(gradient), texts(gradient), options);
  }

  /// The halves of a matrix, unit rows or as given.
  static naive::table half(exact_map const& map, bool second, bool unit) {
    index const columns = map.channels() / 2;
    exact_map part({map.samples(), columns, 1, 1});
    for (index n = 0; n < map.samples(); ++n) {
      for (index c = 0; c < columns; ++c) part(n, c) = map(n, second ? columns + c : c);
    }
    return naive::embeddings(part, unit);
  }
  static double shortest_half(exact_map const& map) {
    double result = std::numeric_limits<double>::infinity();
    for (bool const second : {false, true}) {
      for (auto const& row : half(map, second, false)) {
        long double squares = 0;
        for (long double const each : row) squares += each * each;
        result = std::min(result, static_cast<double>(std::sqrt(squares)));
      }
    }
    return result;
  }
};

}  // namespace distil::testing
