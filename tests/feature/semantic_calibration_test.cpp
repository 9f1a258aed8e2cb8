#include "distil/feature/semantic_calibration.hpp"

#include <gtest/gtest.h>

#include "../support/cases/semantic_calibration.hpp"
#include "../support/refusal.hpp"
#include "../support/reversing_executor.hpp"

namespace distil::testing {
namespace {

template <class T>
class semantic_calibration_suite : public ::testing::Test {};
using types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(semantic_calibration_suite, types);

template <class T>
std::vector<exact_map> exact(std::vector<owned_map<T>> const& maps) {
  std::vector<exact_map> result;
  for (auto const& map : maps) result.push_back(map.exact());
  return result;
}

/// The derivative of `loss` by each element of `map`, against `found`.
template <class Loss, class T>
void expect_slopes(exact_map& map, Loss const& loss, owned_map<T> const& found, double bound) {
  std::vector<double> slopes;
  double largest = 0;
  for (long double& x : map.values) {
    long double const before = x, step = 1e-4L;
    auto const at = [&](long double moved) {
      x = moved;
      return loss();
    };
    slopes.push_back(static_cast<double>(
        (8 * (at(before + step) - at(before - step)) - (at(before + 2 * step) - at(before - 2 * step))) /
        (12 * step)));
    x = before;
    largest = std::max(largest, std::abs(slopes.back()));
  }
  auto slope = slopes.begin();
  for_each_element(map.shape, [&](index n, index c, index y, index x) {
    EXPECT_NEAR(found.at(n, c, y, x), *slope++,
                (bound * std::numeric_limits<T>::epsilon() + 1e-11) * largest);
  });
  EXPECT_EQ(found.damaged_guards(), 0);
}

TYPED_TEST(semantic_calibration_suite, matches_the_reference) {
  using T = TypeParam;
  using testcase = semantic_calibration_case<T>;
  std::vector<double> const some = {0.5, 0.0, 2.0};
  for (map_layout const order : every_layout) {
    for (row_parameter const& weights : {row_parameter(1), row_parameter(some)}) {
      testcase b(3, order);
      std::vector<double> values(3, 42.0);
      loss_value const found = b.with_grad(serial, {.weights = weights, .values = values});
      EXPECT_EQ(b.value({.weights = weights}).value, found.value);
      EXPECT_EQ(found.weight, weights.per_row() ? 2.5 : 3.0);
      auto student = exact(b.students), teacher = exact(b.teachers);
      auto scores = b.scores.exact();
      auto const loss = [&] { return testcase::of(student, teacher, scores, weights); };
      auto const value = static_cast<double>(loss());
      EXPECT_NEAR(found, value, testcase::bound.value * std::numeric_limits<T>::epsilon() * value);
      for (index n = 0; n < 3; ++n) {
        std::vector<double> only(3, 0.0);
        only[static_cast<std::size_t>(n)] = 1.0;
        double const alone =
            weights[n] > 0.0 ? static_cast<double>(testcase::of(student, teacher, scores, only)) : 0.0;
        EXPECT_NEAR(values[static_cast<std::size_t>(n)], alone,
                    testcase::bound.value * std::numeric_limits<T>::epsilon() * alone);
      }
      for (std::size_t j = 0; j < 3; ++j)
        expect_slopes(student[j], loss, b.gradients[j], testcase::bound.gradient);
      expect_slopes(scores, loss, b.by_scores, testcase::bound.gradient);
    }
  }
}

TYPED_TEST(semantic_calibration_suite, writes_in_place_adds_and_gives_the_same_bits_on_any_thread) {
  using testcase = semantic_calibration_case<TypeParam>;
  for (map_layout const order : every_layout) {
    testcase b(300, order), in_place(300, order), sum(300, order), parallelly(300, order),
        backwards(300, order);
    double const value = b.with_grad(serial);
    EXPECT_EQ(semantic_calibration.with_grad(testcase::maps_of(in_place.students),
                                             testcase::maps_of(in_place.teachers), in_place.scores.matrix(),
                                             testcase::maps_of(in_place.students), in_place.scores.matrix()),
              value);
    sum.with_grad(serial, {.accumulate = true});
    EXPECT_EQ(parallelly.with_grad(parallel_policy{3}), value);
    reversing_executor executor(3);
    EXPECT_EQ(backwards.with_grad(run_on(executor)), value);
    testcase const before(300, order);
    auto const expect = [&](auto const& at) {
      auto const& slope = at(b.gradients, b.by_scores);
      for_each_element(slope.shape(), [&](index n, index c, index y, index x) {
        TypeParam const expected = static_cast<TypeParam>(slope.at(n, c, y, x));
        ASSERT_EQ(at(in_place.students, in_place.scores).at(n, c, y, x), expected);
        ASSERT_EQ(at(parallelly.gradients, parallelly.by_scores).at(n, c, y, x), expected);
        ASSERT_EQ(at(backwards.gradients, backwards.by_scores).at(n, c, y, x), expected);
        ASSERT_EQ(at(sum.gradients, sum.by_scores).at(n, c, y, x),
                  expected + static_cast<TypeParam>(at(before.gradients, before.by_scores).at(n, c, y, x)));
      });
    };
    for (std::size_t j = 0; j < 3; ++j)
      expect([&](auto const& maps, auto const&) -> auto const& { return maps[j]; });
    expect([&](auto const&, auto const& scores) -> auto const& { return scores; });
  }
}

TEST(semantic_calibration, is_multiplied_by_its_weight) {
  for (map_layout const order : every_layout) {
    semantic_calibration_case<double> one(3, order), half(3, order), absent(3, order), added(3, order);
    double const value = one.with_grad(serial);
    EXPECT_EQ(half.with_grad(serial, {.weight = 0.5}).value, value / 2);
    EXPECT_EQ(half.value({.weight = 0.5}).value, value / 2);
    for (std::size_t j = 0; j < 3; ++j) absent.students[j].fill(std::nan(""));
    absent.scores.fill(std::nan(""));
    EXPECT_EQ(absent.with_grad(serial, {.weight = 0}).value, 0.0);
    semantic_calibration_case<double> const before(3, order);
    EXPECT_EQ(added.with_grad(serial, {.weight = 0, .accumulate = true}).value, 0.0);
    auto const expect = [&](auto const& at) {
      for_each_element(at(one).shape(), [&](index n, index c, index y, index x) {
        ASSERT_EQ(at(half).at(n, c, y, x), at(one).at(n, c, y, x) / 2);
        ASSERT_EQ(at(absent).at(n, c, y, x), 0.0);
        ASSERT_EQ(at(added).at(n, c, y, x), at(before).at(n, c, y, x));
      });
    };
    for (std::size_t j = 0; j < 3; ++j) expect([&](auto const& b) -> auto const& { return b.gradients[j]; });
    expect([&](auto const& b) -> auto const& { return b.by_scores; });
    for (double const weight : {-1.0, HUGE_VAL}) {
      EXPECT_EQ(refusal_of([&] {
                  one.with_grad(serial, {.weight = weight});
                }).rfind("distil::semantic_calibration: weight is ", 0),
                0U);
    }
  }
}

TEST(semantic_calibration, leaves_out_masked_layers_and_what_does_not_count) {
  semantic_calibration_case<double> b(2);
  for (index n = 0; n < 2; ++n) b.scores.set(n, 1, -HUGE_VAL);
  b.students[1].fill(std::nan(""));
  b.students[0].set(1, 0, 0, 0, std::nan(""));
  std::vector<float> const weights = {1, 0};
  EXPECT_TRUE(std::isfinite(b.with_grad(serial, {.weights = weights})));
  for (index c = 0; c < 5; ++c) EXPECT_EQ(b.gradients[1].at(0, c), 0.0);
  EXPECT_EQ(b.by_scores.at(0, 1), 0.0);
  EXPECT_EQ(b.by_scores.at(1, 0), 0.0);
  EXPECT_TRUE(std::isnan(b.with_grad(serial)));
}

TEST(semantic_calibration, of_one_layer_is_its_mean_squared_difference) {
  std::vector<float> student = {1, 2, 3, 4}, teacher = {1, 0, 3, 0}, scores = {5, -7};
  std::vector<matrix_view<float const>> const s = {{student.data(), 2, 2}}, t = {{teacher.data(), 2, 2}};
  EXPECT_DOUBLE_EQ(semantic_calibration(s, t, matrix_view<float const>(scores.data(), 2, 1)), 5.0);
}

TEST(semantic_calibration, is_nothing_without_samples) {
  semantic_calibration_case<float> b(0);
  EXPECT_EQ(b.with_grad(serial).value, 0.0);
  EXPECT_EQ(b.with_grad(serial).weight, 0.0);
}

TEST(semantic_calibration, refuses) {
  semantic_calibration_case<float> b(3), other(2);
  auto const students = b.maps_of(b.students), teachers = b.maps_of(b.teachers);
  auto gradients = b.maps_of(b.gradients);
  auto const scores = b.scores.matrix(), by_scores = b.by_scores.matrix();
  auto const refused = [&](auto const&... arguments) {
    return refusal_of([&] { (void)semantic_calibration.with_grad(arguments...); });
  };
  std::vector<feature_map<float>> const none, two(students.begin(), students.begin() + 2);
  EXPECT_EQ(refused(students, none, scores, gradients, by_scores),
            "distil::semantic_calibration: teachers is empty; it must be at least one layer");
  EXPECT_EQ(
      refused(two, teachers, scores, gradients, by_scores),
      "distil::semantic_calibration: students is 2; it must be one projection for each of the teacher's "
      "layers, 3");
  EXPECT_EQ(
      refused(students, teachers, other.scores.matrix(), gradients, by_scores),
      "distil::semantic_calibration: scores is 2 x 3; it must be 3 x 3, samples x layers of the teacher");
  EXPECT_EQ(refused(students, other.maps_of(other.teachers), scores, gradients, by_scores)
                .rfind("distil::semantic_calibration: teacher is 2 x 2 x 3 x 4", 0),
            0U);
  EXPECT_EQ(refused(students, teachers, scores, two, by_scores),
            "distil::semantic_calibration: gradients is 2; it must be one for each of the student's "
            "projections, 3");
  gradients[0] = students[0];  // its own: fine
  gradients[2] = gradients[0];
  EXPECT_EQ(refused(students, teachers, scores, gradients, by_scores)
                .rfind("distil::semantic_calibration: gradient is ", 0),
            0U);
}

}  // namespace
}  // namespace distil::testing
