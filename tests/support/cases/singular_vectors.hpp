#pragma once

#include "distil/feature/singular_vectors.hpp"

#include "layer_pair_case.hpp"

namespace distil::testing {

/// The singular vectors of one sample over its channels, by Jacobi's rotations of the products of channels.
struct exact_vectors {
  std::vector<long double> squared_values;
  std::vector<std::vector<long double>> vectors;

  exact_vectors(exact_map const& map, index n) {
    auto const size = static_cast<std::size_t>(map.channels());
    std::vector<std::vector<long double>> a(size, std::vector<long double>(size)), v = a;
    for (std::size_t i = 0; i < size; ++i) {
      v[i][i] = 1;
      for (std::size_t j = 0; j < size; ++j) {
        for (index p = 0; p < map.positions(); ++p)
          a[i][j] += map.at(n, static_cast<index>(i), p) * map.at(n, static_cast<index>(j), p);
      }
    }
    for (int sweep = 0; sweep < 12; ++sweep) {
      for (std::size_t i = 0; i < size; ++i) {
        for (std::size_t j = i + 1; j < size; ++j) rotate(a, v, i, j);
      }
    }
    std::vector<std::size_t> order(size);
    for (std::size_t i = 0; i < size; ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](auto i, auto j) { return a[i][i] > a[j][j]; });
    for (std::size_t const i : order) {
      if (a[i][i] <= 1e-15L * a[order[0]][order[0]]) break;
      squared_values.push_back(a[i][i]);
      vectors.emplace_back();
      for (std::size_t row = 0; row < size; ++row) vectors.back().push_back(v[row][i]);
    }
  }

 private:
  using square = std::vector<std::vector<long double>>;

  static void rotate(square& a, square& v, std::size_t i, std::size_t j) {
    if (a[i][j] == 0) return;
    long double const theta = (a[j][j] - a[i][i]) / (2 * a[i][j]);
    long double const t = (theta < 0 ? -1 : 1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
    long double const c = 1 / std::sqrt(t * t + 1), s = t * c;
    auto const turn = [&](long double& x, long double& y) {
      long double const before = x;
      x = c * before - s * y;
      y = s * before + c * y;
    };
    for (auto& row : a) turn(row[i], row[j]);
    for (std::size_t k = 0; k < a.size(); ++k) turn(a[i][k], a[j][k]);
    for (auto& row : v) turn(row[i], row[j]);
  }
};

struct singular_vectors_case : layer_pair_case<distil::singular_vectors, singular_vectors_options> {
  static constexpr char const* name = "singular_vectors";
  static constexpr error_bound bound = singular_vectors_loss::bound;

  static std::vector<setting> settings() {
    return {{"default", {.regularization = 1e-9}},
            {"two vectors", {.vectors = 2, .more_candidates = 0, .regularization = 1e-9}},
            {"three vectors", {.vectors = 3, .more_candidates = 1, .regularization = 1e-9}}};
  }

  static std::vector<pair_shape> shapes() {
    return {{{2, 1, 1, 1}, {2, 1, 1, 1}},
            {{4, 3, 2, 2}, {4, 3, 1, 3}},
            {{2, 5, 1, 3}, {2, 5, 2, 2}},
            {{4, 4, 2, 3}, {4, 4, 3, 2}}};
  }
  static std::vector<pair_shape> large_shapes() { return {{{30, 9, 13, 11}, {30, 9, 5, 1}}}; }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    index const samples = student.samples() / 2;
    long double sum = 0, total = 0;
    for (index n = 0; n < samples; ++n) {
      auto const weight = static_cast<long double>(s.options.weights[n]);
      total += weight;
      if (weight == 0) continue;
      auto const first = aligned(student, teacher, n, s.options);
      auto const second = aligned(student, teacher, n + samples, s.options);
      for (std::size_t k = 0; k < first.ours.size(); ++k) {
        for (std::size_t i = 0; i < first.ours[k].size(); ++i) {
          for (std::size_t j = 0; j < second.ours[k].size(); ++j) {
            auto const e = [](long double x, long double y) { return std::exp(-(x - y) * (x - y) / 8); };
            long double const d =
                e(first.ours[k][i], second.ours[k][j]) - e(first.theirs[k][i], second.theirs[k][j]);
            sum += weight * d * d;
          }
        }
      }
    }
    return total == 0 ? 0 : sum / total;
  }

  static pair_scales scales(exact_map const& student, exact_map const&, setting const&) {
    return {static_cast<double>(student.channels() * student.channels()), 0};
  }

 private:
  struct pair_of_vectors {
    std::vector<std::vector<long double>> ours, theirs;
  };

  static pair_of_vectors aligned(exact_map const& student, exact_map const& teacher, index n,
                                 singular_vectors_options const& o) {
    exact_vectors const s(student, n), t(teacher, n);
    auto const count = static_cast<std::size_t>(o.vectors);
    auto const candidates = count + static_cast<std::size_t>(o.more_candidates);
    std::vector<long double> const none(static_cast<std::size_t>(student.channels()));
    pair_of_vectors result{{count, none}, {count, none}};
    long double squares = 0;
    for (std::size_t k = 0; k < std::min(count, t.vectors.size()); ++k) squares += t.squared_values[k];
    for (std::size_t k = 0; k < std::min(count, t.vectors.size()); ++k) {
      long double share = std::sqrt(t.squared_values[k] / squares), nearest = 0, of_elements = 0;
      for (long double const element : t.vectors[k]) of_elements += element;
      if (of_elements < 0) share = -share;
      for (std::size_t i = 0; i < std::min(candidates, s.vectors.size()); ++i) {
        long double cosine = 0;
        for (std::size_t c = 0; c < none.size(); ++c) cosine += s.vectors[i][c] * t.vectors[k][c];
        if (std::abs(cosine) <= std::abs(nearest)) continue;
        nearest = cosine;
        for (std::size_t c = 0; c < none.size(); ++c)
          result.ours[k][c] = (cosine < 0 ? -share : share) * s.vectors[i][c];
      }
      for (std::size_t c = 0; c < none.size(); ++c) result.theirs[k][c] = share * t.vectors[k][c];
    }
    return result;
  }
};

}  // namespace distil::testing
