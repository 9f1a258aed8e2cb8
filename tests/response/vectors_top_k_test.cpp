#include "../support/vector_replay.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/jensen_shannon.hpp"
#include "distil/response/reverse_kl.hpp"
#include "distil/response/top_k.hpp"

/// Teachers known at a few classes against PyTorch: each policy for the others, and the public code that has it.
namespace distil::testing {
namespace {

using batch = vector_batch<double>;

template <auto const& loss, class Options>
loss_value sparse(batch& b, Options options) {
  static std::map<std::string, teacher_form> const forms = {
      {"logits", teacher_form::logits},
      {"log_probabilities", teacher_form::log_probabilities},
      {"probabilities", teacher_form::probabilities}};
  static std::map<std::string, tail_policy> const tails = {
      {"truncate", tail_policy::truncate},
      {"renormalise_teacher", tail_policy::renormalise_teacher},
      {"renormalise_both", tail_policy::renormalise_both},
      {"bucket", tail_policy::bucket},
      {"uniform", tail_policy::uniform},
      {"floor", tail_policy::floor}};
  auto const ids = b.numbers_of<std::int64_t>("ids");
  auto const values = b.numbers_of<double>("cached");
  index const k = static_cast<index>(b.source.table("ids").columns);
  top_k_options of_teacher{.form = forms.at(b.word("form")), .tail = tails.at(b.word("tail"))};
  if (!b.word("captured_at").empty()) of_teacher.captured_at = b.number("captured_at");
  if (b.word("bucket_shape") == "one_class") of_teacher.bucket_shape = tail_shape::one_class;
  if (!b.word("log_floor").empty()) of_teacher.log_floor = b.number("log_floor");
  options.temperature = b.temperature();
  options.scale_by_temperature_squared = b.squared();
  options.rows = b.row();
  options.temperature_gradient = b.slopes();
  return loss.with_grad(b.z(),
                        top_k(matrix_view<std::int64_t const>(ids.data(), b.rows, k),
                              matrix_view<double const>(values.data(), b.rows, k), of_teacher),
                        b.g(), options);
}

vector_players<double> const players = {
    {"forward_kl", [](batch& b) { return sparse<forward_kl>(b, divergence_options{}); }},
    {"jensen_shannon", [](batch& b) { return sparse<jensen_shannon>(b, jensen_shannon_options{}); }},
    {"reverse_kl", [](batch& b) { return sparse<reverse_kl>(b, divergence_options{}); }}};

TEST(vectors, of_top_k_teachers) { expect_vectors("top_k.txt", players, 24); }

}  // namespace
}  // namespace distil::testing
