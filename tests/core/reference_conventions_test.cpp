#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "../support/reference.hpp"
#include "../support/reference_gradient.hpp"
#include "../support/vectors.hpp"

/// What the references do at the edges, and by-hand numbers for what is a convention rather than a formula.
namespace distil::reference {
namespace {

double const infinity = std::numeric_limits<double>::infinity();
double const nan = std::numeric_limits<double>::quiet_NaN();
using numbers = row<double>;
using counted = std::pair<double, double>;

counted pair_of(row_loss<double> const& loss) { return {loss.value, loss.weight}; }

/// Every divergence of two rows of logits at temperature two.
std::vector<row_loss<double>> divergences(numbers const& student, numbers const& teacher) {
  distribution<double> const q = from_logits(student, 2);
  distribution<double> const p = from_logits(teacher, 2);
  return {forward_kl(p, q), reverse_kl(p, q), soft_cross_entropy(p, q), squared_hellinger(p, q)};
}

std::vector<numbers> gradients(numbers const& student, numbers const& teacher) {
  distribution<double> const p = from_logits(teacher, 2);
  return {forward_kl_gradient(student, p, 2), reverse_kl_gradient(student, p, 2),
          squared_hellinger_gradient(student, p, 2)};
}

TEST(reference, a_class_masked_on_both_sides_is_absent) {
  auto const masked = divergences({1, -infinity, 3, -2}, {2, -infinity, -1, 0});
  auto const absent = divergences({1, 3, -2}, {2, -1, 0});
  for (std::size_t i = 0; i < masked.size(); ++i) EXPECT_EQ(pair_of(masked[i]), pair_of(absent[i])) << i;
  auto const with_mask = gradients({1, -infinity, 3, -2}, {2, -infinity, -1, 0});
  auto const without = gradients({1, 3, -2}, {2, -1, 0});
  for (std::size_t i = 0; i < without.size(); ++i)
    EXPECT_EQ(with_mask[i], (numbers{without[i][0], 0, without[i][1], without[i][2]})) << i;
}

TEST(reference, mass_on_a_masked_class_of_the_other_is_infinite) {
  distribution<double> const whole = from_logits<double>({0, 0});
  distribution<double> const half = from_logits<double>({0, -infinity});
  EXPECT_EQ(forward_kl(whole, half).value, infinity);
  EXPECT_EQ(soft_cross_entropy(whole, half).value, infinity);
  EXPECT_EQ(reverse_kl(half, whole).value, infinity);
  EXPECT_DOUBLE_EQ(forward_kl(half, whole).value, std::log(2.0));
  EXPECT_DOUBLE_EQ(reverse_kl(whole, half).value, std::log(2.0));
  EXPECT_DOUBLE_EQ(squared_hellinger(whole, half).value, 1 - std::sqrt(0.5));
  EXPECT_EQ(cross_entropy<double>({0, -infinity}, label_target<double>(2, 1)).value, infinity);
}

TEST(reference, a_fully_masked_row_does_not_count) {
  numbers const nothing{-infinity, -infinity};
  for (auto const& [student, teacher] :
       {std::pair{nothing, numbers{1, 2}}, std::pair{numbers{1, 2}, nothing}, std::pair{nothing, nothing}}) {
    for (auto const& loss : divergences(student, teacher)) EXPECT_EQ(pair_of(loss), counted(0, 0));
    for (auto const& gradient : gradients(student, teacher)) EXPECT_EQ(gradient, (numbers{0, 0}));
    target<double> const wanted = label_target<double>(2, 0);
    EXPECT_EQ(pair_of(hinton_kd(student, from_logits(teacher), wanted, {1, 0.5, 0.5})), counted(0, 0));
    EXPECT_EQ(hinton_kd_gradient(student, from_logits(teacher), wanted, {1, 0.5, 0.5}), (numbers{0, 0}));
  }
  EXPECT_EQ(pair_of(cross_entropy(nothing, label_target<double>(2, 0))), counted(0, 0));
  EXPECT_EQ(pair_of(entropy(nothing)), counted(0, 0));
  EXPECT_EQ(log_sum_exp(nothing), -infinity);
  EXPECT_EQ(softmax(nothing), (numbers{0, 0}));
}

TEST(reference, a_nan_makes_its_row_nan) {
  for (numbers const& broken :
       {numbers{nan, 1, 2}, numbers{1, nan, -infinity}, numbers{-infinity, -infinity, nan}}) {
    for (auto const& loss : divergences(broken, {1, 2, 3})) EXPECT_TRUE(std::isnan(loss.value));
    for (auto const& loss : divergences({1, 2, 3}, broken)) EXPECT_TRUE(std::isnan(loss.value));
    EXPECT_TRUE(std::isnan(cross_entropy(broken, label_target<double>(3, 0)).value));
    EXPECT_TRUE(std::isnan(entropy(broken).value));
    EXPECT_EQ(cross_entropy(broken, label_target<double>(3, 0)).weight, 1);
  }
}

TEST(reference, zero_probabilities_add_nothing) {
  distribution<double> const one_hot = from_probabilities<double>({0, 1, 0});
  distribution<double> const q = from_logits<double>({1, 1, 1});
  EXPECT_DOUBLE_EQ(forward_kl(one_hot, q).value, std::log(3.0));
  EXPECT_DOUBLE_EQ(soft_cross_entropy(one_hot, q).value, std::log(3.0));
  EXPECT_EQ(forward_kl(one_hot, one_hot).value, 0);
}

TEST(reference, one_class_is_certain) {
  for (auto const& loss : divergences({3}, {-8})) EXPECT_EQ(pair_of(loss), counted(0, 1));
  for (auto const convention : {smoothing_convention::all_classes, smoothing_convention::other_classes})
    EXPECT_EQ(pair_of(cross_entropy<double>({3}, label_target<double>(1, 0, {0.1, convention}))),
              counted(0, 1));
}

void expect_mass(target<double> const& found, numbers const& mass, double weight) {
  ASSERT_EQ(found.mass.size(), mass.size());
  for (std::size_t c = 0; c < mass.size(); ++c) EXPECT_NEAR(found.mass[c], mass[c], 1e-15) << c;
  EXPECT_NEAR(found.weight, weight, 1e-15);
}

TEST(reference, targets_by_hand) {
  auto const all = smoothing_convention::all_classes;
  auto const others = smoothing_convention::other_classes;
  expect_mass(label_target<double>(4, 2), {0, 0, 1, 0}, 1);
  expect_mass(label_target<double>(4, 2, {0.25, all}), {0.0625, 0.0625, 0.8125, 0.0625}, 1);
  expect_mass(label_target<double>(4, 2, {0.75, others}), {0.25, 0.25, 0.25, 0.25}, 1);
  expect_mass(label_target<double>(2, 1, {0.5, all, {3, 5}}), {0.75, 3.75}, 5);
  expect_mass(soft_target<double>({0.5, 0.5, 0}, {0.3, all}), {0.45, 0.45, 0.1}, 1);
  expect_mass(soft_target<double>({0.5, 0.5}, {0, all, {2, 4}}), {1, 2}, 1);
  expect_mass(label_target<double>(2, -100), {0, 0}, 0);
  expect_mass(label_target<double>(2, 7, {0, all, {}, 7}), {0, 0}, 0);
  expect_mass(mixed_target(label_target<double>(3, 0), label_target<double>(3, 2), 0.25), {0.25, 0, 0.75}, 1);
  expect_mass(mixed_target(label_target<double>(3, 0), label_target<double>(3, -100), 0.25), {0.25, 0, 0},
              0.25);
  EXPECT_THROW(label_target<double>(3, 3), std::out_of_range);
  EXPECT_THROW(label_target<double>(3, -1), std::out_of_range);
}

TEST(reference, hinton_kd_drops_a_term_of_weight_zero) {
  numbers const student{0, -infinity};
  target<double> const masked_label = label_target<double>(2, 1);
  EXPECT_EQ(hinton_kd(student, from_logits(student), masked_label, {2, 1, 0}).value, 0);
  EXPECT_EQ(hinton_kd(student, from_logits<double>({0, 0}), label_target<double>(2, 0), {2, 0, 1}).value, 0);
  EXPECT_EQ(pair_of(hinton_kd<double>({1, 2}, from_logits<double>({2, 1}), label_target<double>(2, -100),
                                      {2, 1, 1})),
            counted(0, 0));
}

TEST(reference, batches_by_hand) {
  std::vector<row_loss<double>> const rows{{2, 1}, {0, 0}, {6, 3}};
  EXPECT_EQ(reduce(rows).value, 2);
  EXPECT_EQ(reduce(rows).weight, 4);
  EXPECT_EQ(reduce(rows).row_factors, (numbers{0.25, 0.25, 0.25}));
  EXPECT_EQ(reduce(rows, {.mean = false}).value, 8);
  EXPECT_EQ(reduce(rows, {.mean = false}).weight, 4);
  EXPECT_EQ(reduce(rows, {.normalizer = 16}).value, 0.5);
  EXPECT_EQ(reduce(rows, {.row_weights = {5, 1, 1}}).value, 2);
  EXPECT_EQ(reduce(rows, {.row_weights = {5, 1, 1}}).weight, 8);
  EXPECT_EQ(reduce<double>({{infinity, 1}, {3, 1}}, {.row_weights = {0, 2}}).value, 3);
  EXPECT_EQ(reduce<double>({{0, 0}, {0, 0}}).value, 0);
  EXPECT_EQ(reduce<double>({}).value, 0);
}

TEST(vectors, a_damaged_file_is_refused_by_name) {
  std::string const path = testing::TempDir() + "distil_damaged_vectors.txt";
  auto const refuses = [&](std::string const& text) {
    std::ofstream(path) << text;
    try {
      load_vectors(path);
      ADD_FAILURE() << "accepted: " << text;
    } catch (std::runtime_error const& problem) {
      EXPECT_NE(std::string(problem.what()).find(path), std::string::npos) << problem.what();
    }
  };
  refuses("");
  refuses("# nothing\n");
  refuses("option before case\n");
  refuses("case a\ntensor x 2 2\n1 2\n3\n");
  refuses("case a\ntensor x 1 2\n1 two\n");
  refuses("case a\ntensor x one\n1\n");
  refuses("case a\nformula x 1 2 3\n");
  EXPECT_THROW(load_vectors(path + ".missing"), std::runtime_error);
}

TEST(vectors, numbers_beyond_double_are_read) {
  std::string const path = testing::TempDir() + "distil_extreme_vectors.txt";
  std::ofstream(path) << "case a\nloss b\noption c 0.5\noption d e\ntensor x 2 2\n1e-400 -inf\nnan "
                         "1e-310\nformula y 1 3 2 1 4 2 8\n";
  vector_case const found = load_vectors(path).at(0);
  EXPECT_EQ(found.loss, "b");
  EXPECT_EQ(found.option("c", 0.0), 0.5);
  EXPECT_EQ(found.option("d", "f"), "e");
  EXPECT_EQ(found.option("absent", 3.0), 3.0);
  EXPECT_EQ(found.table("x").row(0), (numbers{0, -infinity}));
  EXPECT_TRUE(std::isnan(found.table("x").row(1)[0]));
  EXPECT_EQ(found.table("x").row(1)[1], 1e-310);
  EXPECT_EQ(found.table("y").numbers, (numbers{-0.125, 0.125, -0.125}));
}

}  // namespace
}  // namespace distil::reference
