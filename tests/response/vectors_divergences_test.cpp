#include "../support/divergence_player.hpp"
#include "distil/response/jeffreys.hpp"
#include "distil/response/jensen_shannon.hpp"
#include "distil/response/normalized_jensen_shannon.hpp"

/// Symmetric divergences against PyTorch (the papers' formulas, and the public code that has them) and, at the extremes,
/// against exact arithmetic.
namespace distil::testing {
namespace {

template <class T>
vector_players<T> const players = {
    {"jeffreys",
     [](auto& b) {
       return play_divergence<jeffreys>(b, jeffreys_options{.forward_weight = b.number("forward_weight")});
     }},
    {"jensen_shannon",
     [](auto& b) {
       return play_divergence<jensen_shannon>(b,
                                              jensen_shannon_options{.teacher_mix = b.number("teacher_mix")});
     }},
    {"normalized_jensen_shannon", [](auto& b) {
       return play_divergence<normalized_jensen_shannon>(
           b, normalized_jensen_shannon_options{.teacher_mix = b.number("teacher_mix")});
     }}};

TEST(vectors, of_divergences) { expect_vectors("divergences.txt", players<double>, 25); }

template <class T>
void expect_exact_divergences() {
  auto const expect = [](char const* loss, error_bound bound) {
    expect_exact<T>(loss, players<T>.at(loss), bound, of_divergence<T>);
  };
  expect("jeffreys", jeffreys_function::bound);
  expect("jensen_shannon", jensen_shannon_function::bound);
  expect("normalized_jensen_shannon", normalized_jensen_shannon_function::bound);
}

TEST(exact_vectors, of_divergences_in_float) { expect_exact_divergences<float>(); }
TEST(exact_vectors, of_divergences_in_double) { expect_exact_divergences<double>(); }

}  // namespace
}  // namespace distil::testing
