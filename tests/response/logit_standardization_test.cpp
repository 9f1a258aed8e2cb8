#include "distil/response/logit_standardization.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/logit_standardization.hpp"
#include "../support/refusal.hpp"
#include "distil/response.hpp"

namespace distil::testing {
namespace {

row_suites<logit_standardization_case> const suites("logit_standardization");

/// Rows with mean 0 and deviation 1, as a matrix.
owned_matrix<double> standardized_rows(owned_matrix<double> const& logits, index rows, index columns) {
  owned_matrix<double> result(rows, columns, layout::row_major);
  for (index r = 0; r < rows; ++r) {
    auto const row = reference::standardized(logits.row<long double>(r), 1e-7L);
    for (index c = 0; c < columns; ++c)
      result.set(r, c, static_cast<double>(row[static_cast<std::size_t>(c)]));
  }
  return result;
}

TEST(logit_standardization, of_hinton_kd_leaves_the_labels_at_the_logits_themselves) {
  batch<double> b(7, 30);
  b.labels[2] = -100;
  auto const z = standardized_rows(b.student, 7, 30), t = standardized_rows(b.teacher, 7, 30);
  double const hard = cross_entropy(b.student.view(), b.labels);
  double const soft = forward_kl(z.view(), t.view(), {.temperature = 2, .rows = {.labels = b.labels}});
  auto const loss = standardized(hinton_kd);
  auto const found = loss.with_grad(b.student.view(), b.teacher.view(), b.labels, b.gradient.view());
  EXPECT_NEAR(found.hard, hard, 1e-13);
  EXPECT_NEAR(found.soft, soft, 1e-13);
  EXPECT_NEAR(found.value, 0.1 * hard + 9 * soft, 1e-12);
  EXPECT_EQ(found.weight, 6.0);
  EXPECT_EQ(loss(b.student.view(), b.teacher.view(), b.labels).value, found.value);
  // The gradient is the sum of both terms' own.
  owned_matrix<double> sum(7, 30, layout::row_major);
  row_options const taught{.labels = b.labels};
  standardized(forward_kl).with_grad(b.student.view(), b.teacher.view(), sum.view(), {.rows = taught});
  for (index r = 0; r < 7; ++r) {
    for (index c = 0; c < 30; ++c) sum.set(r, c, 9 * sum.at(r, c));
  }
  owned_matrix<double> of_labels(7, 30, layout::row_major);
  cross_entropy.with_grad(b.student.view(), b.labels, of_labels.view());
  for (index r = 0; r < 7; ++r) {
    for (index c = 0; c < 30; ++c) {
      EXPECT_NEAR(b.gradient.at(r, c), sum.at(r, c) + 0.1 * of_labels.at(r, c), 1e-13);
    }
  }
  auto const unlabelled =
      loss.with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), {.soft_weight = 2});
  EXPECT_NEAR(unlabelled.value, 2 * forward_kl(z.view(), t.view(), {.temperature = 2}), 1e-12);
  EXPECT_EQ(unlabelled.hard.weight, 0.0);
  auto const samples =
      loss(b.student.view(), b.teacher.view(), b.labels, {.ignored = ignored_label::hard_term_only});
  EXPECT_EQ(samples.soft.weight, 7.0);
  EXPECT_EQ(samples.hard.weight, 6.0);
}

struct reverse_kl_function {  // no d_log_p: the gradient needs none
  template <class Lanes>
  Lanes value(Lanes log_p, Lanes log_q) const {
    return zero_safe_product(exp(log_q), log_q - log_p);
  }
  template <class Lanes>
  Lanes d_log_q(Lanes log_p, Lanes log_q) const {
    return zero_safe_product(exp(log_q), log_q - log_p + 1);
  }
};

