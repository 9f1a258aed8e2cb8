#pragma once

#include "distil/matrix/sum_over_layers.hpp"

/// Recipes of transformers, which sum losses over their layers by `sum_over_layers`.
///
/// TinyBERT (Jiao et al. 2020), student of M layers, teacher of N, all weights 1; first the layers, then the prediction:
///
///   auto const of_attention = distil::sum_over_layers.with_grad(
///       distil::uniform_layers(M, N), attention_gradients, [&](distil::layer_match match, auto const& gradient) {
///         return distil::attention_scores.with_grad(attention[match.student], teacher_attention[match.teacher], gradient);
///       });
///   auto const of_states = distil::sum_over_layers.with_grad(
///       distil::uniform_hidden_states(M, N), projected_gradients, [&](distil::layer_match match, auto const& gradient) {
///         return distil::hint.with_grad(projected[match.student], teacher_states[match.teacher], gradient);
///       });
///   // then distil::soft_cross_entropy at temperature 1, divided by the classes in the published code
///
/// DistilBERT (Sanh et al. 2019): 5 of the divergence at temperature 2 with its factor 4, 2 of the masked words' cross
/// entropy, 1 of the cosine distance of the last states of D features, which is D / 2 of `hint` with unit positions:
///
///   auto const objective = distil::fuse(5.0 * distil::forward_kl.term(teacher_logits, {.temperature = 2}),
///                                       2.0 * distil::cross_entropy.term(labels));
///   std::vector<distil::layer_match> const last = {{.student = 5, .teacher = 11, .weight = D / 2.0}};
///   // by sum_over_layers of distil::hint, {.normalize = distil::hint_normalization::positions, .weights = token_mask}
///
/// MiniLM (Wang et al. 2020): `cross_relation` of queries and keys and `self_relation` of values in the last layer, with the
/// model's own heads, both of weight 1. MiniLMv2 (2021): `minilm_v2`.
///
/// Temperatures of their own: `matches[k].temperature` is handed to the call, which passes it on to losses that have one:
///
///   auto matches = distil::uniform_layers(4, 12);
///   for (std::size_t k = 0; k < matches.size(); ++k) matches[k].temperature = 1.0 + static_cast<double>(k);
///   distil::sum_over_layers.with_grad(matches, gradients, [&](distil::layer_match match, auto const& gradient) {
///     return distil::attention_divergence.with_grad(attention[match.student], teacher_attention[match.teacher], gradient,
///                                                   {.temperature = match.temperature});
///   });
