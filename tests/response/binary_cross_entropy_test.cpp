#include "distil/response/binary_cross_entropy.hpp"

#include <array>
#include <cmath>
#include <cstdint>

#include "../support/behaviour_suite.hpp"
#include "../support/cases/binary_cross_entropy.hpp"
#include "../support/refusal.hpp"

namespace distil::testing {

/// As Eigen's column vectors look to the library.
struct column_of_numbers {
  static constexpr int ColsAtCompileTime = 1;
  std::vector<float>& numbers;
  [[nodiscard]] float* data() const { return numbers.data(); }
  [[nodiscard]] index rows() const { return static_cast<index>(numbers.size()); }
  [[nodiscard]] index cols() const { return 1; }
  [[nodiscard]] index rowStride() const { return 1; }
  [[nodiscard]] index colStride() const { return rows(); }
};

namespace {

row_suites<binary_cross_entropy_case> const suites("binary_cross_entropy");

double softplus(double x) { return static_cast<double>(elementwise::softplus(x)); }

/// torch.nn.functional.binary_cross_entropy_with_logits of the elements that are left: rows that have lost more of them weigh
/// less.
TEST(binary_cross_entropy, divides_by_the_elements_that_count) {
  batch<float> b(2, 3);
  double const logits[2][3] = {{1, -2, 0.5}, {3, -1, 2}};
  std::uint8_t const targets[] = {1, 0, 255, 255, 255, 0};
  for (index r = 0; r < 2; ++r) {
    for (index c = 0; c < 3; ++c) b.student.set(r, c, logits[r][c]);
  }
  double const rows[2] = {softplus(-1) + softplus(-2), softplus(2)};
  struct {
    over_elements elements;
    double value, weight;
  } const expected[] = {{over_elements::mean, (rows[0] + rows[1]) / 3, 3},
                        {over_elements::row_mean, (rows[0] / 2 + rows[1]) / 2, 2},
                        {over_elements::row_sum, (rows[0] + rows[1]) / 2, 2}};
  for (auto const& each : expected) {
    loss_value const found =
        binary_cross_entropy.with_grad(b.student.view(), matrix_view(targets, 2, 3), b.gradient.view(),
                                       {.elements = each.elements, .rows = {.ignore_label = 255}});
    EXPECT_NEAR(found.value, each.value, 1e-6 * each.value);
    EXPECT_EQ(found.weight, each.weight);
    EXPECT_EQ(b.gradient.at(0, 2), 0.0);
    EXPECT_EQ(b.gradient.at(1, 1), 0.0);
  }
  loss_value const global = binary_cross_entropy(b.student.view(), matrix_view(targets, 2, 3),
                                                 {.rows = {.ignore_label = 255, .normalizer = 10}});
  EXPECT_NEAR(global.value, (rows[0] + rows[1]) / 10, 1e-7);
  std::vector<double> const weights = {2, 1};  // a row of weight two counts as two
  loss_value const weighed = binary_cross_entropy(b.student.view(), matrix_view(targets, 2, 3),
                                                  {.rows = {.weights = weights, .ignore_label = 255}});
  EXPECT_NEAR(weighed.value, (2 * rows[0] + rows[1]) / 5, 1e-6);
  EXPECT_EQ(weighed.weight, 5.0);
}

template <class Number>
void expect_the_same(batch<float>& b, double expected, std::vector<double> const& numbers) {
  std::vector<Number> targets;
  for (double const number : numbers) targets.push_back(static_cast<Number>(static_cast<float>(number)));
  // Rows, classes one after the other, and a class repeated.
  std::vector<Number> transposed(targets.size());
  for (index r = 0; r < b.rows; ++r) {
    for (index c = 0; c < b.columns; ++c) {
      transposed[static_cast<std::size_t>(c * b.rows + r)] =
          targets[static_cast<std::size_t>(r * b.columns + c)];
    }
  }
  auto const z = b.student.view();
  EXPECT_EQ(binary_cross_entropy(z, matrix_view<Number const>(targets.data(), b.rows, b.columns)), expected);
  EXPECT_EQ(
      binary_cross_entropy(z, matrix_view<Number const>(transposed.data(), b.rows, b.columns, 1, b.rows)),
      expected);
}

TEST(binary_cross_entropy, takes_targets_of_any_numbers) {
  for (index const columns : {5, 70, 600}) {
    batch<float> b(37, columns);
    std::vector<double> numbers;
    for (index i = 0; i < 37 * columns; ++i) numbers.push_back(i % 3 == 0 ? 1 : 0);
    std::vector<float> const plain(numbers.begin(), numbers.end());
    double const expected =
        binary_cross_entropy(b.student.view(), matrix_view<float const>(plain.data(), 37, columns));
    expect_the_same<double>(b, expected, numbers);
    expect_the_same<half>(b, expected, numbers);
    expect_the_same<bfloat16>(b, expected, numbers);
    expect_the_same<std::int8_t>(b, expected, numbers);
    expect_the_same<std::uint8_t>(b, expected, numbers);
    expect_the_same<std::int16_t>(b, expected, numbers);
    expect_the_same<std::uint16_t>(b, expected, numbers);
    expect_the_same<std::int32_t>(b, expected, numbers);
    expect_the_same<std::uint32_t>(b, expected, numbers);
    expect_the_same<std::int64_t>(b, expected, numbers);
    expect_the_same<std::uint64_t>(b, expected, numbers);
  }
  float const z[] = {1, -2};
  bool const y[] = {true, false};
  EXPECT_NEAR(binary_cross_entropy(matrix_view(z, 1, 2), matrix_view(y, 1, 2)),
              (softplus(-1) + softplus(-2)) / 2, 1e-7);
}

/// Masks of one channel are cut into rows, unless something is said row by row: a length with a divisor, and a prime.
TEST(binary_cross_entropy, of_a_column_is_that_of_its_elements) {
  for (index const rows : {1, 70, 5000, 5003}) {
    batch<float> b(rows, 1, 4.0, layout::every_other), by_row(rows, 1, 4.0, layout::every_other);
    std::vector<std::uint8_t> targets;
    std::vector<float> weights, student, gradient(static_cast<std::size_t>(rows));
    double sum = 0, count = 0;
    for (index r = 0; r < rows; ++r) {
      targets.push_back(r % 7 == 3 ? 255 : r % 2 == 0 ? 1 : 0);
      weights.push_back(static_cast<float>(r % 3) + 1);
      double const z = b.student.at(r, 0);
      student.push_back(static_cast<float>(z));
      if (targets.back() == 255) continue;
      count += 1;
      sum += static_cast<double>(weights.back()) * (r % 2 == 0 ? 3 * softplus(-z) : softplus(z));
    }
    std::vector<float> const positive = {3};
    binary_cross_entropy_options options{
        .positive_weight = positive, .element_weights = weights, .rows = {.ignore_label = 255}};
    loss_value const found =
        binary_cross_entropy.with_grad(b.student.view(), targets, b.gradient.view(), options);
    EXPECT_NEAR(found.value, sum / count, 1e-6 * sum / count);
    EXPECT_EQ(found.weight, count);
    EXPECT_EQ(found.value, binary_cross_entropy(b.student.view(), targets, options).value);
    column_of_numbers const to{gradient};
    EXPECT_EQ(binary_cross_entropy.with_grad(column_of_numbers{student}, targets, to, options).value,
              found.value);
    std::vector<double> const ones(static_cast<std::size_t>(rows), 1.0);
    options.rows.weights = ones;
    binary_cross_entropy.with_grad(by_row.student.view(), targets, by_row.gradient.view(), options);
    for (index r = 0; r < rows; ++r) {
      ASSERT_EQ(b.gradient.at(r, 0), by_row.gradient.at(r, 0)) << r;
      ASSERT_EQ(static_cast<float>(b.gradient.at(r, 0)), gradient[static_cast<std::size_t>(r)]) << r;
    }
    EXPECT_EQ(b.gradient.damaged_guards(), 0);
  }
}

TEST(binary_cross_entropy, of_probabilities_0_and_1_is_nothing_or_infinite) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  float const z[] = {infinity, -infinity, infinity, -infinity};
  float const y[] = {1, 0, 0.25F, 0.5F};
  float gradient[4];
  matrix_view<float> const to(gradient, 1, 2);
  EXPECT_EQ(binary_cross_entropy.with_grad(matrix_view(z, 1, 2), matrix_view(y, 1, 2), to).value, 0.0);
  EXPECT_EQ(gradient[0], 0.0F);
  EXPECT_EQ(gradient[1], 0.0F);
  EXPECT_EQ(binary_cross_entropy.with_grad(matrix_view(z + 2, 1, 2), matrix_view(y + 2, 1, 2), to).value,
            static_cast<double>(infinity));
  EXPECT_EQ(gradient[0], 0.375F);
  EXPECT_EQ(gradient[1], -0.25F);
}

TEST(binary_cross_entropy, does_not_see_what_has_no_weight) {
  batch<double> b(3, 4), clean(3, 4);
  std::vector<double> targets(12, 1.0), weights(12, 1.0);
  weights[5] = 0, targets[6] = -100;
  double const expected =
      binary_cross_entropy(clean.student.view(), matrix_view<double const>(targets.data(), 3, 4),
                           {.element_weights = matrix_view<double const>(weights.data(), 3, 4)});
  b.student.set(1, 1, std::nan(""));
  b.student.set(1, 2, std::nan(""));
  double const found = binary_cross_entropy.with_grad(
      b.student.view(), matrix_view<double const>(targets.data(), 3, 4), b.gradient.view(),
      {.element_weights = matrix_view<double const>(weights.data(), 3, 4)});
  EXPECT_EQ(found, expected);
  EXPECT_EQ(b.gradient.at(1, 1), 0.0);
  EXPECT_EQ(b.gradient.at(1, 2), 0.0);
  targets[0] = std::nan("");  // stays in its row
  EXPECT_TRUE(std::isnan(
      binary_cross_entropy
          .with_grad(b.student.view(), matrix_view<double const>(targets.data(), 3, 4), b.gradient.view())
          .value));
  for (index c = 0; c < 4; ++c) {
    EXPECT_TRUE(std::isnan(b.gradient.at(0, c)));
    EXPECT_TRUE(std::isfinite(b.gradient.at(2, c)));
  }
}

TEST(binary_cross_entropy, allocates_nothing_after_its_first_call) {
  for (auto const& [rows, columns, order] : allocation_shapes) {
    batch<float> b(rows, columns, 4.0, order);
    std::vector<std::uint8_t> const targets(static_cast<std::size_t>(rows * columns), 1);
    matrix_view<std::uint8_t const> const seen(targets.data(), rows, columns);
    expect_no_allocation("gradient", [&] {
      binary_cross_entropy.with_grad(b.student.view(), seen, b.gradient.view(), {.element_weights = seen});
    });
  }
}

TEST(binary_cross_entropy, refuses) {
  batch<float> b(600, 1), other(3, 4);
  std::vector<double> targets(600, 1.0), weights(600, 1.0);
  auto const column = [&](binary_cross_entropy_options const& options = {}) {
    return refusal_of(
        [&] { binary_cross_entropy.with_grad(b.student.view(), targets, b.gradient.view(), options); });
  };
  auto const matrix = [&](index rows, index columns, binary_cross_entropy_options const& options = {}) {
    return refusal_of([&] {
      binary_cross_entropy.with_grad(other.student.view(), matrix_view<double>(targets.data(), rows, columns),
                                     other.gradient.view(), options);
    });
  };
  EXPECT_EQ(column(), "");
  EXPECT_EQ(matrix(3, 4), "");
  targets[417] = 1.5;
  EXPECT_EQ(
      column(),
      "distil::binary_cross_entropy: target is 1.5 in row 417, class 0; it must be within [0, 1] or the "
      "ignored label -100");
  targets[417] = -100;
  EXPECT_EQ(column(), "");
  targets[9] = -1;
  EXPECT_EQ(
      matrix(3, 4),
      "distil::binary_cross_entropy: target is -1 in row 2, class 1; it must be within [0, 1] or the ignored "
      "label -100");
  targets[9] = 0;
  std::vector<std::int64_t> wide(12, 1);
  std::vector<std::uint8_t> bytes(12, 1);
  wide[7] = 256;  // its lowest byte is none that says so
  bytes[7] = 2;
  for (std::array<index, 3> const& layout : {std::array<index, 3>{3, 4, 1}, {2, 1, 3}}) {
    index const at = layout[0], row_stride = layout[1], column_stride = layout[2];
    std::string const where =
        " in row 1, class " + std::to_string(at) + "; it must be within [0, 1] or the ignored label -100";
    auto const z = other.student.view();
    EXPECT_EQ(refusal_of([&] {
                (void)binary_cross_entropy(z, matrix_view(wide.data(), 3, 4, row_stride, column_stride));
              }),
              "distil::binary_cross_entropy: target is 256" + where);
    EXPECT_EQ(refusal_of([&] {
                (void)binary_cross_entropy(z, matrix_view(bytes.data(), 3, 4, row_stride, column_stride));
              }),
              "distil::binary_cross_entropy: target is 2" + where);
  }
  weights[11] = std::nan("");
  EXPECT_EQ(
      matrix(3, 4, {.element_weights = matrix_view<double>(weights.data(), 3, 4)}),
      "distil::binary_cross_entropy: element weight is nan in row 2, class 3; it must be finite and >= 0");
  EXPECT_EQ(
      matrix(3, 4, {.element_weights = weights}),
      "distil::binary_cross_entropy: element_weights is 600 x 1; it must be 3 x 4, the shape of the student");
  EXPECT_EQ(matrix(4, 3),
            "distil::binary_cross_entropy: targets is 4 x 3; it must be 3 x 4, the shape of the student");
  std::vector<float> const positive = {1, -2, 3, 4, 5};
  EXPECT_EQ(matrix(3, 4, {.positive_weight = positive}),
            "distil::binary_cross_entropy: positive_weight is of size 5; it must be one number or one per "
            "class, 4");
  EXPECT_EQ(matrix(3, 4, {.positive_weight = std::span(positive).first(4)}),
            "distil::binary_cross_entropy: positive_weight is -2; it must be finite and >= 0");
  EXPECT_EQ(matrix(3, 4, {.label_smoothing = 2}),
            "distil::binary_cross_entropy: label_smoothing is 2; it must be within [0, 1]");
  EXPECT_EQ(
      refusal_of([&] {
        binary_cross_entropy.with_grad(other.student.view(), other.teacher.view(), other.teacher.view());
      }),
      "distil::binary_cross_entropy: gradient is overlapping the targets; it must be apart from the targets");
}

}  // namespace
}  // namespace distil::testing
