#include "distil/response/projected_kl.hpp"

#include "../support/behaviour_suite.hpp"
#include "../support/cases/projected_kl.hpp"
#include "../support/refusal.hpp"
#include "../support/temperature_slopes.hpp"
#include "distil/response/forward_kl.hpp"

namespace distil::testing {
namespace {

row_suites<projected_kl_case> const suites("projected_kl");

/// Against the reference for a projection of any kind.
void expect_projection(batch<double>& b, batch<double> const& other, owned_projection const& m,
                       uncovered_classes uncovered, double magnitude = 1.0) {
  setting const s{.temperature = 2};
  auto const options = [&] {
    projected_kl_options result = projected_kl_case::options(s, {}, false);
    result.uncovered = uncovered;
    return result;
  }();
  loss_value const found =
      projected_kl.with_grad(b.student.view(), other.teacher.view(), m.view(), b.gradient.view(), options);
  expect_no_allocation("projected_kl", [&] {
    projected_kl.with_grad(b.student.view(), other.teacher.view(), m.view(), b.gradient.view(), options);
  });
  long double sum = 0;
  for (index r = 0; r < b.rows; ++r) {
    truth const exact =
        projected_kl_case::of(b.student.row<long double>(r), other.teacher.row<long double>(r), m, s,
                              uncovered == uncovered_classes::left_out);
    sum += exact.value / static_cast<long double>(b.rows);
    for (index c = 0; c < b.columns; ++c) {
      ASSERT_NEAR(
          b.gradient.at(r, c),
          static_cast<double>(exact.gradient[static_cast<std::size_t>(c)] / static_cast<long double>(b.rows)),
          1e-14 * exact.gradient_scale)
          << r << ", " << c;
    }
  }
  EXPECT_TRUE(close(found.value, sum, 1e-14 * (10 + magnitude)));
}

TEST(projected_kl, projects_onto_more_and_fewer_classes) {
  for (auto const& [sources, targets] :
       {std::pair<index, index>{1, 6}, {6, 1}, {9, 30}, {700, 90}, {90, 2000}}) {
    batch<double> b(5, sources), other(5, targets, 4.0, layout::every_other, 3);
    auto const m = owned_projection::mixing(sources, targets);
    expect_projection(b, other, m, uncovered_classes::left_out);
    expect_projection(b, other, m, uncovered_classes::infinite);  // +inf where targets are out of reach
  }
}

TEST(projected_kl, is_forward_kl_where_every_class_is_itself) {
  batch<double> b(4, 33);
  owned_projection identity(33);
  for (index i = 0; i < 33; ++i) identity.add(i, 1.0), identity.end_row();
  batch<double> expected(4, 33);
  double const value = projected_kl.with_grad(b.student.view(), b.teacher.view(), identity.view(),
                                              b.gradient.view(), {.temperature = 3});
  EXPECT_NEAR(
      forward_kl.with_grad(b.student.view(), b.teacher.view(), expected.gradient.view(), {.temperature = 3}),
      value, 1e-14);
  for (index r = 0; r < 4; ++r) {
    for (index c = 0; c < 33; ++c) EXPECT_NEAR(b.gradient.at(r, c), expected.gradient.at(r, c), 1e-15);
  }
}

TEST(projected_kl, loses_the_mass_of_sources_that_lead_nowhere) {
  batch<double> b(3, 8), other(3, 6);
  owned_projection m(6);
  for (index i = 0; i < 8; ++i) {
    if (i % 3 != 0) m.add(i % 6, 0.5);
    if (i % 3 == 1) m.add((i + 1) % 6, 0.0);  // an entry of no weight reaches nobody
    m.end_row();
  }
  expect_projection(b, other, m, uncovered_classes::left_out);
}

TEST(projected_kl, sums_logarithms_where_probabilities_vanish) {
  for (double const depth : {100.0, 1000.0, 20000.0}) {
    batch<double> b(2, 7), other(2, 5);
    for (index r = 0; r < 2; ++r) {
      for (index c = 1; c < 7; ++c) b.student.set(r, c, b.student.at(r, c) - depth);
    }
    owned_projection m(5);  // target 0 has the likely class, the others share those far below
    for (index i = 0; i < 7; ++i) {
      m.add(i == 0 ? 0 : 1 + i % 4, i == 0 ? 1.0 : 0.75);
      if (i > 0) m.add(1 + (i + 1) % 4, 0.25);
      m.end_row();
    }
    expect_projection(b, other, m, uncovered_classes::left_out, depth * 4);
    EXPECT_GT(projected_kl(b.student.view(), other.teacher.view(), m.view()), 0.1 * depth);
  }
}

TEST(projected_kl, counts_a_teacher_that_is_nowhere_reached_as_nothing_to_learn) {
  batch<float> b(2, 3);
  owned_projection m(3);
  for (index i = 0; i < 3; ++i) m.end_row();
  loss_value const found =
      projected_kl.with_grad(b.student.view(), b.teacher.view(), m.view(), b.gradient.view());
  EXPECT_EQ(found.value, 0.0);
  for (index c = 0; c < 3; ++c) EXPECT_EQ(b.gradient.at(0, c), 0.0);
}

TEST(projected_kl, takes_indices_of_either_size) {
  batch<float> b(2, 4);
  std::vector<std::int32_t> const offsets = {0, 1, 2, 3, 4};
  std::vector<std::int64_t> const columns = {1, 0, 3, 2};
  double const weights[] = {1, 1, 1, 1};
  sparse_projection const swapped(offsets, columns, std::span(weights), 4);
  batch<float> exchanged(2, 4);
  for (index r = 0; r < 2; ++r) {
    for (index c = 0; c < 4; ++c) exchanged.student.set(r, c ^ 1, b.student.at(r, c));
  }
  EXPECT_NEAR(projected_kl(b.student.view(), b.teacher.view(), swapped),
              forward_kl(exchanged.student.view(), b.teacher.view()), 1e-6);
}

TEST(projected_kl, refuses) {
  batch<float> b(2, 3);
  auto const z = b.student.view();
  auto const refusal = [&](std::vector<int> const& offsets, std::vector<int> const& columns,
                           std::vector<float> const& weights, index targets) {
    return refusal_of(
        [&] { (void)projected_kl(z, z, sparse_projection(offsets, columns, weights, targets)); });
  };
  std::string const name = "distil::projected_kl: ";
  std::vector<float> const three = {1, 1, 1};
  EXPECT_EQ(
      refusal({0, 1, 2}, {0, 1, 2}, three, 3),
      name +
          "projection.offsets is of size 3; it must be of size 4, one more than the classes of the student");
  EXPECT_EQ(refusal({0, 1, 2, 3}, {0, 1, 2}, three, 4),
            name + "projection.targets is 4; it must be 3, the classes of the teacher");
  EXPECT_EQ(refusal({0, 1, 2, 3}, {0, 1}, three, 3),
            name + "projection.columns is of size 2; it must be of size 3, one for each weight");
  EXPECT_EQ(refusal({0, 2, 1, 3}, {0, 1, 2}, three, 3),
            name + "projection.offsets is 1 at 2; it must be 0 at first, and never less than the one before");
  EXPECT_EQ(refusal({1, 1, 2, 3}, {0, 1, 2}, three, 3),
            name + "projection.offsets is 1 at 0; it must be 0 at first, and never less than the one before");
  EXPECT_EQ(refusal({0, 1, 2, 2}, {0, 1, 2}, three, 3),
            name + "projection.offsets is 2 at last; it must be 3 at last, the number of entries");
  EXPECT_EQ(refusal({0, 1, 2, 3}, {0, 3, 2}, three, 3),
            name + "projection.columns is 3 at 1; it must be within [0, 3)");
  EXPECT_EQ(refusal({0, 1, 2, 3}, {0, -1, 2}, three, 3),
            name + "projection.columns is -1 at 1; it must be within [0, 3)");
  EXPECT_EQ(refusal({0, 1, 2, 3}, {0, 1, 2}, {1, 1, -0.5F}, 3),
            name + "projection.weights is -0.5 at 2; it must be finite and >= 0");
}

template <class T>
void expect_slopes() {
  expect_slopes_of_rows<projected_kl_case, T>(
      [](batch<T>& b, setting const& s, row_options const& rows, std::span<double> slope, bool gradient) {
        auto const projection = owned_projection::mixing(b.columns, b.columns);
        auto options = projected_kl_case::options(s, rows, false);
        options.temperature_gradient = slope;
        if (gradient) {
          projected_kl.with_grad(b.student.view(), b.teacher.view(), projection.view(), b.gradient.view(),
                                 options);
        } else {
          (void)projected_kl(b.student.view(), b.teacher.view(), projection.view(), options);
        }
      });
}

TEST(projected_kl, takes_a_temperature_of_the_teacher) {
  auto const projection = owned_projection::mixing(9, 9);
  expect_temperature_of_teacher<projected_kl_case, projected_kl_options>(
      [&](batch<double>& b, projected_kl_options const& options) {
        return projected_kl.with_grad(b.student.view(), b.teacher.view(), projection.view(),
                                      b.gradient.view(), options);
      });
}

TEST(projected_kl, differentiates_by_the_temperature) {
  expect_slopes<double>();
  expect_slopes<float>();
}

}  // namespace
}  // namespace distil::testing