TEST(logit_standardization, wraps_any_divergence) {
  constexpr divergence<reverse_kl_function> reverse{};
  batch<double> b(5, 6);
  double const found =
      standardized(reverse).with_grad(b.student.view(), b.teacher.view(), b.gradient.view(),
                                      {.temperature = 1.5, .rows = {.reduce = reduction::sum}});
  double expected = 0;
  for (index r = 0; r < 5; ++r) {
    auto const p =
        reference::from_logits(reference::standardized(b.teacher.row<long double>(r), 1e-7L), 1.5L);
    auto const loss = [&](exact_row const& z) {
      return 2.25L *
             reference::reverse_kl(p, reference::from_logits(reference::standardized(z, 1e-7L), 1.5L)).value;
    };
    auto const z = b.student.row<long double>(r);
    expected += static_cast<double>(loss(z));
    auto const gradient = reference::gradient(loss, z);
    for (index c = 0; c < 6; ++c) {
      EXPECT_NEAR(b.gradient.at(r, c), static_cast<double>(gradient[static_cast<std::size_t>(c)]), 1e-11);
    }
  }
  EXPECT_NEAR(found, expected, 1e-12);
}

/// Another loss, with labels or without: that of standardized rows, and its central differences.
template <class Loss, class Options, class... Labels>
void expect_standardized(Loss const& loss, Options const& options, Labels const&... labels) {
  batch<double> b(6, 9);
  b.student.set(2, 3, minus_infinity), b.teacher.set(2, 3, minus_infinity);
  auto const z = standardized_rows(b.student, 6, 9), t = standardized_rows(b.teacher, 6, 9);
  double const expected = loss(z.view(), t.view(), labels..., options);
  auto const wrapped = standardized(loss);
  double const found =
      wrapped.with_grad(b.student.view(), b.teacher.view(), labels..., b.gradient.view(), options);
  EXPECT_NEAR(found, expected, 1e-13);
  EXPECT_EQ(static_cast<double>(wrapped(b.student.view(), b.teacher.view(), labels..., options)), found);
  for (index r = 0; r < 6; ++r) {
    for (index c = 0; c < 9; ++c) {
      double const here = b.student.at(r, c), step = 1e-5;
      if (here == minus_infinity) {
        EXPECT_EQ(b.gradient.at(r, c), 0.0);
        continue;
      }
      auto const moved = [&](double by) -> double {
        b.student.set(r, c, here + by);
        return wrapped(b.student.view(), b.teacher.view(), labels..., options);
      };
      double const slope = (moved(step) - moved(-step)) / (2 * step);
      (void)moved(0);
      EXPECT_NEAR(b.gradient.at(r, c), slope, 1e-8) << r << ", " << c;
    }
  }
  // In place, added, and on several threads.
  owned_matrix<double> sum(6, 9, layout::class_major), in_place(6, 9, layout::row_major);
  for (index r = 0; r < 6; ++r) {
    for (index c = 0; c < 9; ++c) sum.set(r, c, 1), in_place.set(r, c, b.student.at(r, c));
  }
  Options adding = options;
  adding.accumulate = true;
  wrapped.with_grad(parallel_policy{2}, b.student.view(), b.teacher.view(), labels..., sum.view(), adding);
  wrapped.with_grad(in_place.view(), b.teacher.view(), labels..., in_place.view(), options);
  for (index r = 0; r < 6; ++r) {
    for (index c = 0; c < 9; ++c) {
      EXPECT_EQ(sum.at(r, c), 1 + b.gradient.at(r, c));
      EXPECT_EQ(in_place.at(r, c), b.gradient.at(r, c));
    }
  }
}

TEST(logit_standardization, wraps_any_other_loss) {
  std::vector<int> const labels = {1, 8, 0, -100, 4, 1};
  expect_standardized(decoupled_kd, decoupled_kd_options{.temperature = 2, .non_target_weight = 0.5}, labels);
  expect_standardized(normalized_kd, normalized_kd_options{.rows = {.weights = 2}}, labels);
  expect_standardized(prediction_correlation, prediction_correlation_options{.temperature = 2});
}

