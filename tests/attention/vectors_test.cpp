#include "../support/tensor_replay.hpp"
#include "distil/attention.hpp"

/// Losses between attention maps, and between the relations of tokens, against PyTorch.
namespace distil::testing {
namespace {

attention_heads heads_of(tensor_case const& b) {
  return b.one_of<attention_heads>(
      "heads",
      {{"each", attention_heads::each}, {"mean", attention_heads::mean}, {"sum", attention_heads::sum}});
}

attention_divergence_kind kind_of(tensor_case const& b) {
  return b.says("kind", "kl") ? attention_divergence_kind::kl : attention_divergence_kind::cross_entropy;
}

row_parameter temperature_of(tensor_case const& b) {
  bool const one = !b.has("temperature") || b.numbers("temperature").size() == 1;
  return one ? row_parameter(b.has("temperature") ? b.numbers("temperature")[0] : 1.0)
             : row_parameter(b.numbers("temperature"));
}

double scores(tensor_case& b) {
  attention_scores_options options{.masked_to = b.number("masked_to"), .heads = heads_of(b)};
  if (b.is("mask")) {
    options.tokens.keys = b.numbers("tokens");
    options.tokens.weights = b.numbers("tokens");
  }
  return attention_scores.with_grad(b.map("student"), b.map("teacher"), b.gradient_map("student"), options);
}

double divergence(tensor_case& b) {
  std::vector<std::int64_t> const lengths =
      b.has("lengths") ? b.integers("lengths") : std::vector<std::int64_t>();
  attention_divergence_options options{
      .temperature = temperature_of(b),
      .scale_by_temperature_squared = b.is("squared"),
      .kind = kind_of(b),
      .heads = heads_of(b),
      .dropped_to = b.number("dropped_to"),
      .reduce = b.says("reduce", "mean") ? attention_reduction::mean : attention_reduction::sequence_mean,
      .temperature_gradient = b.gradient("temperature")};
  options.tokens.lengths = lengths;
  return attention_divergence.with_grad(b.map("student"), b.map("teacher"), b.gradient_map("student"),
                                        options);
}

/// Reads the options; `lengths` must outlive them.
relation_options options_of(tensor_case& b, std::vector<std::int64_t>& lengths) {
  if (b.has("lengths")) lengths = b.integers("lengths");
  relation_options options{.temperature = temperature_of(b),
                           .scale_by_temperature_squared = b.is("squared"),
                           .heads = static_cast<index>(b.number("relation_heads")),
                           .kind = kind_of(b),
                           .temperature_gradient = b.gradient("temperature")};
  options.tokens.lengths = lengths;
  return options;
}

double of_self(tensor_case& b) {
  std::vector<std::int64_t> lengths;
  return self_relation.with_grad(b.tokens("student"), b.tokens("teacher"), b.gradient_tokens("student"),
                                 options_of(b, lengths));
}

double of_others(tensor_case& b) {
  std::vector<std::int64_t> lengths;
  return cross_relation.with_grad(
      related_states{b.tokens("student"), b.tokens("student_keys")},
      related_states{b.tokens("teacher"), b.tokens("teacher_keys")},
      related_states{b.gradient_tokens("student"), b.gradient_tokens("student_keys")},
      options_of(b, lengths));
}

double of_three(tensor_case& b) {
  std::vector<std::int64_t> lengths;
  return minilm_v2.with_grad(
      attention_states{b.tokens("student"), b.tokens("student_keys"), b.tokens("student_values")},
      attention_states{b.tokens("teacher"), b.tokens("teacher_keys"), b.tokens("teacher_values")},
      attention_states{b.gradient_tokens("student"), b.gradient_tokens("student_keys"),
                       b.gradient_tokens("student_values")},
      {.weights = {b.number("query_weight"), b.number("key_weight"), b.number("value_weight")},
       .relation = options_of(b, lengths)});
}

TEST(vectors, of_attention) {
  expect_tensors("attention.txt", {{"attention_divergence", divergence},
                                   {"attention_scores", scores},
                                   {"cross_relation", of_others},
                                   {"minilm_v2", of_three},
                                   {"self_relation", of_self}});
}

}  // namespace
}  // namespace distil::testing
