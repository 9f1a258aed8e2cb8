#include <limits>

#include "../support/expectations.hpp"
#include "distil/response/cross_entropy.hpp"
#include "distil/response/entropy.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/fuse.hpp"
#include "distil/response/hinton_kd.hpp"
#include "distil/response/log_softmax.hpp"
#include "distil/response/soft_cross_entropy.hpp"
#include "distil/response/softmax.hpp"
#include "distil/response/teacher.hpp"

/// Bad input: a text that names the loss, the argument, what it was and what it must be, and nothing written.
namespace distil::testing {
namespace {

class refusals : public ::testing::Test {
 protected:
  batch<float> b{3, 4};
  matrix_view<float> z = b.student.view(), t = b.teacher.view(), g = b.gradient.view();
  float const nan = std::numeric_limits<float>::quiet_NaN();

  void SetUp() override {
    for (index r = 0; r < 3; ++r) {
      for (index c = 0; c < 4; ++c) b.gradient.set(r, c, 42.0);
    }
  }

  template <class Call>
  void expect(std::string const& text, Call const& call) {
    try {
      call();
      ADD_FAILURE() << "accepted; wanted: " << text;
    } catch (std::invalid_argument const& refusal) {
      EXPECT_EQ(refusal.what(), text);
    }
    for (index r = 0; r < 3; ++r) {
      for (index c = 0; c < 4; ++c) ASSERT_EQ(b.gradient.at(r, c), 42.0) << "something was written: " << text;
    }
  }
};

TEST_F(refusals, of_shapes) {
  matrix_view<float> const wide(t.data, 3, 5), null(nullptr, 3, 4), empty(z.data, 3, 0);
  expect("distil::forward_kl: teacher is 3 x 5; it must be 3 x 4, the shape of the student",
         [&] { forward_kl.with_grad(z, wide, g); });
  expect("distil::soft_cross_entropy: gradient is 3 x 5; it must be 3 x 4, the shape of the student",
         [&] { soft_cross_entropy.with_grad(z, t, wide); });
  expect("distil::cross_entropy: targets is 3 x 5; it must be 3 x 4, the shape of the student",
         [&] { cross_entropy.with_grad(z, wide, g); });
  expect("distil::entropy: student is 3 x 0; it must be rows x classes with at least one class",
         [&] { (void)entropy(empty); });
  expect("distil::hinton_kd: teacher is a null pointer; it must be a matrix",
         [&] { hinton_kd.with_grad(z, null, b.labels, g); });
  expect("distil::softmax: upstream is 3 x 5; it must be 3 x 4, the shape of the student",
         [&] { softmax.pull_back(z, wide, g); });
}

TEST_F(refusals, of_temperatures) {
  expect("distil::hinton_kd: temperature is 0; it must be within [1e-15, 1e15]",
         [&] { hinton_kd.with_grad(z, t, b.labels, g, {.temperature = 0}); });
  expect("distil::forward_kl: temperature is -2.5; it must be within [1e-15, 1e15]",
         [&] { forward_kl.with_grad(z, t, g, {.temperature = -2.5}); });
  expect("distil::log_softmax: temperature is inf; it must be within [1e-15, 1e15]",
         [&] { log_softmax(z, g, {.temperature = std::numeric_limits<double>::infinity()}); });
  expect("distil::entropy: temperature is nan; it must be within [1e-15, 1e15]",
         [&] { entropy.with_grad(z, g, {.temperature = nan}); });
  std::vector<float> const two = {1, 2}, third = {1, 2, -1};
  expect("distil::forward_kl: temperature is of size 2; it must be one per row, 3",
         [&] { forward_kl.with_grad(z, t, g, {.temperature = two}); });
  expect("distil::forward_kl: temperature is -1 in row 2; it must be within [1e-15, 1e15]",
         [&] { forward_kl.with_grad(z, t, g, {.temperature = third}); });
  expect("distil::forward_kl: captured_at is -1; it must be within [1e-15, 1e15]",
         [&] { forward_kl.with_grad(z, probabilities(t, -1), g); });
  std::vector<double> slope(2), one(1);
  expect("distil::cross_entropy: temperature_gradient is of size 2; it must be of size 1 or one per row, 3",
         [&] { cross_entropy.with_grad(z, b.labels, g, {.temperature_gradient = slope}); });
  std::vector<float> const three = {1, 2, 3};
  expect("distil::forward_kl: temperature_gradient is of size 1; it must be one per row, 3",
         [&] { forward_kl.with_grad(z, t, g, {.temperature = three, .temperature_gradient = one}); });
}

TEST_F(refusals, of_labels_and_weights) {
  expect("distil::hinton_kd: labels is of size 2; it must be one per row, 3", [&] {
    hinton_kd.with_grad(z, t, std::vector<int>{1, 2}, g);
  });
  expect("distil::cross_entropy: label is 4 in row 1; it must be within [0, 4) or the ignored label -100",
         [&] {
           cross_entropy.with_grad(z, std::vector<int>{1, 4, 0}, g);
         });
  expect(
      "distil::cross_entropy: label is -1 in row 2; it must be within [0, 4) or the ignored label -7", [&] {
        cross_entropy.with_grad(z, std::vector<std::int64_t>{1, -7, -1}, g, {.rows = {.ignore_label = -7}});
      });
  expect("distil::cross_entropy: label_smoothing is 1.5; it must be within [0, 1]",
         [&] { cross_entropy.with_grad(z, b.labels, g, {.label_smoothing = 1.5}); });
  std::vector<float> const negative = {1, 2, -3, 1}, few = {1, 2};
  expect("distil::cross_entropy: class_weights is -3 for class 2; it must be finite and >= 0",
         [&] { cross_entropy.with_grad(z, b.labels, g, {.class_weights = negative}); });
  expect("distil::cross_entropy: class_weights is of size 2; it must be one per class, 4",
         [&] { cross_entropy.with_grad(z, b.labels, g, {.class_weights = few}); });
  expect("distil::cross_entropy: labels.first_share is 2; it must be within [0, 1]", [&] {
    cross_entropy.with_grad(z, mixed_labels{b.labels, b.labels, 2}, g);
  });
  expect("distil::forward_kl: rows.weights is -1; it must be finite and >= 0",
         [&] { forward_kl.with_grad(z, t, g, {.rows = {.weights = -1}}); });
  std::vector<double> const weights = {1, nan, 1};
  expect("distil::forward_kl: rows.weights is nan in row 1; it must be finite and >= 0",
         [&] { forward_kl.with_grad(z, t, g, {.rows = {.weights = weights}}); });
  expect("distil::forward_kl: rows.normalizer is -1; it must be finite and >= 0 (0: the own weight)",
         [&] { forward_kl.with_grad(z, t, g, {.rows = {.normalizer = -1}}); });
  expect("distil::hinton_kd: soft_weight is -0.5; it must be finite and >= 0",
         [&] { hinton_kd.with_grad(z, t, b.labels, g, {.soft_weight = -0.5}); });
  expect(
      "distil::hinton_kd: hard_weight is -1; it must be finite and >= 0 (set it when soft_weight is above 1)",
      [&] { hinton_kd.with_grad(z, t, b.labels, g, {.soft_weight = 2}); });
  expect("distil::hinton_kd: soft_weight is 1e+50, which is inf in float; it must be finite",
         [&] { hinton_kd.with_grad(z, t, b.labels, g, {.soft_weight = 1e50, .hard_weight = 1}); });
  expect("distil::hinton_kd: hard_weight is 1e+50, which is inf in float; it must be finite",
         [&] { hinton_kd.with_grad(z, t, b.labels, g, {.hard_weight = 1e50}); });
  std::vector<double> values(2);
  expect("distil::forward_kl: rows.values is of size 2; it must be one per row, 3",
         [&] { forward_kl.with_grad(z, t, g, {.rows = {.values = values}}); });
}

TEST_F(refusals, of_gradients_over_what_is_read) {
  auto const expect_text = [&](std::string const& text, auto const& call) {
    try {
      call();
      ADD_FAILURE() << text;
    } catch (std::invalid_argument const& refusal) {
      EXPECT_EQ(refusal.what(), text);
    }
  };
  expect_text("distil::hinton_kd: gradient is overlapping the teacher; it must be apart from the teacher",
              [&] { hinton_kd.with_grad(z, t, b.labels, t); });
  expect_text("distil::cross_entropy: gradient is overlapping the targets; it must be apart from the targets",
              [&] { cross_entropy.with_grad(z, t, t); });
  std::vector<float> buffer(40);
  matrix_view<float> const low(buffer.data(), 3, 4, 8), shifted(buffer.data() + 2, 3, 4, 8),
      beside(buffer.data() + 4, 3, 4, 8);
  expect_text(
      "distil::forward_kl: gradient is overlapping the student in part; it must be the student's own matrix, "
      "element for element, or apart from it",
      [&] { forward_kl.with_grad(low, t, shifted); });
  matrix_view<float> const one_row(buffer.data(), 3, 4, 0);
  expect_text(
      "distil::forward_kl: gradient is a view with strides 0 and 1 in which elements overlap; it must be a "
      "matrix with a place for every "
      "element",
      [&] { forward_kl.with_grad(z, t, one_row); });
  EXPECT_NO_THROW(forward_kl.with_grad(low, t, beside));
  EXPECT_NO_THROW(forward_kl.with_grad(low, beside, low));
}

TEST_F(refusals, of_two_terms_that_write_to_one_place) {
  std::vector<double> slope(1);
  expect("distil::fuse: temperature_gradient is shared by two terms; it must be one for each term", [&] {
    fuse(forward_kl.term(t, {.temperature_gradient = slope}), entropy.term({.temperature_gradient = slope}))
        .with_grad(z, g);
  });
}

TEST_F(refusals, of_terms_that_add) {
  expect("distil::forward_kl: accumulate is set on a term; it must be set on the objective",
         [&] { (void)forward_kl.term(t, {.accumulate = true}); });
  expect("distil::cross_entropy: accumulate is set on a term; it must be set on the objective",
         [&] { (void)cross_entropy.term(b.labels, {.accumulate = true}); });
}

}  // namespace
}  // namespace distil::testing
