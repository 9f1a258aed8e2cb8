#pragma once

#include "vector_replay.hpp"

/// Losses held against arithmetic of hundreds of digits, within the bounds that they state.
namespace distil::testing {

/// Multiplies what a loss's bound is relative to: of the value |exact| + value * (1 + log C), of the gradient the size in
/// the file, or 1, times `gradient`.
struct exact_scale {
  double value, gradient;
};

/// log softmax(logits / temperature), naively.
template <class T>
std::vector<double> logarithms_of(std::vector<T> const& logits, double temperature) {
  double top = -std::numeric_limits<double>::infinity(), sum = 0.0;
  for (T const logit : logits) top = std::max(top, double(logit) / temperature);
  for (T const logit : logits) sum += std::exp(double(logit) / temperature - top);
  std::vector<double> result;
  for (T const logit : logits) result.push_back(double(logit) / temperature - top - std::log(sum));
  return result;
}

/// Whether some class is about as probable for both sides, where a sign is that of the rounding.
template <class T>
bool has_ties(vector_batch<T> const& batch) {
  double const temperature = batch.number("temperature");
  auto const q = logarithms_of(batch.student, temperature), p = logarithms_of(batch.teacher, temperature);
  for (std::size_t i = 0; i < q.size(); ++i) {
    double const rounding = 8 * double(std::numeric_limits<T>::epsilon()) * (1.0 + std::abs(q[i]));
    if (q[i] != p[i] && std::abs(q[i] - p[i]) < rounding) return true;
  }
  return false;
}

template <class T>
void expect_exact(std::string const& loss, vector_player<T> play, error_bound bound,
                  exact_scale (*scale)(vector_batch<T> const&), bool of_signs = false) {
  constexpr double epsilon = std::numeric_limits<T>::epsilon(), smallest = std::numeric_limits<T>::min();
  int compared = 0;
  for (vector_case const& source :
       reference::load_vectors(reference::vectors_path("exact_divergences.txt"))) {
    vector_batch<T> batch(source);
    double const exact = source.number(loss);
    std::string const where =
        source.name + " " + loss + (std::is_same_v<T, float> ? " in float" : " in double");
    exact_scale const relative = scale(batch);
    loss_value const found = play(batch);
    double const size = std::abs(exact) + relative.value * (1.0 + std::log(double(batch.columns)));
    EXPECT_TRUE(close(found.value, exact, bound.value * epsilon * size + smallest)) << where;
    ++compared;
    if (of_signs && has_ties(batch)) continue;
    double const of_gradient = source.has(loss + "_size") ? source.number(loss + "_size") : 1.0;
    auto const& gradient = source.table(loss + "_gradient").numbers;
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      EXPECT_TRUE(close(double(batch.gradient[i]), gradient[i],
                        bound.gradient * epsilon * of_gradient * relative.gradient + smallest))
          << where << ", gradient " << i;
    }
  }
  EXPECT_GE(compared, 30) << loss;
}

/// Of a divergence without the factor T^2.
template <class T>
exact_scale of_divergence(vector_batch<T> const& batch) {
  return {1.0, 1.0 / batch.number("temperature")};
}

}  // namespace distil::testing
