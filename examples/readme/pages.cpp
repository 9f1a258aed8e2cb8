#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "distil/attention/attention_divergence.hpp"
#include "distil/attention/attention_scores.hpp"
#include "distil/attention/sum_over_layers.hpp"
#include "distil/feature/hint.hpp"
#include "distil/relation/relational_angle.hpp"
#include "distil/relation/relational_distance.hpp"
#include "distil/response/binary_kd.hpp"
#include "distil/response/common_vocabulary.hpp"
#include "distil/response/fuse.hpp"
#include "distil/response/hinton_kd.hpp"
#include "distil/response/soft_cross_entropy.hpp"
#include "distil/response/top_k.hpp"
#include "distil/schedule.hpp"

/// What pages show, in functions that nobody calls: the compiler reads all of it and makes no code. What runs is in the tests
/// of the losses.

// CONTRIBUTING.md: a divergence of one's own.
struct squared_hellinger_function {
  static constexpr char const* name = "squared_hellinger";  // for error messages

  template <class Lanes>
  Lanes value(Lanes log_p, Lanes log_q) const {  // summand of the divergence, in nats
    Lanes const difference = exp(0.5 * log_p) - exp(0.5 * log_q);
    return 0.5 * difference * difference;
  }
  template <class Lanes>
  Lanes d_log_q(Lanes log_p, Lanes log_q) const {  // its derivative with respect to log q
    return -0.5 * exp(0.5 * log_q) * (exp(0.5 * log_p) - exp(0.5 * log_q));
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {
inline constexpr distil::divergence<squared_hellinger_function> squared_hellinger{};
}

namespace {

using matrix = distil::matrix_view<float>;
using maps = std::vector<distil::feature_map<float>>;

// README.md: a sum of losses.
double of_a_sum(matrix logits, matrix teacher_logits, std::vector<int> const& labels, matrix logits_gradient,
                matrix features, matrix teacher_features, matrix features_gradient) {
  double loss = distil::hinton_kd.with_grad(logits, teacher_logits, labels, logits_gradient,
                                            {.temperature = 4.0F, .soft_weight = 0.9});
  loss += distil::hint.with_grad(features, teacher_features, features_gradient, {.weight = 100});
  loss += distil::relational_distance.with_grad(features, teacher_features, features_gradient,
                                                {.weight = 25, .accumulate = true});  // RKD
  loss += distil::relational_angle.with_grad(features, teacher_features, features_gradient,
                                             {.weight = 50, .accumulate = true});
  return loss;
}

// Response losses: top-k teachers and fused terms.
double of_top_k(matrix student, distil::matrix_view<int> ids, matrix values,
                std::vector<int> const& entries_of_each_row, std::vector<float> const& stored_tail_mass,
                matrix gradient) {
  double loss = 0;
  auto teacher = distil::top_k(ids, values,
                               {.form = distil::teacher_form::log_probabilities,
                                .tail = distil::tail_policy::bucket,
                                .captured_at = 1,                     // temperature of the cache
                                .counts = entries_of_each_row,        // all of them, if left out
                                .log_tail_mass = stored_tail_mass});  // 1 - P, if left out
  loss = distil::forward_kl.with_grad(student, teacher, gradient, {.temperature = 2.0F});
  return loss;
}

double of_fused_terms(matrix student, matrix teacher_a, matrix teacher_b, std::vector<int> const& labels,
                      matrix gradient) {
  auto objective = distil::fuse(0.3 * distil::cross_entropy.term(labels, {.label_smoothing = 0.1}),
                                0.5 * distil::forward_kl.term(teacher_a, {.temperature = 4.0F}),
                                0.2 * distil::soft_cross_entropy.term(teacher_b, {.temperature = 2.0F}));
  auto loss = objective.with_grad(student, gradient);  // loss.terms[1] is the first divergence alone
  return loss;
}

double of_icarl(matrix student, matrix old_network, matrix one_hot, matrix gradient) {
  distil::index const known = old_network.columns;
  auto const old_classes = [&](matrix all) { return distil::first_columns(all, known); };
  auto const new_classes = [&](matrix all) {
    return matrix(all.data + known, all.rows, all.columns - known, all.row_stride);
  };
  double loss = distil::binary_kd.with_grad(old_classes(student), old_network, old_classes(gradient),
                                            {.elements = distil::over_elements::row_sum, .soft_weight = 1});
  loss += distil::binary_cross_entropy.with_grad(new_classes(student), one_hot, new_classes(gradient),
                                                 {.elements = distil::over_elements::row_sum});
  return loss;
}

// Schedules.
void schedules(matrix student, matrix teacher, std::vector<int> const& labels, matrix grad,
               std::int64_t total_steps, double epoch, double validation_loss) {
  using namespace distil::schedule;
  auto const temperature = three_stage() | clamp(1, 5) | over(total_steps);
  auto const soft_weight = presets::soft_weight_decay() | over(total_steps);

  for (std::int64_t step = 0; step < total_steps; ++step) {
    distil::hinton_kd.with_grad(student, teacher, labels, grad,
                                {.temperature = temperature.at(step), .soft_weight = soft_weight.at(step)});
  }

  [&] {
    auto const total = total_steps;
    auto const within = cosine(8, 0.5) | clamp(1, 5);   // never outside the range
    auto const shifts = cosine(8, 1) | power_of_two();  // 8, 4, 2, 1
    auto const hard_weight = 1.0 - soft_weight;         // + - * with schedules and with numbers
    auto const warmed = warm_up(20) * (cosine(0.9, 0.4) | over(100));  // 20 steps up, 100 in all
    auto const steps =
        linear(1, 4) | over(20) | then(cosine(4, 1) | over(80));  // one after the other, 100 steps
    // the same in shares of any run
    auto const shares = linear(1, 4) | over(0.2) | then(cosine(4, 1) | over(0.8)) | over(total);
    return within(0.5) + shifts(0.5) + hard_weight.at(1) + warmed.at(1) + steps.at(1) + shares.at(1);
  }();
  [&] {
    on_plateau temperature(4, {.goal = metric_goal::minimise, .patience = 3, .minimum = 1, .maximum = 8});
    double const now = temperature.observe(validation_loss);  // once a check
    return now;
  }();
  [&] {
    curriculum_temperature temperature;                // CTKD: 1 + 20 sigmoid(theta), against the loss
    auto const strength = presets::ctkd_curriculum();  // the share of that which counts, epoch by epoch
    std::array<double, 1> by_temperature;
    distil::hinton_kd.with_grad(student, teacher, labels, grad,
                                {.temperature = temperature.value(), .temperature_gradient = by_temperature});
    temperature.step(by_temperature[0], strength.at(epoch));
  }();
}

// Sums over layers.
double of_layers(maps const& student, maps const& teacher, maps const& gradients) {
  auto const loss = distil::sum_over_layers.with_grad(
      distil::uniform_layers(4, 12), gradients, [&](distil::layer_match match, auto const& gradient) {
        return distil::attention_scores.with_grad(student[match.student], teacher[match.teacher], gradient);
      });
  return loss;
}

double of_tiny_bert(maps const& attention, maps const& teacher_attention, maps const& attention_gradients,
                    maps const& projected, maps const& teacher_states, maps const& projected_gradients, int M,
                    int N) {
  auto const of_attention = distil::sum_over_layers.with_grad(
      distil::uniform_layers(M, N), attention_gradients,
      [&](distil::layer_match match, auto const& gradient) {
        return distil::attention_scores.with_grad(attention[match.student], teacher_attention[match.teacher],
                                                  gradient);
      });
  auto const of_states = distil::sum_over_layers.with_grad(
      distil::uniform_hidden_states(M, N), projected_gradients,
      [&](distil::layer_match match, auto const& gradient) {
        return distil::hint.with_grad(projected[match.student], teacher_states[match.teacher], gradient);
      });
  // then distil::soft_cross_entropy at temperature 1, divided by the classes in the published code
  return of_attention + of_states;
}

std::vector<distil::layer_match> of_distil_bert(matrix student, matrix teacher_logits,
                                                std::vector<int> const& labels, matrix gradient, int D) {
  auto const objective = distil::fuse(5.0 * distil::forward_kl.term(teacher_logits, {.temperature = 2}),
                                      2.0 * distil::cross_entropy.term(labels));
  std::vector<distil::layer_match> const last = {{.student = 5, .teacher = 11, .weight = D / 2.0}};
  // by sum_over_layers of distil::hint, {.normalize = distil::hint_normalization::positions, .weights = token_mask}
  objective.with_grad(student, gradient);
  return last;
}

void of_temperatures(maps const& attention, maps const& teacher_attention, maps const& gradients) {
  auto matches = distil::uniform_layers(4, 12);
  for (std::size_t k = 0; k < matches.size(); ++k) matches[k].temperature = 1.0 + static_cast<double>(k);
  distil::sum_over_layers.with_grad(matches, gradients, [&](distil::layer_match match, auto const& gradient) {
    return distil::attention_divergence.with_grad(attention[match.student], teacher_attention[match.teacher],
                                                  gradient, {.temperature = match.temperature});
  });
}

}  // namespace
