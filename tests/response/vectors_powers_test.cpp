#include "../support/divergence_player.hpp"
#include "distil/response/alpha_beta.hpp"
#include "distil/response/amari_alpha.hpp"
#include "distil/response/brier_divergence.hpp"
#include "distil/response/total_variation.hpp"

/// Divergences of powers and differences of the probabilities against PyTorch and, at the extremes, against exact
/// arithmetic.
namespace distil::testing {
namespace {

template <class T>
vector_players<T> const players = {
    {"alpha_beta",
     [](auto& b) {
       return play_divergence<alpha_beta>(
           b, alpha_beta_options{.alpha = b.number("alpha"), .beta = b.number("beta")});
     }},
    {"amari_alpha",
     [](auto& b) {
       return play_divergence<amari_alpha>(b, amari_alpha_options{.alpha = b.number("alpha")});
     }},
    {"brier_divergence", [](auto& b) { return play_divergence<brier_divergence>(b, divergence_options{}); }},
    {"total_variation", [](auto& b) { return play_divergence<total_variation>(b, divergence_options{}); }}};

TEST(vectors, of_powers) { expect_vectors("divergences.txt", players<double>, 30); }

template <class T>
void expect_exact_powers() {
  auto const expect = [](char const* loss, error_bound bound, bool of_signs = false) {
    expect_exact<T>(loss, players<T>.at(loss), bound, of_divergence<T>, of_signs);
  };
  expect("alpha_beta", alpha_beta_function::bound);
  expect("amari_alpha", amari_alpha_function::bound);
  expect("brier_divergence", brier_divergence_function::bound);
  expect("total_variation", total_variation_function::bound, true);
}

TEST(exact_vectors, of_powers_in_float) { expect_exact_powers<float>(); }
TEST(exact_vectors, of_powers_in_double) { expect_exact_powers<double>(); }

}  // namespace
}  // namespace distil::testing