TEST(logit_standardization, weighs_any_other_loss) {
  batch<double> b(6, 9), weighed(6, 9);
  std::vector<double> slope(1), weighed_slope(1);
  decoupled_kd_options options{.temperature = 2, .temperature_gradient = slope};
  double const one = standardized(decoupled_kd)
                         .with_grad(b.student.view(), b.teacher.view(), b.labels, b.gradient.view(), options);
  options.temperature_gradient = weighed_slope;
  for (double const weight : {0.25, 0.0}) {
    if (weight == 0.0) weighed.student.set(2, 3, std::nan(""));
    auto const loss = standardized(decoupled_kd, {.weight = weight});
    EXPECT_DOUBLE_EQ(loss.with_grad(weighed.student.view(), weighed.teacher.view(), weighed.labels,
                                    weighed.gradient.view(), options),
                     weight * one);
    EXPECT_DOUBLE_EQ(weighed_slope[0], weight * slope[0]);
    EXPECT_DOUBLE_EQ(loss(weighed.student.view(), weighed.teacher.view(), weighed.labels),
                     weight * standardized(decoupled_kd)(b.student.view(), b.teacher.view(), b.labels));
    for (index r = 0; r < 6; ++r) {
      for (index c = 0; c < 9; ++c)
        EXPECT_NEAR(weighed.gradient.at(r, c), weight * b.gradient.at(r, c), 1e-15);
    }
  }
  EXPECT_EQ(refusal_of([&] {
              (void)standardized(decoupled_kd, {.weight = -1})(b.student.view(), b.teacher.view(), b.labels);
            }),
            "distil::logit_standardization: weight is -1; it must be finite and >= 0");
}

/// Losses of a student's and a teacher's logits, each with options of its own.
template <class... Losses>
constexpr bool wrapped_with_their_own_options(Losses const&...) {
  return (std::is_same_v<typename decltype(standardized(Losses{}))::options_type,
                         typename Losses::options_type> &&
          ...);
}
static_assert(wrapped_with_their_own_options(
    adaptive_alpha, adaptive_kl, alpha_beta, amari_alpha, jeffreys, jensen_shannon, normalized_jensen_shannon,
    overlap_hybrid, renyi, skew_kl, skew_reverse_kl, decoupled_kd, hard_distillation, margin_corrected_kl,
    normalized_kd, one_for_all, swapped_kl, temperature_matching, weighted_soft_label, norm_kd,
    dynamic_temperature_kd, batch_correlation, class_correlation, prediction_correlation, multi_level_logits,
    sinkhorn, list_maximum_likelihood, pairwise_hinge, pairwise_logistic, margin_mse, mean_squared_logits,
    sampled_kl, universal_logits, projected_kl, wasserstein_logits));

template <class... Losses>
constexpr bool wrapped_with_options_of_the_paper(Losses const&...) {
  return (std::is_same_v<typename decltype(standardized(Losses{}))::options_type, standardization_options> &&
          ...);
}
static_assert(wrapped_with_options_of_the_paper(forward_kl, reverse_kl, soft_cross_entropy, total_variation,
                                                negative_log_overlap, brier_divergence));

TEST(logit_standardization, wraps_losses_with_what_they_take_besides) {
  expect_standardized(mean_squared_logits, mean_squared_logits_options{.temperature = 2});
  batch<double> b(4, 9);
  owned_matrix<double> cost(9, 9, layout::row_major);
  for (index r = 0; r < 9; ++r) {
    for (index c = 0; c < 9; ++c) cost.set(r, c, static_cast<double>((r - c) * (r - c)) / 64);
  }
  auto const z = standardized_rows(b.student, 4, 9), t = standardized_rows(b.teacher, 4, 9);
  EXPECT_NEAR(standardized(wasserstein_logits)(b.student.view(), b.teacher.view(), cost.view()),
              wasserstein_logits(z.view(), t.view(), cost.view()), 1e-13);
}

