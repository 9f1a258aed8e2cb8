#pragma once

#include "distil/response/coupled/gram_loss.hpp"

#include "coupled_case.hpp"

namespace distil::testing {

/// Adds weight * |X'X - Y'Y|^2 / divisor of the columns of `q` and `p`, given as rows, to a truth: the naive sums.
/// `put(i, b, g, error)` takes the derivative by entry b of row i, and what its rounding is relative to.
template <class Put>
void add_gram_distance(exact_matrix const& x, exact_matrix const& y, exact_row const& weight,
                       long double factor, coupled_truth& truth, Put const& put) {
  std::size_t const rows = x.size(), columns = x.empty() ? 0 : x[0].size();
  exact_matrix error(rows, exact_row(columns, 0)), slope = error;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t k = 0; k < rows; ++k) {
      long double e = 0, size = 0;
      for (std::size_t b = 0; b < columns; ++b) {
        e += weight[b] * (x[i][b] * x[k][b] - y[i][b] * y[k][b]);
        size += weight[b] * (x[i][b] * x[k][b] + y[i][b] * y[k][b]);
      }
      truth.value += factor * e * e;
      truth.value_scale += static_cast<double>(factor * size * (2 * std::abs(e) + 1e-6L * size));
      for (std::size_t b = 0; b < columns; ++b) {
        slope[i][b] += 4 * factor * weight[b] * e * x[k][b];
        error[i][b] += 4 * factor * weight[b] * size * x[k][b];
      }
    }
  }
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t b = 0; b < columns; ++b) put(i, b, slope[i][b], error[i][b]);
  }
}

inline exact_matrix transposed(exact_matrix const& m) {
  exact_matrix result(m.empty() ? 0 : m[0].size(), exact_row(m.size(), 0));
  for (std::size_t i = 0; i < m.size(); ++i) {
    for (std::size_t k = 0; k < m[i].size(); ++k) result[k][i] = m[i][k];
  }
  return result;
}

/// class_weight |Q'WQ - P'WP|^2 / C + batch_weight |QQ' - PP'|^2 / W at one temperature.
inline coupled_truth gram_truth(exact_matrix const& z, exact_matrix const& t,
                                std::vector<long double> const& weights, long double temperature,
                                long double class_weight, long double batch_weight) {
  auto const batch = distributions(z, t, weights, temperature);
  coupled_truth result = batch.empty_truth();
  if (batch.total == 0) return result;
  result.value_scale = 0;
  std::size_t const rows = z.size(), classes = z[0].size();
  exact_matrix g(rows, exact_row(classes, 0)), error = g;
  add_gram_distance(transposed(batch.q), transposed(batch.p), weights,
                    class_weight / static_cast<long double>(classes), result,
                    [&](std::size_t c, std::size_t r, long double slope, long double size) {
                      g[r][c] += slope, error[r][c] += size;
                    });
  // Rows times the root of their weights.
  exact_matrix x = batch.q, y = batch.p;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < classes; ++c)
      x[r][c] *= std::sqrt(weights[r]), y[r][c] *= std::sqrt(weights[r]);
  }
  add_gram_distance(x, y, exact_row(classes, 1), batch_weight / batch.total, result,
                    [&](std::size_t r, std::size_t c, long double slope, long double size) {
                      g[r][c] += slope * std::sqrt(weights[r]), error[r][c] += size * std::sqrt(weights[r]);
                    });
  for (std::size_t r = 0; r < rows; ++r) {
    if (weights[r] == 0) continue;
    result.gradient[r] = reference::softmax_pull_back(z[r], g[r], temperature);
    long double const likely = *std::max_element(batch.q[r].begin(), batch.q[r].end());
    long double const largest = *std::max_element(error[r].begin(), error[r].end());
    result.gradient_scale[r] = static_cast<double>(2 * likely * largest / temperature);
  }
  return result;
}

template <class Case, auto const& loss, bool OfClasses>
struct gram_case : coupled_case<Case, loss> {
  static std::vector<setting> settings() {
    return {{.label = "T=1"}, {.label = "T=4", .temperature = 4}, {.label = "T=0.5", .temperature = 0.5}};
  }
  static gram_options options(setting const& s, coupled_rows const& rows, bool accumulate) {
    return {.temperature = s.temperature, .weight = s.weight, .rows = rows, .accumulate = accumulate};
  }
  static coupled_truth of(exact_matrix const& z, exact_matrix const& t,
                          std::vector<long double> const& weights, setting const& s) {
    return gram_truth(z, t, weights, s.temperature, OfClasses ? 1 : 0, OfClasses ? 0 : 1);
  }
};

}  // namespace distil::testing
