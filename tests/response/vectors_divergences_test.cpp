#include "../support/divergence_player.hpp"
#include "distil/response/jeffreys.hpp"
#include "distil/response/jensen_shannon.hpp"
#include "distil/response/normalized_jensen_shannon.hpp"
#include "distil/response/skew_kl.hpp"
#include "distil/response/skew_reverse_kl.hpp"

/// Divergences made of Kullback-Leibler's against PyTorch (the papers' formulas, and the public code that has them) and,
/// at the extremes, against exact arithmetic.
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
    {"normalized_jensen_shannon",
     [](auto& b) {
       return play_divergence<normalized_jensen_shannon>(
           b, normalized_jensen_shannon_options{.teacher_mix = b.number("teacher_mix")});
     }},
    {"skew_kl",
     [](auto& b) { return play_divergence<skew_kl>(b, skew_kl_options{.skew = b.number("skew")}); }},
    {"skew_reverse_kl", [](auto& b) {
       return play_divergence<skew_reverse_kl>(
           b, skew_reverse_kl_options{.skew = b.number("skew"), .detach_mixture = b.is("detach_mixture")});
     }}};

TEST(vectors, of_divergences) { expect_vectors("divergences.txt", players<double>, 40); }

template <class T>
void expect_exact_divergences() {
  auto const expect = [](char const* loss, error_bound bound) {
    expect_exact<T>(loss, players<T>.at(loss), bound, of_divergence<T>);
  };
  expect("jeffreys", jeffreys_function::bound);
  expect("jensen_shannon", jensen_shannon_function::bound);
  expect("normalized_jensen_shannon", normalized_jensen_shannon_function::bound);
  expect("skew_kl", skew_kl_function::bound);
  expect("skew_reverse_kl", skew_reverse_kl_function::bound);
}

TEST(exact_vectors, of_divergences_in_float) { expect_exact_divergences<float>(); }
TEST(exact_vectors, of_divergences_in_double) { expect_exact_divergences<double>(); }

}  // namespace
}  // namespace distil::testing
