#include "../support/vector_replay.hpp"
#include "distil/response/adaptive_kl.hpp"
#include "distil/response/brier_divergence.hpp"
#include "distil/response/jeffreys.hpp"
#include "distil/response/jensen_shannon.hpp"
#include "distil/response/mean_squared_logits.hpp"
#include "distil/response/negative_log_overlap.hpp"
#include "distil/response/normalized_jensen_shannon.hpp"
#include "distil/response/overlap_hybrid.hpp"
#include "distil/response/skew_kl.hpp"
#include "distil/response/skew_reverse_kl.hpp"
#include "distil/response/total_variation.hpp"

/// Divergences against PyTorch: the papers' formulas, and the public code that has them.
namespace distil::testing {
namespace {

template <auto const& loss, class T, class Options>
loss_value play(vector_batch<T>& batch, Options options) {
  options.temperature = batch.temperature();
  options.rows = batch.masked_row();
  options.temperature_gradient = batch.slopes();
  if constexpr (requires { options.scale_by_temperature_squared; }) {
    options.scale_by_temperature_squared = batch.squared();
  }
  return loss.with_grad(batch.z(), batch.t(), batch.g(), options);
}

template <class T>
mean_squared_logits_options squares(vector_batch<T> const& batch) {
  return {.classes = batch.word("classes") == "sum" ? over_classes::sum : over_classes::mean,
          .centred = batch.is("centred"),
          .relative = batch.is("relative")};
}

template <class T>
vector_players<T> const players = {
    {"adaptive_kl",
     [](auto& b) { return play<adaptive_kl>(b, adaptive_kl_options{.head_mass = b.number("head_mass")}); }},
    {"brier_divergence", [](auto& b) { return play<brier_divergence>(b, divergence_options{}); }},
    {"jeffreys",
     [](auto& b) { return play<jeffreys>(b, jeffreys_options{.forward_weight = b.number("forward_weight")}); }},
    {"jensen_shannon",
     [](auto& b) {
       return play<jensen_shannon>(b, jensen_shannon_options{.teacher_mix = b.number("teacher_mix")});
     }},
    {"mean_squared_logits", [](auto& b) { return play<mean_squared_logits>(b, squares(b)); }},
    {"negative_log_overlap", [](auto& b) { return play<negative_log_overlap>(b, divergence_options{}); }},
    {"normalized_jensen_shannon",
     [](auto& b) {
       return play<normalized_jensen_shannon>(
           b, normalized_jensen_shannon_options{.teacher_mix = b.number("teacher_mix")});
     }},
    {"overlap_hybrid",
     [](auto& b) {
       return play<overlap_hybrid>(b, overlap_hybrid_options{.overlap_decay = b.number("overlap_decay")});
     }},
    {"skew_kl", [](auto& b) { return play<skew_kl>(b, skew_kl_options{.skew = b.number("skew")}); }},
    {"skew_reverse_kl",
     [](auto& b) {
       return play<skew_reverse_kl>(b, skew_reverse_kl_options{.skew = b.number("skew"),
                                                               .detach_mixture = b.is("detach_mixture")});
     }},
    {"total_variation", [](auto& b) { return play<total_variation>(b, divergence_options{}); }}};

TEST(vectors, of_divergences_in_double) { expect_vectors("divergences.txt", players<double>, 80); }

}  // namespace
}  // namespace distil::testing