TEST(logit_standardization, of_losses_between_vocabularies_leaves_the_teacher_its_classes) {
  batch<double> b(4, 7), other(4, 12);
  auto const z = standardized_rows(b.student, 4, 7), t = standardized_rows(other.teacher, 4, 12);
  double const expected = universal_logits(z.view(), t.view());
  auto const loss = standardized(universal_logits);
  EXPECT_NEAR(loss.with_grad(b.student.view(), other.teacher.view(), b.gradient.view()), expected, 1e-13);
  EXPECT_EQ(refusal_of([&] { (void)loss(b.student.view(), batch<double>(3, 7).teacher.view()); }),
            "distil::logit_standardization: teacher is 3 x 7; it must be 4 x 7, the shape of the student");
}

// Inner and outer have rows of their own.
TEST(logit_standardization, of_itself_changes_nothing) {
  batch<double> b(5, 9), twice(5, 9);
  auto const once = standardized(mean_squared_logits);
  double const value = once.with_grad(b.student.view(), b.teacher.view(), b.gradient.view());
  double const again =
      standardized(once).with_grad(twice.student.view(), twice.teacher.view(), twice.gradient.view());
  EXPECT_NEAR(again, value, 1e-6 * value);
  for (index r = 0; r < 5; ++r) {
    for (index c = 0; c < 9; ++c) EXPECT_NEAR(twice.gradient.at(r, c), b.gradient.at(r, c), 1e-6);
  }
}

/// Whether epsilon can be set beside the loss.
template <class Loss>
concept takes_epsilon_beside = requires(Loss const& loss) {
  standardized(loss, {.epsilon = 1e-7});
};
static_assert(takes_epsilon_beside<decltype(decoupled_kd)> && takes_epsilon_beside<decltype(jensen_shannon)>);
static_assert(!takes_epsilon_beside<decltype(forward_kl)> && !takes_epsilon_beside<decltype(hinton_kd)>);

TEST(logit_standardization, has_one_epsilon_and_one_default) {
  batch<double> b(5, 9);
  auto const z = b.student.view(), t = b.teacher.view();
  double const value = standardized(forward_kl)(z, t);
  EXPECT_EQ(standardized(forward_kl)(z, t, {.temperature = 2, .epsilon = 1e-7}), value);
  EXPECT_EQ(standardized(hinton_kd)(z, t).soft, value);
  // Some of the paper's implementations have another.
  double expected = 0;
  for (index r = 0; r < 5; ++r) {
    auto const of = [&](owned_matrix<double> const& m) {
      return reference::from_logits(reference::standardized(m.row<long double>(r), 0.5L), 2.0L);
    };
    expected += static_cast<double>(4 * reference::forward_kl(of(b.teacher), of(b.student)).value) / 5;
  }
  EXPECT_NEAR(standardized(forward_kl)(z, t, {.epsilon = 0.5}), expected, 1e-13);
  EXPECT_NEAR(standardized(hinton_kd)(z, t, {.epsilon = 0.5}).soft, expected, 1e-13);
  jensen_shannon_options const softer{.temperature = 2};
  EXPECT_NE(standardized(jensen_shannon, {.epsilon = 0.5})(z, t, softer),
            standardized(jensen_shannon)(z, t, softer));
}

