#include "../support/divergence_player.hpp"
#include "distil/response/brier_divergence.hpp"
#include "distil/response/mean_squared_logits.hpp"
#include "distil/response/negative_log_overlap.hpp"
#include "distil/response/overlap_hybrid.hpp"
#include "distil/response/total_variation.hpp"

/// Distances and overlaps against PyTorch and, at the extremes, against exact arithmetic.
namespace distil::testing {
namespace {

template <class T>
vector_players<T> const players = {
    {"brier_divergence", [](auto& b) { return play_divergence<brier_divergence>(b, divergence_options{}); }},
    {"mean_squared_logits",
     [](auto& b) {
       return play_divergence<mean_squared_logits>(
           b, mean_squared_logits_options{
                  .classes = b.word("classes") == "sum" ? over_classes::sum : over_classes::mean,
                  .centred = b.is("centred"),
                  .relative = b.is("relative")});
     }},
    {"negative_log_overlap",
     [](auto& b) { return play_divergence<negative_log_overlap>(b, divergence_options{}); }},
    {"overlap_hybrid",
     [](auto& b) {
       return play_divergence<overlap_hybrid>(
           b, overlap_hybrid_options{.overlap_decay = b.number("overlap_decay")});
     }},
    {"total_variation", [](auto& b) { return play_divergence<total_variation>(b, divergence_options{}); }}};

TEST(vectors, of_distances) { expect_vectors("divergences.txt", players<double>, 35); }

/// Its gradient is known to the rounding of the logarithm of the overlap.
template <class T>
exact_scale of_log_overlap(vector_batch<T> const& batch) {
  return {1.0, (1.0 + batch.source.number("negative_log_overlap")) / batch.number("temperature")};
}

template <class T>
void expect_exact_distances() {
  auto const expect = [](char const* loss, error_bound bound, auto scale) {
    expect_exact<T>(loss, players<T>.at(loss), bound, scale, true);
  };
  expect("brier_divergence", brier_divergence_function::bound, of_divergence<T>);
  expect("negative_log_overlap", negative_log_overlap_function::bound, of_log_overlap<T>);
  expect("overlap_hybrid", overlap_hybrid_function::bound, of_divergence<T>);
  expect("total_variation", total_variation_function::bound, of_divergence<T>);
}

TEST(exact_vectors, of_distances_in_float) { expect_exact_distances<float>(); }
TEST(exact_vectors, of_distances_in_double) { expect_exact_distances<double>(); }

}  // namespace
}  // namespace distil::testing
