#include "../support/vector_replay.hpp"
#include "distil/response/list_maximum_likelihood.hpp"
#include "distil/response/margin_mse.hpp"
#include "distil/response/mean_squared_logits.hpp"
#include "distil/response/pairwise_hinge.hpp"
#include "distil/response/pairwise_logistic.hpp"

/// Losses of scores and of the order of candidates against PyTorch: the papers' formulas, and sentence-transformers'.
namespace distil::testing {
namespace {

using batch = vector_batch<double>;

/// Of all columns, or of the candidates that the case names.
template <auto const& loss, class Options>
loss_value rank(batch& b, Options options) {
  options.temperature = b.temperature();
  options.top = static_cast<index>(b.number("top"));
  options.rows = b.masked_row();
  if (!b.source.has("ids")) return loss.with_grad(b.z(), b.t(), b.g(), options);
  auto const ids = b.numbers_of<std::int64_t>("ids");
  auto const candidates = b.numbers_of<double>("candidates");
  index const count = static_cast<index>(b.source.table("ids").columns);
  return loss.with_grad(b.z(),
                        ranked_candidates(matrix_view<std::int64_t const>(ids.data(), b.rows, count),
                                          matrix_view<double const>(candidates.data(), b.rows, count)),
                        b.g(), options);
}

pairwise_options pairs(batch const& b) {
  return {.margin = b.number("margin"),
          .margin_is = b.word("margin_is") == "constant" ? pair_margin::constant
                                                         : pair_margin::times_teacher_difference,
          .pairs = b.word("pairs") == "mean" ? pair_reduction::mean : pair_reduction::sum};
}

loss_value squares(batch& b) {
  return mean_squared_logits.with_grad(
      b.z(), b.t(), b.g(),
      {.temperature = b.temperature(),
       .classes = b.word("classes") == "sum" ? over_classes::sum : over_classes::mean,
       .centred = b.is("centred"),
       .relative = b.is("relative"),
       .rows = b.masked_row(),
       .temperature_gradient = b.slopes()});
}

vector_players<double> const players = {
    {"list_maximum_likelihood",
     [](batch& b) {
       return rank<list_maximum_likelihood>(
           b, list_maximum_likelihood_options{
                  .others = b.word("others") == "left_out" ? below_top::left_out : below_top::competing});
     }},
    {"margin_mse",
     [](batch& b) -> loss_value {
       return margin_mse.with_grad(b.z(), b.t(), b.g(), {.positives = b.labels, .rows = b.row()});
     }},
    {"mean_squared_logits", squares},
    {"pairwise_hinge", [](batch& b) { return rank<pairwise_hinge>(b, pairs(b)); }},
    {"pairwise_logistic", [](batch& b) { return rank<pairwise_logistic>(b, pairs(b)); }}};

TEST(vectors, of_rankings) { expect_vectors("rankings.txt", players, 22); }
TEST(vectors, of_squares) { expect_vectors("divergences.txt", players, 11); }

}  // namespace
}  // namespace distil::testing
