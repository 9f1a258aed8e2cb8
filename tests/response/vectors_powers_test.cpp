#include "../support/divergence_player.hpp"
#include "distil/response/alpha_beta.hpp"
#include "distil/response/amari_alpha.hpp"
#include "distil/response/renyi.hpp"

/// Divergences of powers of the probabilities against PyTorch and, at the extremes, against exact arithmetic.
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
    {"renyi", [](auto& b) { return play_divergence<renyi>(b, renyi_options{.alpha = b.number("alpha")}); }},
    {"renyi_2", [](auto& b) { return play_divergence<renyi>(b, renyi_options{.alpha = 2.0}); }}};

TEST(vectors, of_powers) { expect_vectors("divergences.txt", players<double>, 28); }

template <class T>
void expect_exact_powers() {
  auto const expect = [](char const* loss, error_bound bound) {
    expect_exact<T>(loss, players<T>.at(loss), bound, of_divergence<T>);
  };
  expect("alpha_beta", alpha_beta_function::bound);
  expect("amari_alpha", amari_alpha_function::bound);
  expect("renyi", renyi_function::bound);
  expect("renyi_2", renyi_function::bound);
}

TEST(exact_vectors, of_powers_in_float) { expect_exact_powers<float>(); }
TEST(exact_vectors, of_powers_in_double) { expect_exact_powers<double>(); }

}  // namespace
}  // namespace distil::testing
