#include <gtest/gtest.h>

#include <optional>

#include "../support/vector_replay.hpp"
#include "distil/response/cross_entropy.hpp"
#include "distil/response/entropy.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/hinton_kd.hpp"
#include "distil/response/log_softmax.hpp"
#include "distil/response/log_sum_exp.hpp"
#include "distil/response/soft_cross_entropy.hpp"
#include "distil/response/softmax.hpp"
#include "distil/response/teacher.hpp"

/// The losses against what others computed: PyTorch's autograd in float64, and 400-digit arithmetic at the
/// extremes.
namespace distil::testing {
namespace {

/// A case of one of the losses below.
template <class T>
struct replay : vector_batch<T> {
  using base = vector_batch<T>;
  using base::columns, base::labels, base::rows, base::source, base::student, base::z, base::t, base::g;
  using base::row, base::slopes, base::squared, base::temperature;

  std::vector<T> targets;
  std::vector<std::int64_t> second_labels;
  std::vector<float> class_weights;
  std::vector<double> share;

  explicit replay(vector_case const& from)
      : base(from),
        targets(base::template numbers_of<T>("targets")),
        second_labels(base::template numbers_of<std::int64_t>("second_labels")),
        class_weights(base::template numbers_of<float>("class_weights")),
        share(base::template numbers_of<double>("share")) {}

  /// Calls `use(teacher)` with the teacher in the form the case has it.
  template <class Use>
  loss_value with_teacher(Use const& use) {
    if constexpr (std::is_same_v<T, double>) {
      std::string const form = source.option("teacher", "logits");
      if (form == "probabilities") return use(probabilities(t()));
      if (form == "log_probabilities") return use(log_probabilities(t()));
    }
    return use(t());
  }

  loss_value divergence(auto const& loss) {
    divergence_options const options{.temperature = temperature(),
                                     .scale_by_temperature_squared = squared(),
                                     .rows = row(),
                                     .temperature_gradient = slopes()};
    return with_teacher([&](auto const& form) { return loss.with_grad(z(), form, g(), options); });
  }

  loss_value hinton() {
    hinton_kd_options const options{.temperature = temperature(),
                                    .scale_by_temperature_squared = squared(1.0),
                                    .soft_weight = source.option("soft_weight", 1.0),
                                    .hard_weight = source.option("hard_weight", 0.0),
                                    .label_smoothing = source.option("label_smoothing", 0.0),
                                    .rows = row(),
                                    .temperature_gradient = slopes()};
    return with_teacher([&](auto const& form) -> loss_value {
      if (labels.empty()) return distil::hinton_kd.with_grad(z(), form, g(), options);
      return distil::hinton_kd.with_grad(z(), form, labels, g(), options);
    });
  }

  loss_value cross_entropy() {
    cross_entropy_options options{
        .label_smoothing = source.option("label_smoothing", 0.0),
        .smoothing_over = source.option("smoothing", "all_classes") == "other_classes"
                              ? smoothing::other_classes
                              : smoothing::all_classes,
        .rows = row()};
    if (!class_weights.empty()) options.class_weights = class_weights;
    if (!targets.empty()) {
      return distil::cross_entropy.with_grad(z(), matrix_view<T const>(targets.data(), rows, columns), g(),
                                             options);
    }
    if (!second_labels.empty()) {
      return distil::cross_entropy.with_grad(z(), mixed_labels{labels, second_labels, share}, g(), options);
    }
    return distil::cross_entropy.with_grad(z(), labels, g(), options);
  }

  loss_value of_logits(auto const& loss) {
    return loss.with_grad(z(), g(),
                          {.temperature = temperature(), .rows = row(), .temperature_gradient = slopes()});
  }

  /// The map and its pull-back; the outputs must be the `result` of the case.
  loss_value map(auto const& function, double allowed) {
    std::vector<double> output(student.size());
    matrix_view<double> const y(output.data(), rows, columns);
    function(z(), y, {.temperature = temperature()});
    std::vector<T> upstream = base::template numbers_of<T>("upstream");
    function.pull_back(y, matrix_view<T const>(upstream.data(), rows, columns), g(),
                       {.temperature = temperature()});
    for (std::size_t i = 0; i < output.size(); ++i) {
      double const expected = source.table("result").numbers[i];
      EXPECT_TRUE(close(output[i], expected, allowed * std::max(1.0, std::abs(expected)))) << source.name;
    }
    return {source.has("value") ? source.number("value") : 0.0, 0.0};
  }

