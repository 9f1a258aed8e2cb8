#include "../support/divergence_player.hpp"
#include "distil/response/adaptive_kl.hpp"
#include "distil/response/negative_log_overlap.hpp"
#include "distil/response/overlap_hybrid.hpp"
#include "distil/response/renyi.hpp"

/// Divergences that are functions of several sums against PyTorch and, at the extremes, against exact arithmetic.
namespace distil::testing {
namespace {

template <class T>
vector_players<T> const players = {
    {"adaptive_kl",
     [](auto& b) {
       return play_divergence<adaptive_kl>(b, adaptive_kl_options{.head_mass = b.number("head_mass")});
     }},
    {"negative_log_overlap",
     [](auto& b) { return play_divergence<negative_log_overlap>(b, divergence_options{}); }},
    {"overlap_hybrid",
     [](auto& b) {
       return play_divergence<overlap_hybrid>(
           b, overlap_hybrid_options{.overlap_decay = b.number("overlap_decay")});
     }},
    {"renyi", [](auto& b) { return play_divergence<renyi>(b, renyi_options{.alpha = b.number("alpha")}); }},
    {"renyi_2", [](auto& b) { return play_divergence<renyi>(b, renyi_options{.alpha = 2.0}); }}};

TEST(vectors, of_functions_of_sums) { expect_vectors("divergences.txt", players<double>, 25); }

/// The gradient of -log a is known to the rounding of log a.
template <class T>
exact_scale of_log_overlap(vector_batch<T> const& batch) {
  return {1.0, (1.0 + batch.source.number("negative_log_overlap")) / batch.number("temperature")};
}

/// The weight of the two sides is known to the rounding of the largest |log p - log q|.
template <class T>
exact_scale of_adaptive_weight(vector_batch<T> const& batch) {
  double const temperature = batch.number("temperature");
  auto const q = logarithms_of(batch.student, temperature), p = logarithms_of(batch.teacher, temperature);
  double largest = 1.0;
  for (std::size_t i = 0; i < q.size(); ++i) largest = std::max(largest, 1.0 + std::abs(p[i] - q[i]));
  return {largest, largest / temperature};
}

template <class T>
void expect_exact_sums() {
  expect_exact<T>("adaptive_kl", players<T>.at("adaptive_kl"), adaptive_kl_function::bound,
                  of_adaptive_weight<T>);
  expect_exact<T>("negative_log_overlap", players<T>.at("negative_log_overlap"),
                  negative_log_overlap_function::bound, of_log_overlap<T>, true);
  expect_exact<T>("overlap_hybrid", players<T>.at("overlap_hybrid"), overlap_hybrid_function::bound,
                  of_divergence<T>, true);
  expect_exact<T>("renyi", players<T>.at("renyi"), renyi_function::bound, of_divergence<T>);
  expect_exact<T>("renyi_2", players<T>.at("renyi_2"), renyi_function::bound, of_divergence<T>);
}

TEST(exact_vectors, of_functions_of_sums_in_float) { expect_exact_sums<float>(); }
TEST(exact_vectors, of_functions_of_sums_in_double) { expect_exact_sums<double>(); }

}  // namespace
}  // namespace distil::testing
