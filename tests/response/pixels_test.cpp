#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "../support/batches.hpp"
#include "../support/refusal.hpp"
#include "distil/response/binary_kd.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/hinton_kd.hpp"
#include "distil/response/prediction_correlation.hpp"

/// Dense prediction as its users write it: logits, labels and weights of pixels as maps. What losses make of any rows
/// stands in the suites.
namespace distil::testing {
namespace {

/// Maps of logits, and the same numbers as rows one behind the other.
struct pixels {
  index samples, classes, height, width;
  std::vector<float> student, teacher, gradient, student_rows, teacher_rows, gradient_rows;
  std::vector<std::uint8_t> labels;
  std::vector<float> weights;

  pixels(index n, index c, index h, index w) : samples(n), classes(c), height(h), width(w) {
    auto const size = static_cast<std::size_t>(n * c * h * w);
    for (auto* each : {&student, &teacher, &gradient, &student_rows, &teacher_rows, &gradient_rows})
      each->resize(size);
    numbers random(1);
    for (index row = 0; row < rows(); ++row) {
      labels.push_back(random.next() < -0.8 ? std::uint8_t{255} : static_cast<std::uint8_t>(random.below(c)));
      weights.push_back(static_cast<float>(1.0 + random.next()));
      for (index k = 0; k < c; ++k) {
        auto const at = static_cast<std::size_t>(row * c + k);
        student_rows[at] = static_cast<float>(4.0 * random.next());
        teacher_rows[at] = static_cast<float>(4.0 * random.next());
        index const n_of = row / (h * w), place = row % (h * w);
        map(student)(n_of, k, place / w, place % w) = student_rows[at];
        map(teacher)(n_of, k, place / w, place % w) = teacher_rows[at];
      }
    }
  }
  [[nodiscard]] index rows() const { return samples * height * width; }
  feature_map<float> map(std::vector<float>& of) const {
    return {of.data(), samples, classes, height, width};
  }
  matrix_view<float> matrix(std::vector<float>& of) const { return {of.data(), rows(), classes}; }

  void expect_gradients_alike() {
    for (index row = 0; row < rows(); ++row) {
      for (index k = 0; k < classes; ++k) {
        index const n = row / (height * width), place = row % (height * width);
        ASSERT_EQ(map(gradient)(n, k, place / width, place % width), matrix(gradient_rows)(row, k))
            << row << ", " << k;
      }
    }
  }
};

TEST(pixels, have_the_loss_of_rows) {
  for (auto const& [height, width] : {std::pair<index, index>{5, 7}, {4, 16}}) {
    pixels p(3, 19, height, width);
    auto const of_maps = hinton_kd.with_grad(p.map(p.student), p.map(p.teacher), p.labels, p.map(p.gradient),
                                             {.rows = {.weights = p.weights, .ignore_label = 255}});
    auto const of_rows =
        hinton_kd.with_grad(p.matrix(p.student_rows), p.matrix(p.teacher_rows), p.labels,
                            p.matrix(p.gradient_rows), {.rows = {.weights = p.weights, .ignore_label = 255}});
    EXPECT_NEAR(of_maps, of_rows, 1e-6 * of_rows);
    EXPECT_EQ(of_maps.weight, of_rows.weight);
    EXPECT_LT(of_maps.weight, static_cast<double>(p.rows()));
    p.expect_gradients_alike();
  }
}

TEST(pixels, of_images_that_fill_no_register_and_of_windows) {
  // 3 * 21 * 96 * 96 floats pass through windows of tiles; 97 * 105 pixels are no whole registers, so that none is used.
  for (auto const& [height, width] : {std::pair<index, index>{96, 96}, {97, 105}}) {
    pixels p(3, 21, height, width);
    ASSERT_GE(p.rows() * p.classes * 4, simd::windowed_bytes);
    auto const of_maps = forward_kl.with_grad(p.map(p.student), p.map(p.teacher), p.map(p.gradient));
    auto const of_rows =
        forward_kl.with_grad(p.matrix(p.student_rows), p.matrix(p.teacher_rows), p.matrix(p.gradient_rows));
    EXPECT_NEAR(of_maps, of_rows, 1e-6 * of_rows);
    p.expect_gradients_alike();
  }
}

TEST(pixels, couple_as_rows_do) {
  pixels p(2, 6, 3, 4);
  auto const of_maps = prediction_correlation.with_grad(p.map(p.student), p.map(p.teacher), p.map(p.gradient),
                                                        {.rows = {.ignore_label = 255, .labels = p.labels}});
  auto const of_rows = prediction_correlation.with_grad(p.matrix(p.student_rows), p.matrix(p.teacher_rows),
                                                        p.matrix(p.gradient_rows),
                                                        {.rows = {.ignore_label = 255, .labels = p.labels}});
  EXPECT_EQ(of_maps.value, of_rows.value);
  EXPECT_EQ(of_maps.weight, of_rows.weight);
  p.expect_gradients_alike();
}

TEST(pixels, have_targets_of_their_own_in_every_channel) {
  for (index const width : {7, 16}) {
    pixels p(3, 5, 4, width);
    std::vector<std::uint8_t> targets(p.student.size()), target_rows(p.student.size());
    feature_map const map(targets, 3, 5, 4, width);
    for (index row = 0; row < p.rows(); ++row) {
      for (index k = 0; k < 5; ++k) {
        std::uint8_t const target = (row + k) % 7 == 0 ? 255 : static_cast<std::uint8_t>((row * 3 + k) % 2);
        target_rows[static_cast<std::size_t>(row * 5 + k)] = target;
        map(row / (4 * width), k, row % (4 * width) / width, row % width) = target;
      }
    }
    auto const of_maps = binary_kd.with_grad(p.map(p.student), p.map(p.teacher), map, p.map(p.gradient),
                                             {.rows = {.ignore_label = 255}});
    auto const of_rows = binary_kd.with_grad(p.matrix(p.student_rows), p.matrix(p.teacher_rows),
                                             matrix_view(target_rows, p.rows(), 5), p.matrix(p.gradient_rows),
                                             {.rows = {.ignore_label = 255}});
    EXPECT_NEAR(of_maps, of_rows, 1e-6 * of_rows);
    EXPECT_EQ(of_maps.hard.weight, of_rows.hard.weight);
    p.expect_gradients_alike();
  }
}

TEST(pixels, are_refused_as_rows_are) {
  pixels p(2, 6, 3, 4);
  p.labels[7] = 6;
  EXPECT_EQ(refusal_of([&] {
              (void)hinton_kd(p.map(p.student), p.map(p.teacher), p.labels, {.rows = {.ignore_label = 255}});
            }),
            "distil::hinton_kd: label is 6 in row 7; it must be within [0, 6) or the ignored label 255");
  EXPECT_EQ(refusal_of([&] { (void)forward_kl(p.map(p.student), feature_map(p.teacher, 2, 6, 4, 2)); }),
            "distil::forward_kl: teacher is 16 x 6; it must be 24 x 6, the shape of the student");
  EXPECT_EQ(
      refusal_of([&] {
        forward_kl.with_grad(p.map(p.student), p.map(p.teacher),
                             feature_map(p.gradient.data(), 2, 6, 3, 4, {12, 12, 4, 1}));
      }),
      "distil::forward_kl: gradient is a view with strides 1 and 12 in which elements overlap; it must be a "
      "matrix with a place for every element");
}

}  // namespace
}  // namespace distil::testing