TEST(logit_standardization, of_any_other_loss_takes_every_storage_and_row) {
  batch<bfloat16, half, float> b(40, 33, 3.0, layout::class_major);
  batch<double> exact(40, 33);
  for (index r = 0; r < 40; ++r) {
    for (index c = 0; c < 33; ++c) {
      if (r == 3) b.student.set(r, c, 1.5);  // without spread
      if (r == 5) b.student.set(r, c, minus_infinity);
      exact.student.set(r, c, b.student.at(r, c)), exact.teacher.set(r, c, b.teacher.at(r, c));
    }
  }
  b.labels[7] = -100;
  b.student.set(7, 2, std::nan("")), exact.student.set(7, 2, std::nan(""));  // does not count
  auto const loss = standardized(decoupled_kd);
  double const found =
      loss.with_grad(b.student.view(), b.teacher.view(), b.labels, b.gradient.view(), {.temperature = 2});
  double const wanted = loss.with_grad(exact.student.view(), exact.teacher.view(), b.labels,
                                       exact.gradient.view(), {.temperature = 2});
  EXPECT_NEAR(found, wanted, 3e-5 * wanted);
  for (index r = 0; r < 40; ++r) {
    for (index c = 0; c < 33; ++c) {
      ASSERT_NEAR(b.gradient.at(r, c), exact.gradient.at(r, c), 1e-5);
      if (r == 5 || r == 7) {
        ASSERT_EQ(b.gradient.at(r, c), 0.0);
      }
    }
  }
  EXPECT_EQ(loss(b.student.view(), b.teacher.view(), b.labels).weight, 38.0);
}

TEST(logit_standardization, of_any_other_loss_refuses_before_it_writes) {
  batch<float> b(3, 4), wide(3, 5);
  auto const z = b.student.view(), t = b.teacher.view();
  b.gradient.set(0, 0, 42);
  auto const refused = [&](auto const& teacher, auto const& gradient, decoupled_kd_options const& options) {
    return refusal_of([&] { standardized(decoupled_kd).with_grad(z, teacher, b.labels, gradient, options); });
  };
  EXPECT_EQ(refused(t, wide.gradient.view(), {}),
            "distil::logit_standardization: gradient is 3 x 5; it must be 3 x 4, the shape of the student");
  EXPECT_EQ(refused(wide.teacher.view(), b.gradient.view(), {}),
            "distil::logit_standardization: teacher is 3 x 5; it must be 3 x 4, the shape of the student");
  EXPECT_EQ(refused(t, t, {}),
            "distil::logit_standardization: gradient is overlapping the teacher; it must be apart from the "
            "teacher");
  EXPECT_EQ(refused(t, b.gradient.view(), {.temperature = -1}),
            "distil::decoupled_kd: temperature is -1; it must be within [1e-15, 1e15]");
  EXPECT_EQ(refusal_of([&] { (void)standardized(decoupled_kd, {.epsilon = -1})(z, t, b.labels); }),
            "distil::logit_standardization: epsilon is -1; it must be finite and >= 0");
  EXPECT_EQ(b.gradient.at(0, 0), 42);
}

TEST(logit_standardization, does_not_see_the_size_of_logits) {
  for (index const columns : {8, 500}) {
    batch<float> b(6, columns), scaled(6, columns);
    for (index r = 0; r < 6; ++r) {
      for (index c = 0; c < columns; ++c) {
        scaled.student.set(r, c, 1024 * b.student.at(r, c)), scaled.teacher.set(r, c, b.teacher.at(r, c) / 4);
      }
    }
    double const value = standardized(forward_kl)(b.student.view(), b.teacher.view());
    EXPECT_NEAR(standardized(forward_kl)(scaled.student.view(), scaled.teacher.view()), value, 3e-6 * value);
  }
}

// What is left of a mean when it is summed in float would be as large as the deviation here.
TEST(logit_standardization, keeps_its_digits_far_from_zero) {
  for (index const columns : {10, 3000}) {
    batch<float> b(4, columns, 1.0);
    for (index r = 0; r < 4; ++r) {
      for (index c = 0; c < columns; ++c) b.student.set(r, c, 60000 + b.student.at(r, c));
    }
    setting const s{.label = "far", .temperature = 2};
    expect_reference<logit_standardization_case>(b, s, {}, "far from zero");
  }
}

