#include "../support/divergence_player.hpp"
#include "distil/response/reverse_kl.hpp"
#include "distil/response/skew_kl.hpp"
#include "distil/response/skew_reverse_kl.hpp"

/// Reverse and skewed Kullback-Leibler divergences against PyTorch and, at the extremes, against exact arithmetic.
namespace distil::testing {
namespace {

template <class T>
vector_players<T> const players = {
    {"reverse_kl", [](auto& b) { return play_divergence<reverse_kl>(b, divergence_options{}); }},
    {"skew_kl",
     [](auto& b) { return play_divergence<skew_kl>(b, skew_kl_options{.skew = b.number("skew")}); }},
    {"skew_reverse_kl", [](auto& b) {
       return play_divergence<skew_reverse_kl>(
           b, skew_reverse_kl_options{.skew = b.number("skew"), .detach_mixture = b.is("detach_mixture")});
     }}};

TEST(vectors, of_skewed_divergences) { expect_vectors("divergences.txt", players<double>, 20); }

template <class T>
void expect_exact_skewed() {
  auto const expect = [](char const* loss, error_bound bound) {
    expect_exact<T>(loss, players<T>.at(loss), bound, of_divergence<T>);
  };
  expect("reverse_kl", reverse_kl_function::bound);
  expect("skew_kl", skew_kl_function::bound);
  expect("skew_reverse_kl", skew_reverse_kl_function::bound);
}

TEST(exact_vectors, of_skewed_divergences_in_float) { expect_exact_skewed<float>(); }
TEST(exact_vectors, of_skewed_divergences_in_double) { expect_exact_skewed<double>(); }

}  // namespace
}  // namespace distil::testing
