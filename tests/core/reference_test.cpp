#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "../support/reference.hpp"
#include "../support/reference_gradient.hpp"
#include "../support/vectors.hpp"

/// The references against PyTorch's autograd and against 400-digit arithmetic: twelve digits, and beside them
/// only the rounding of the terms that a double has to subtract.
namespace distil::reference {
namespace {

void expect_near(double actual, double expected, double rounding, std::string const& what) {
  if (actual == expected) return;
  EXPECT_LE(std::abs(actual - expected), 1e-12 * std::abs(expected) + rounding)
      << what << ": " << actual << " instead of " << expected;
}

void expect_near(row<double> const& actual, row<double> const& expected, double rounding,
                 std::string const& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (std::size_t c = 0; c < actual.size(); ++c)
    expect_near(actual[c], expected[c], rounding, what + "[" + std::to_string(c) + "]");
}

/// One row of a case with its options, as the references want them.
struct inputs {
  row<double> student;
  row<double> upstream;
  double temperature;
  teacher_form form;
  distribution<double> teacher;
  target<double> wanted;
  hinton_options<double> hinton;
};

row<double> row_or_nothing(vector_case const& source, std::string const& name, std::size_t r) {
  return source.has(name) ? source.table(name).row(r) : row<double>{};
}

target<double> target_of(vector_case const& source, std::size_t r) {
  target_options<double> options;
  options.label_smoothing = source.option("label_smoothing", 0.0);
  if (source.option("smoothing", "all_classes") == "other_classes")
    options.convention = smoothing_convention::other_classes;
  options.class_weights = row_or_nothing(source, "class_weights", 0);
  std::size_t const classes = source.table("student").columns;
  auto const labelled = [&](std::string const& name) {
    return label_target(classes, static_cast<std::int64_t>(source.table(name).row(r)[0]), options);
  };
  if (source.has("targets")) return soft_target(source.table("targets").row(r), options);
  if (source.has("second_labels"))
    return mixed_target(labelled("labels"), labelled("second_labels"), source.table("share").row(r)[0]);
  if (source.has("labels")) return labelled("labels");
  return {row<double>(classes, 0), 1};
}

distribution<double> teacher_of(vector_case const& source, std::size_t r, double temperature) {
  if (!source.has("teacher")) return {};
  row<double> const teacher = source.table("teacher").row(r);
  std::string const form = source.option("teacher", "logits");
  if (form == "probabilities") return from_probabilities(teacher);
  return form == "logits" ? from_logits(teacher, temperature) : from_log_probabilities(teacher);
}

inputs inputs_of(vector_case const& source, std::size_t r) {
  double const temperature =
      source.has("temperature") ? source.table("temperature").row(r)[0] : source.option("temperature", 1.0);
  return {.student = source.table("student").row(r),
          .upstream = row_or_nothing(source, "upstream", r),
          .temperature = temperature,
          .form = source.option("teacher", "logits") == "logits" ? teacher_form::logits : teacher_form::given,
          .teacher = teacher_of(source, r, temperature),
          .wanted = target_of(source, r),
          .hinton = {temperature, source.option("soft_weight", 1.0), source.option("hard_weight", 0.0),
                     source.option("scale_by_temperature_squared", 1.0) != 0}};
}

/// What a reference says of one row. `result` is of the losses that are maps.
struct outputs {
  row_loss<double> loss = {};
  row<double> gradient = {};
  double by_temperature = 0;
  row<double> result = {};
};

outputs reference_of(std::string const& loss, inputs const& in) {
  row<double> const& z = in.student;
  double const T = in.temperature;
  distribution<double> const q = from_logits(z, T);
  if (loss == "softmax")
    return {{},
            softmax_pull_back(z, in.upstream, T),
            softmax_pull_back_by_temperature(z, in.upstream, T),
            softmax(z, T)};
  if (loss == "log_softmax")
    return {{},
            log_softmax_pull_back(z, in.upstream, T),
            log_softmax_pull_back_by_temperature(z, in.upstream, T),
            log_softmax(z, T)};
  if (loss == "log_sum_exp")
    return {{log_sum_exp(z, T), 1}, log_sum_exp_gradient(z, T), log_sum_exp_by_temperature(z, T)};
  if (loss == "entropy") return {entropy(z, T), entropy_gradient(z, T), entropy_by_temperature(z, T)};
  if (loss == "cross_entropy") return {cross_entropy(z, in.wanted), cross_entropy_gradient(z, in.wanted)};
  if (loss == "forward_kl")
    return {forward_kl(in.teacher, q), forward_kl_gradient(z, in.teacher, T),
            forward_kl_by_temperature(in.teacher, q, in.form, T)};
  if (loss == "soft_cross_entropy")
    return {soft_cross_entropy(in.teacher, q), forward_kl_gradient(z, in.teacher, T),
            soft_cross_entropy_by_temperature(in.teacher, q, in.form, T)};
  if (loss == "reverse_kl")
    return {reverse_kl(in.teacher, q), reverse_kl_gradient(z, in.teacher, T),
            reverse_kl_by_temperature(in.teacher, q, in.form, T)};
  if (loss == "squared_hellinger")
    return {squared_hellinger(in.teacher, q), squared_hellinger_gradient(z, in.teacher, T),
            squared_hellinger_by_temperature(in.teacher, q, in.form, T)};
  if (loss == "hinton_kd")
    return {hinton_kd(z, in.teacher, in.wanted, in.hinton),
            hinton_kd_gradient(z, in.teacher, in.wanted, in.hinton),
            hinton_kd_by_temperature(z, in.teacher, in.form, in.wanted, in.hinton)};
  throw std::invalid_argument("no reference for " + loss);
}

/// The largest logit over the temperature, times T^2 where the loss has it: the size of the terms of a sum.
double size_of_terms(inputs const& in) {
  double largest = 1;
  for (double const logit : in.student)
    if (std::isfinite(logit)) largest = std::max(largest, std::abs(logit) / in.temperature);
  return largest * std::max(1.0, in.temperature * in.temperature);
}

class torch_vectors : public testing::TestWithParam<std::string> {};

TEST_P(torch_vectors, agree_in_value_and_gradient) {
  for (vector_case const& source : load_vectors(vectors_path(GetParam() + ".txt"))) {
    std::size_t const rows = source.table("student").rows;
    std::vector<outputs> found;
    std::vector<row_loss<double>> losses;
    double rounding = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      inputs const in = inputs_of(source, r);
      rounding = std::max(rounding, 1e-15 * size_of_terms(in));
      found.push_back(reference_of(source.loss, in));
      losses.push_back(found.back().loss);
    }
    batch_options<double> options{.mean = source.option("reduction", "sum") == "mean",
                                  .row_weights = {},
                                  .normalizer = source.option("normalizer", 0.0)};
    if (source.has("row_weights")) options.row_weights = source.table("row_weights").numbers;
    batch_loss<double> const batch = reduce(losses, options);

    if (!source.has("result")) expect_near(batch.value, source.number("value"), rounding, source.name);
    double by_temperature = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      std::string const where = source.name + " row " + std::to_string(r);
      row<double> gradient = found[r].gradient;
      for (double& entry : gradient) entry *= batch.row_factors[r];
      expect_near(gradient, source.table("gradient").row(r), rounding, where + " gradient");
      if (source.has("values"))
        expect_near(losses[r].value, source.table("values").row(r)[0], rounding, where);
      if (source.has("result"))
        expect_near(found[r].result, source.table("result").row(r), rounding, where + " result");
      double const slope = batch.row_factors[r] * found[r].by_temperature;
      by_temperature += slope;
      if (source.has("temperature"))
        expect_near(slope, source.table("gradient_by_temperature").row(r)[0], rounding,
                    where + " by temperature");
    }
    if (source.has("gradient_by_temperature") && !source.has("temperature"))
      expect_near(by_temperature, source.number("gradient_by_temperature"), rounding,
                  source.name + " by temperature");
  }
}