/// Padding at the lowest number, on both sides or on one, and at both ends of the range: each a logit like others.
template <class T>
void expect_moments_in_range(double epsilon_of_type) {
  double const lowest = static_cast<double>(std::numeric_limits<T>::lowest());
  constexpr index rows = 6, classes = 8;
  double const padding[rows][2] = {{lowest, lowest},      {lowest, 0.25}, {0.25, lowest},
                                   {-lowest, lowest / 2}, {-1e30, 0.5},   {-1e20, -1e20}};
  batch<T> b(rows, classes);
  for (index r = 0; r < rows; ++r) {
    for (index c = 6; c < classes; ++c)
      b.student.set(r, c, padding[r][0]), b.teacher.set(r, c, padding[r][1]);
  }
  for (index c = 0; c < classes; ++c) b.student.set(3, c, std::abs(b.student.at(3, c)));
  batch<T> copies(rows, classes);
  std::vector<double> values(rows), of_copies(rows);
  standardized(forward_kl)
      .with_grad(b.student.view(), b.teacher.view(), b.gradient.view(),
                 {.rows = {.reduce = reduction::sum, .values = values}});
  standardized(mean_squared_logits)
      .with_grad(b.student.view(), b.teacher.view(), copies.gradient.view(),
                 {.rows = {.reduce = reduction::sum, .values = of_copies}});
  for (index r = 0; r < rows; ++r) {
    auto const at = static_cast<std::size_t>(r);
    auto const z = b.student.template row<long double>(r), t = b.teacher.template row<long double>(r);
    truth const wanted = logit_standardization_case::of(z, t, 0, {.temperature = 2});
    double const tolerance = 32 * epsilon_of_type;
    EXPECT_NEAR(values[at], static_cast<double>(wanted.value), tolerance * wanted.value_scale) << r;
    auto const y = reference::standardized(z, 1e-7L), x = reference::standardized(t, 1e-7L);
    exact_row h(classes);
    long double squares = 0;
    for (std::size_t c = 0; c < classes; ++c) {
      squares += (y[c] - x[c]) * (y[c] - x[c]) / classes;
      h[c] = 2 * (y[c] - x[c]) / classes;
    }
    EXPECT_NEAR(of_copies[at], static_cast<double>(squares), tolerance * 8) << r;
    h = reference::standardization_pull_back(z, h, 1e-7L);
    // Numbers below the smallest normal one have fewer digits.
    double const least = static_cast<double>(std::numeric_limits<T>::denorm_min());
    double const size = 1 / static_cast<double>(reference::spread_of(z).deviation);
    for (index c = 0; c < classes; ++c) {
      auto const k = static_cast<std::size_t>(c);
      EXPECT_NEAR(b.gradient.at(r, c), static_cast<double>(wanted.gradient[k]),
                  tolerance * wanted.gradient_scale + 8 * least)
          << r << ", " << c;
      EXPECT_NEAR(copies.gradient.at(r, c), static_cast<double>(h[k]), tolerance * size + 8 * least)
          << r << ", " << c;
    }
  }
}
TEST(logit_standardization, keeps_moments_in_range_in_float) { expect_moments_in_range<float>(0x1p-23); }
TEST(logit_standardization, keeps_moments_in_range_in_double) { expect_moments_in_range<double>(0x1p-52); }

