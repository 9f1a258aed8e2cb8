#pragma once

#include "pair_case.hpp"

/// Similarities of embeddings and what contrastive losses make of them, in long double.
namespace distil::testing::naive {

using table = std::vector<std::vector<long double>>;

inline table embeddings(exact_map const& map, bool unit) {
  table result;
  for (index n = 0; n < map.samples(); ++n) {
    std::vector<long double> row;
    long double squares = 0;
    for (index c = 0; c < map.channels(); ++c) {
      row.push_back(map(n, c));
      squares += row.back() * row.back();
    }
    for (long double& each : row) each /= unit && squares > 0 ? std::sqrt(squares) : 1;
    result.push_back(row);
  }
  return result;
}

inline table similarities(table const& a, table const& b) {
  table result;
  for (auto const& one : a) {
    result.emplace_back();
    for (auto const& other : b) {
      long double sum = 0;
      for (std::size_t c = 0; c < one.size(); ++c) sum += one[c] * other[c];
      result.back().push_back(sum);
    }
  }
  return result;
}

inline table turned(table const& from) {
  table result(from.empty() ? 0 : from.front().size());
  for (auto const& row : from) {
    for (std::size_t c = 0; c < row.size(); ++c) result[c].push_back(row[c]);
  }
  return result;
}

inline std::vector<long double> log_softmax(std::vector<long double> const& row, long double scale) {
  long double sum = 0, top = *std::max_element(row.begin(), row.end());
  for (long double const each : row) sum += std::exp(scale * (each - top));
  std::vector<long double> result;
  for (long double const each : row) result.push_back(scale * (each - top) - std::log(sum));
  return result;
}

/// The mean over rows of -log softmax(scale S) at the row's own column.
inline long double own_entry_loss(table const& similarity, long double scale) {
  long double sum = 0;
  for (std::size_t i = 0; i < similarity.size(); ++i) sum -= log_softmax(similarity[i], scale)[i];
  return similarity.empty() ? 0 : sum / static_cast<long double>(similarity.size());
}

/// The mean over rows of KL(p || q), or of the cross entropy.
inline long double teacher_loss(table const& student, long double scale, table const& teacher,
                                long double teacher_scale, bool cross_entropy = false) {
  long double sum = 0;
  for (std::size_t i = 0; i < student.size(); ++i) {
    auto const log_q = log_softmax(student[i], scale), log_p = log_softmax(teacher[i], teacher_scale);
    for (std::size_t j = 0; j < log_q.size(); ++j)
      sum += std::exp(log_p[j]) * ((cross_entropy ? 0 : log_p[j]) - log_q[j]);
  }
  return student.empty() ? 0 : sum / static_cast<long double>(student.size());
}

inline double length_of_row(exact_map const& map, index n) {
  long double squares = 0;
  for (index c = 0; c < map.channels(); ++c) squares += map(n, c) * map(n, c);
  return static_cast<double>(std::sqrt(squares));
}
inline double shortest(exact_map const& map) {
  double result = std::numeric_limits<double>::infinity();
  for (index n = 0; n < map.samples(); ++n) result = std::min(result, length_of_row(map, n));
  return result;
}
inline double longest(exact_map const& map) {
  double result = 0;
  for (index n = 0; n < map.samples(); ++n) result = std::max(result, length_of_row(map, n));
  return result;
}

}  // namespace distil::testing::naive