INSTANTIATE_TEST_SUITE_P(losses, torch_vectors,
                         testing::Values("softmax", "log_softmax", "log_sum_exp", "entropy", "cross_entropy",
                                         "forward_kl", "soft_cross_entropy", "reverse_kl",
                                         "squared_hellinger", "hinton_kd"),
                         [](auto const& each) { return each.param; });

class exact_vectors : public testing::TestWithParam<std::string> {};

TEST_P(exact_vectors, agree_in_value_and_gradient) {
  std::string const loss = GetParam();
  bool const subtracts = loss != "entropy" && loss != "cross_entropy" && loss != "soft_cross_entropy";
  std::size_t compared = 0;
  for (vector_case const& source : load_vectors(vectors_path("exact.txt"))) {
    if (!source.has(loss)) continue;
    inputs const in = inputs_of(source, 0);
    outputs const found = reference_of(loss, in);
    double const rounding = 1e-15 * std::max(1.0, in.temperature * in.temperature);
    expect_near(found.loss.value, source.number(loss), subtracts ? rounding : 0, source.name);
    std::string const gradient = loss == "soft_cross_entropy" ? "forward_kl_gradient" : loss + "_gradient";
    row<double> picked = found.gradient;
    if (source.has("classes")) {
      picked.clear();
      for (double const index : source.table("classes").numbers)
        picked.push_back(found.gradient[static_cast<std::size_t>(index)]);
    }
    expect_near(picked, source.table(gradient).row(0), rounding / in.temperature, source.name + " gradient");
    if (source.has(loss + "_by_temperature"))
      expect_near(found.by_temperature, source.number(loss + "_by_temperature"), rounding / in.temperature,
                  source.name + " by temperature");
    ++compared;
  }
  EXPECT_GE(compared, 14U);
}

INSTANTIATE_TEST_SUITE_P(losses, exact_vectors,
                         testing::Values("log_sum_exp", "entropy", "cross_entropy", "forward_kl",
                                         "soft_cross_entropy", "hinton_kd"),
                         [](auto const& each) { return each.param; });

}  // namespace
}  // namespace distil::reference