TEST(logit_standardization, takes_rows_without_spread_for_uniform) {
  batch<double> b(20, 7);
  for (index c = 0; c < 7; ++c) {
    b.student.set(1, c, 0), b.teacher.set(2, c, -3), b.student.set(3, c, 5), b.teacher.set(3, c, 5);
    if (c != 4) b.student.set(4, c, minus_infinity), b.teacher.set(4, c, minus_infinity);
  }
  std::vector<double> values(20), slope(20);
  standardization_options const options{.rows = {.reduce = reduction::sum, .values = values},
                                        .temperature_gradient = slope};
  standardized(forward_kl).with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), options);
  auto const t = reference::from_logits(reference::standardized(b.teacher.row(1), 1e-7), 2.0);
  double expected = std::log(7.0);
  for (std::size_t c = 0; c < 7; ++c) {
    expected += t.probability[c] * t.log_probability[c];
    EXPECT_NEAR(b.gradient.at(1, static_cast<index>(c)), 2 * (1.0 / 7 - t.probability[c]), 1e-14);
  }
  EXPECT_NEAR(values[1], 4 * expected, 1e-14);
  for (std::size_t r : {3U, 4U}) {
    EXPECT_NEAR(values[r], 0.0, 1e-15);
    EXPECT_NEAR(slope[r], 0.0, 1e-15);
    for (index c = 0; c < 7; ++c) EXPECT_NEAR(b.gradient.at(static_cast<index>(r), c), 0.0, 1e-15);
  }
  for (index r = 0; r < 20; ++r) {
    EXPECT_TRUE(std::isfinite(values[static_cast<std::size_t>(r)])) << r;
    for (index c = 0; c < 7; ++c) EXPECT_TRUE(std::isfinite(b.gradient.at(r, c))) << r << ", " << c;
  }
}

TEST(logit_standardization, takes_the_smallest_numbers_for_no_spread) {
  batch<float> b(3, 5);
  for (index c = 0; c < 5; ++c)
    b.student.set(0, c, c == 2 ? 1e-44 : 0), b.student.set(1, c, 1e-36 * static_cast<double>(c));
  standardized(forward_kl).with_grad(b.student.view(), b.teacher.view(), b.gradient.view());
  for (index r = 0; r < 2; ++r) {
    auto const p = reference::from_logits(reference::standardized(b.teacher.row(r), 1e-7), 2.0);
    for (index c = 0; c < 5; ++c) {
      EXPECT_NEAR(b.gradient.at(r, c), 2.0 / 3 * (0.2 - p.probability[static_cast<std::size_t>(c)]), 1e-6);
    }
  }
}

TEST(logit_standardization, confines_the_temperatures_of_rows) {
  batch<float> b(3, 5, 1.0);
  for (index c = 0; c < 5; ++c)
    b.student.set(1, c, c % 2 == 0 ? 1e30 : -1e30), b.teacher.set(1, c, 1e37 * static_cast<double>(c));
  std::vector<double> values(3);
  standardized(forward_kl)
      .with_grad(b.student.view(), b.teacher.view(), b.gradient.view(), {.rows = {.values = values}});
  for (index c = 0; c < 5; ++c) EXPECT_TRUE(std::isfinite(b.gradient.at(1, c)));
  EXPECT_TRUE(std::isfinite(values[1]));
}

TEST(logit_standardization, has_a_temperature_for_every_row) {
  batch<double> b(19, 40);
  std::vector<double> temperature, slope(19), values(19);
  for (int r = 0; r < 19; ++r) temperature.push_back(0.5 + 0.25 * r);
  standardized(forward_kl)
      .with_grad(b.student.view(), b.teacher.view(), b.gradient.view(),
                 {.temperature = temperature, .rows = {.values = values}, .temperature_gradient = slope});
  for (index r = 0; r < 19; ++r) {
    auto const at = static_cast<std::size_t>(r);
    truth const row = logit_standardization_case::of(
        b.student.row<long double>(r), b.teacher.row<long double>(r), 0, {.temperature = temperature[at]});
    EXPECT_NEAR(values[at], static_cast<double>(row.value), 1e-13);
    EXPECT_NEAR(slope[at], static_cast<double>(row.by_temperature) / 19, 1e-13);
    for (index c = 0; c < 40; ++c) {
      EXPECT_NEAR(b.gradient.at(r, c), static_cast<double>(row.gradient[static_cast<std::size_t>(c)]) / 19,
                  1e-14);
    }
  }
}

