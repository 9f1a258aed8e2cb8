#include "../support/allocations.hpp"
#include "../support/expectations.hpp"
#include "distil/response/cross_entropy.hpp"

/// What only cross entropy has: class weights, soft targets and mixed labels.
namespace distil::testing {
namespace {

using reference::smoothing_convention;

struct wanted {
  std::vector<reference::target<double>> rows;
};

template <class Batch, class Targets>
void expect_targets(Batch& b, Targets const& targets, cross_entropy_options const& options,
                    wanted const& truth, std::string const& what) {
  std::vector<reference::row_loss<double>> losses;
  for (index r = 0; r < b.rows; ++r) {
    losses.push_back(reference::cross_entropy(b.student.row(r), truth.rows[static_cast<std::size_t>(r)]));
  }
  auto const exact = reference::reduce(losses);
  loss_value const found =
      distil::cross_entropy.with_grad(b.student.view(), targets, b.gradient.view(), options);
  expect_no_allocation(
      what, [&] { distil::cross_entropy.with_grad(b.student.view(), targets, b.gradient.view(), options); });
  EXPECT_NEAR(found.value, exact.value, 1e-13 * (1 + std::abs(exact.value))) << what;
  EXPECT_NEAR(found.weight, exact.weight, 1e-7 * exact.weight) << what;  // class weights are floats
  for (index r = 0; r < b.rows; ++r) {
    auto const at = static_cast<std::size_t>(r);
    auto const gradient = reference::cross_entropy_gradient(b.student.row(r), truth.rows[at]);
    for (index c = 0; c < b.columns; ++c) {
      ASSERT_NEAR(b.gradient.at(r, c), exact.row_factors[at] * gradient[static_cast<std::size_t>(c)], 4e-15)
          << what << ", row " << r << ", class " << c;
    }
  }
}

std::vector<float> some_class_weights(index classes) {
  std::vector<float> weights;
  for (index c = 0; c < classes; ++c) weights.push_back(0.25F * static_cast<float>(c % 5));
  return weights;
}

TEST(cross_entropy_targets, labels_soft_targets_and_pairs_with_class_weights_and_smoothing) {
  for (layout const order : {layout::padded, layout::class_major}) {
    for (index const classes : {4, 100, 1300}) {
      for (double const smoothed : {0.0, 0.125}) {
        for (smoothing const over : {smoothing::all_classes, smoothing::other_classes}) {
          for (bool const weighted : {false, true}) {
            batch<double> b(11, classes, 3.0, order);
            for (index r = 0; r < 11; ++r) {
              for (index c = 0; c < classes; ++c) {
                b.teacher.set(r, c, std::abs(b.teacher.at(r, c)) / static_cast<double>(classes));
              }
            }
            std::vector<float> const weights = some_class_weights(classes);
            cross_entropy_options options{.label_smoothing = smoothed, .smoothing_over = over};
            reference::target_options<double> same{.label_smoothing = smoothed,
                                                   .convention = over == smoothing::all_classes
                                                                     ? smoothing_convention::all_classes
                                                                     : smoothing_convention::other_classes};
            if (weighted) {
              options.class_weights = weights;
              same.class_weights.assign(weights.begin(), weights.end());
            }
            std::string const what = std::to_string(classes) + " classes, smoothed " +
                                     std::to_string(smoothed) + (weighted ? ", weighted" : "");
            b.labels[4] = -100;
            std::vector<std::int64_t> const labels(b.labels.begin(), b.labels.end());
            wanted of_labels, of_soft, of_pairs;
            std::vector<std::int64_t> second;
            std::vector<float> share;
            for (index r = 0; r < 11; ++r) {
              second.push_back(r == 7 ? -100 : (r * 5) % classes);
              share.push_back(static_cast<float>(r) / 16.0F);
              auto const at = static_cast<std::size_t>(r);
              auto const size = static_cast<std::size_t>(classes);
              auto const first_target = reference::label_target(size, labels[at], same);
              of_labels.rows.push_back(first_target);
              of_pairs.rows.push_back(reference::mixed_target(first_target,
                                                              reference::label_target(size, second[at], same),
                                                              static_cast<double>(share[at])));
              of_soft.rows.push_back(reference::soft_target(b.teacher.row(r), same));
            }
            expect_targets(b, b.labels, options, of_labels, "32-bit labels, " + what);
            expect_targets(b, labels, options, of_labels, "64-bit labels, " + what);
            expect_targets(b, mixed_labels{labels, second, share}, options, of_pairs, "pairs, " + what);
            expect_targets(b, b.teacher.view(), options, of_soft, "soft targets, " + what);
          }
        }
      }
    }
  }
}

TEST(cross_entropy_targets, on_masked_classes_are_infinite_and_leave_no_gradient_there) {
  batch<float> b(3, 5);
  b.labels = {1, 2, 3};
  b.student.set(0, 1, minus_infinity);
  std::vector<double> values(3);
  distil::cross_entropy.with_grad(b.student.view(), b.labels, b.gradient.view(),
                                  {.rows = {.values = values}});
  EXPECT_EQ(values[0], std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isfinite(values[1]));
  EXPECT_EQ(b.gradient.at(0, 1), 0.0);
  EXPECT_TRUE(std::isfinite(b.gradient.at(0, 0)));
}

TEST(cross_entropy_targets, need_not_sum_to_one) {
  batch<double> b(2, 3);
  for (index c = 0; c < 3; ++c) b.teacher.set(0, c, 2.0), b.teacher.set(1, c, 0.0);
  loss_value const loss =
      distil::cross_entropy.with_grad(b.student.view(), b.teacher.view(), b.gradient.view());
  auto const log_q = reference::log_softmax(b.student.row(0));
  EXPECT_NEAR(loss.value, -(log_q[0] + log_q[1] + log_q[2]), 1e-14);
  EXPECT_EQ(loss.weight, 2.0);
  for (index c = 0; c < 3; ++c) EXPECT_EQ(b.gradient.at(1, c), 0.0);
}

}  // namespace
}  // namespace distil::testing