  std::optional<loss_value> run(std::string const& loss, double allowed) {
    if (loss == "softmax") return map(distil::softmax, allowed);
    if (loss == "log_softmax") return map(distil::log_softmax, allowed);
    if (loss == "log_sum_exp") return of_logits(distil::log_sum_exp);
    if (loss == "entropy") return of_logits(distil::entropy);
    if (loss == "cross_entropy") return cross_entropy();
    if (loss == "forward_kl") return divergence(distil::forward_kl);
    if (loss == "soft_cross_entropy") return divergence(distil::soft_cross_entropy);
    if (loss == "hinton_kd") return hinton();
    return std::nullopt;
  }
};

char const* const losses[] = {"softmax",       "log_softmax", "log_sum_exp",        "entropy",
                              "cross_entropy", "forward_kl",  "soft_cross_entropy", "hinton_kd"};

class vectors : public ::testing::TestWithParam<char const*> {};

void expect_torch(std::string const& loss) {
  using T = double;
  int compared = 0;
  for (vector_case const& source : reference::load_vectors(reference::vectors_path(loss + ".txt"))) {
    // Probabilities in the files are rounded to float: their rows sum to one to seven digits, and distil
    // normalises.
    bool const rounded = source.option("teacher", "logits") != "logits";
    double const epsilon = rounded ? std::max(1e-7, double(std::numeric_limits<T>::epsilon()))
                                   : double(std::numeric_limits<T>::epsilon());
    double const allowed = 32 * epsilon * size_of(source);
    replay<T> run(source);
    loss_value const found = run.run(loss, allowed).value();
    if (source.has("value")) {
      EXPECT_TRUE(close(found.value, source.number("value"),
                        allowed + 8 * epsilon * std::abs(source.number("value"))))
          << source.name;
    }
    for (std::size_t i = 0; i < run.gradient.size(); ++i) {
      EXPECT_TRUE(close(double(run.gradient[i]), source.table("gradient").numbers[i], allowed))
          << source.name << " gradient " << i;
    }
    if (source.has("values")) {
      for (std::size_t r = 0; r < run.values.size(); ++r) {
        EXPECT_TRUE(close(run.values[r], source.table("values").numbers[r], 4 * allowed))
            << source.name << " row " << r;
      }
    }
    if (run.wants_slope() && loss != "softmax" && loss != "log_softmax") {
      for (std::size_t i = 0; i < run.slope.size(); ++i) {
        double const expected = source.table("gradient_by_temperature").numbers[i];
        EXPECT_TRUE(close(run.slope[i], expected, 4 * allowed * size_of(source)))
            << source.name << " by temperature";
      }
    }
    ++compared;
  }
  EXPECT_GE(compared, 4) << loss;
}

TEST_P(vectors, of_pytorch) { expect_torch(GetParam()); }

INSTANTIATE_TEST_SUITE_P(response, vectors, ::testing::ValuesIn(losses),
                         [](auto const& each) { return std::string(each.param); });

template <class T>
void expect_exact(std::string const& loss, error_bound bound) {
  int compared = 0;
  for (vector_case const& source : reference::load_vectors(reference::vectors_path("exact.txt"))) {
    if (!source.has(loss)) continue;
    replay<T> run(source);
    double const epsilon = std::numeric_limits<T>::epsilon();
    double const temperature = source.option("temperature", 1.0);
    bool const squared = loss == "hinton_kd" && run.squared(1.0);
    double const hard = loss == "hinton_kd" ? source.option("hard_weight", 0.0) : 0.0;
    double const factor = squared ? temperature * temperature : 1.0;
    double top = 0;  // the value of log_sum_exp grows with its largest logit
    if (loss == "log_sum_exp") {
      for (double const logit : source.table("student").numbers)
        top = std::max(top, std::abs(logit) / temperature);
    }
    loss_value const found = run.run(loss, 0.0).value();
    double const exact = source.number(loss);
    double const value_scale =
        (hard + factor) * (1 + std::log(static_cast<double>(run.columns))) + std::abs(exact) + top;
    EXPECT_TRUE(
        close(found.value, exact, bound.value * epsilon * value_scale + std::numeric_limits<T>::min()))
        << source.name << " " << loss;
    std::string const name = (loss == "soft_cross_entropy" ? "forward_kl" : loss) + "_gradient";
    auto const& gradient = source.table(name).numbers;
    double const gradient_scale = hard + factor / (loss == "cross_entropy" ? 1.0 : temperature);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      std::size_t const at =
          source.has("classes") ? static_cast<std::size_t>(source.table("classes").numbers[i]) : i;
      EXPECT_TRUE(close(double(run.gradient[at]), gradient[i],
                        bound.gradient * epsilon * gradient_scale + std::numeric_limits<T>::min()))
          << source.name << " " << name << " " << at;
    }
    ++compared;
  }
  EXPECT_GE(compared, 14) << loss;
}

TEST(exact_vectors, of_log_sum_exp) {
  expect_exact<float>("log_sum_exp", log_sum_exp_loss::bound);
  expect_exact<double>("log_sum_exp", log_sum_exp_loss::bound);
}
TEST(exact_vectors, of_entropy) {
  expect_exact<float>("entropy", entropy_loss::bound);
  expect_exact<double>("entropy", entropy_loss::bound);
}
TEST(exact_vectors, of_cross_entropy) {
  expect_exact<float>("cross_entropy", cross_entropy_loss::bound);
  expect_exact<double>("cross_entropy", cross_entropy_loss::bound);
}
TEST(exact_vectors, of_forward_kl) {
  expect_exact<float>("forward_kl", forward_kl_function::bound);
  expect_exact<double>("forward_kl", forward_kl_function::bound);
}
TEST(exact_vectors, of_soft_cross_entropy) {
  expect_exact<float>("soft_cross_entropy", soft_cross_entropy_function::bound);
  expect_exact<double>("soft_cross_entropy", soft_cross_entropy_function::bound);
}
TEST(exact_vectors, of_hinton_kd) {
  expect_exact<float>("hinton_kd", hinton_kd_loss::bound);
  expect_exact<double>("hinton_kd", hinton_kd_loss::bound);
}

}  // namespace
}  // namespace distil::testing