TEST(logit_standardization, keeps_the_temperature_of_rows_that_are_near) {
  // T^2 D hardly moves at such temperatures: what is left is small beside what it is made of.
  batch<float> b(16, 100, 1.0, layout::row_major, 5);
  for (index r = 0; r < 16; ++r) {
    for (index c = 0; c < 100; ++c) b.student.set(r, c, b.teacher.at(r, c) + 0.26 * b.student.at(r, c));
  }
  setting const s{.temperature = 3.7};
  std::vector<double> slope(16);
  standardized(forward_kl)
      .with_grad(b.student.view(), b.teacher.view(), b.gradient.view(),
                 {.temperature = 3.7, .rows = {.reduce = reduction::sum}, .temperature_gradient = slope});
  double sum = 0;
  long double expected = 0;
  for (index r = 0; r < 16; ++r) {
    double const found = slope[static_cast<std::size_t>(r)];
    truth const row =
        logit_standardization_case::of(b.student.row<long double>(r), b.teacher.row<long double>(r), 0, s);
    EXPECT_GT(row.value, 0.02) << r;
    EXPECT_LT(row.value, 0.045) << r;
    double const epsilon = std::numeric_limits<float>::epsilon();
    double const allowed = epsilon * allowed_slope<logit_standardization_case>(b, r, row, 3.7);
    EXPECT_TRUE(close(found, row.by_temperature, allowed)) << r;
    sum += found, expected += row.by_temperature;
  }
  EXPECT_TRUE(close(sum, expected, 5e-4 * static_cast<double>(std::abs(expected))));
}

TEST(logit_standardization, refuses_before_it_writes) {
  batch<float> b(3, 4);
  batch<float> wide(3, 5);
  auto const z = b.student.view(), t = b.teacher.view(), g = b.gradient.view();
  for (index r = 0; r < 3; ++r) {
    for (index c = 0; c < 4; ++c) b.gradient.set(r, c, 42);
  }
  auto const refused = [&](standardization_options const& options) {
    return refusal_of([&] { standardized(forward_kl).with_grad(z, t, g, options); });
  };
  std::string const name = "distil::logit_standardization: ";
  EXPECT_EQ(refused({.temperature = 0}), name + "temperature is 0; it must be within [1e-15, 1e15]");
  EXPECT_EQ(refused({.epsilon = -1}), name + "epsilon is -1; it must be finite and >= 0");
  EXPECT_EQ(refused({.rows = {.weights = -1}}), name + "rows.weights is -1; it must be finite and >= 0");
  std::vector<double> const some = {1, 2, -1};
  EXPECT_EQ(refused({.temperature = some}),
            name + "temperature is -1 in row 2; it must be within [1e-15, 1e15]");
  EXPECT_EQ(refused({.rows = {.weights = some}}),
            name + "rows.weights is -1 in row 2; it must be finite and >= 0");
  std::vector<double> two(2);
  EXPECT_EQ(refused({.temperature_gradient = two}),
            name + "temperature_gradient is of size 2; it must be of size 1 or one per row, 3");
  EXPECT_EQ(refusal_of([&] { standardized(forward_kl).with_grad(z, wide.teacher.view(), g); }),
            name + "teacher is 3 x 5; it must be 3 x 4, the shape of the student");
  EXPECT_EQ(refusal_of([&] { standardized(forward_kl).with_grad(z, t, t); }),
            name + "gradient is overlapping the teacher; it must be apart from the teacher");
  EXPECT_EQ(refusal_of([&] { standardized(hinton_kd).with_grad(z, t, b.labels, g, {.soft_weight = -1}); }),
            name + "soft_weight is -1; it must be finite and >= 0");
  EXPECT_EQ(refusal_of([&] { standardized(hinton_kd).with_grad(z, t, b.labels, g, {.hard_weight = -1}); }),
            name + "hard_weight is -1; it must be finite and >= 0");
  for (index r = 0; r < 3; ++r) {
    for (index c = 0; c < 4; ++c) EXPECT_EQ(b.gradient.at(r, c), 42);
  }
}

}  // namespace
}  // namespace distil::testing
