#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "cases/case.hpp"
#include "element_types.hpp"

/// Holds a loss against the reference of its entry, within the bounds the loss itself states.
namespace distil::testing {

/// What the reference says of a batch.
struct batch_truth {
  long double value = 0;
  long double weight = 0;
  double value_error = 0;  ///< allowed
  std::vector<truth> rows = {};
  std::vector<long double> factors = {};  ///< d reduced / d row
};

template <class Case, class Batch, class Setting>
batch_truth truth_of(Batch const& b, Setting const& s, row_options const& options, double epsilon) {
  std::vector<reference::row_loss<long double>> losses;
  batch_truth result;
  for (index r = 0; r < b.rows; ++r) {
    bool const skipped = !(options.weights[r] > 0);
    truth row = Case::of(b.student.template row<long double>(r), b.teacher.template row<long double>(r),
                         b.labels[static_cast<std::size_t>(r)], s);
    if (skipped) row = {.gradient = exact_row(static_cast<std::size_t>(b.columns), 0)};
    losses.push_back({row.value, row.weight});
    result.rows.push_back(row);
  }
  reference::batch_options<long double> reduce{
      .mean = options.reduce == reduction::mean, .row_weights = {}, .normalizer = options.normalizer};
  for (index r = 0; r < b.rows; ++r) reduce.row_weights.push_back(options.weights[r]);
  auto const reduced = reference::reduce(losses, reduce);
  result.value = reduced.value;
  result.weight = reduced.weight;
  result.factors = reduced.row_factors;
  for (std::size_t r = 0; r < result.rows.size(); ++r) {
    truth const& row = result.rows[r];
    double const size = std::isfinite(row.value) ? static_cast<double>(std::abs(row.value)) : 0.0;
    result.value_error +=
        static_cast<double>(result.factors[r]) * Case::bound.value * epsilon * (size + row.value_scale);
  }
  return result;
}

/// `found` within `allowed` of `expected`; NaN and infinities must be met exactly.
inline ::testing::AssertionResult close(double found, long double expected, double allowed) {
  double const wanted = static_cast<double>(expected);
  if (std::isnan(wanted) ? std::isnan(found) : found == wanted) return ::testing::AssertionSuccess();
  if (std::isfinite(wanted) && std::abs(static_cast<long double>(found) - expected) <= allowed) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure()
         << std::hexfloat << found << " = " << std::defaultfloat << found << " instead of " << wanted
         << ", off by " << std::abs(found - wanted) << ", allowed " << allowed;
}

/// What dL/dT of a row may be off by, in epsilons: see `error_bound`.
template <class Case, class Batch>
double allowed_slope(Batch const& b, index r, truth const& row, double temperature) {
  auto const z = b.student.template row<long double>(r), t = b.teacher.template row<long double>(r);
  auto const q = reference::from_logits(z, static_cast<long double>(temperature));
  auto const p = reference::from_logits(t, static_cast<long double>(temperature));
  long double const f = static_cast<long double>(row.value_scale / size_of_classes(z));
  auto const distances = [&](exact_row const& logits, exact_row const& probability) {
    exact_row d(logits.size(), 0);
    long double const mean = reference::expectation(probability, logits);
    for (std::size_t c = 0; c < d.size(); ++c)
      d[c] = std::isinf(logits[c]) ? 0 : std::abs(logits[c] - mean) / static_cast<long double>(temperature);
    return d;
  };
  exact_row const of_student = distances(z, q.probability), of_teacher = distances(t, p.probability);
  long double sum = 2 * std::abs(row.value);
  for (std::size_t c = 0; c < z.size(); ++c) {
    long double size =
        std::abs(row.gradient[c]) * static_cast<long double>(temperature) + f * q.probability[c];
    long double distance = of_student[c] * (1 + of_student[c]);
    if (Case::has_teacher) {
      size += f * p.probability[c];
      distance += of_teacher[c] * (1 + of_teacher[c]);
    }
    sum += size * distance;
  }
  return (Case::bound.temperature_gradient * static_cast<double>(sum) +
          Case::bound.temperature_floor * static_cast<double>(f)) /
         temperature;
}

template <class Case, class Batch, class Storage>
void expect_gradient(Batch const& b, owned_matrix<Storage> const& gradient, batch_truth const& exact,
                     double epsilon, double smallest, std::string const& where) {
  for (index r = 0; r < b.rows; ++r) {
    truth const& row = exact.rows[static_cast<std::size_t>(r)];
    long double const factor = exact.factors[static_cast<std::size_t>(r)];
    for (index c = 0; c < b.columns; ++c) {
      bool const masked = b.student.at(r, c) == -std::numeric_limits<double>::infinity();
      long double const expected =
          factor == 0 || masked ? 0.0L : factor * row.gradient[static_cast<std::size_t>(c)];
      double const allowed =
          Case::bound.gradient * epsilon * row.gradient_scale * static_cast<double>(factor) + smallest +
          storage_rounding<Storage>(static_cast<double>(expected));
      ASSERT_TRUE(close(gradient.at(r, c), expected, allowed))
          << where << ", gradient of row " << r << ", class " << c;
    }
  }
  EXPECT_EQ(gradient.damaged_guards(), 0) << where;
}

template <class Case, class S, class Te>
using arithmetic_of =
    std::common_type_t<arithmetic_t<S>, std::conditional_t<Case::has_teacher, arithmetic_t<Te>, float>>;

/// Value, weight and gradient of one batch against what the reference says of it; the value form gives the same bits.
template <class Case, class S, class Te, class G, class Setting>
void expect_truth(batch<S, Te, G>& b, batch_truth const& exact, Setting const& s, row_options const& rows,
                  std::string const& what) {
  using arithmetic = arithmetic_of<Case, S, Te>;
  double const epsilon = std::numeric_limits<arithmetic>::epsilon();
  double const smallest = std::numeric_limits<arithmetic>::min();
  std::string const where =
      what + ", " + s.label + ", " + std::to_string(b.rows) + "x" + std::to_string(b.columns);
  loss_value const found = Case::with_grad(serial, b, b.gradient.view(), s, rows);
  EXPECT_TRUE(close(found.value, exact.value, exact.value_error + smallest)) << where;
  if constexpr (std::is_same_v<S, G>) {  // for other mixes of types it would only be compiled once more
    loss_value const only = Case::value(serial, b, s, rows);
    EXPECT_TRUE(only.value == found.value || (std::isnan(only.value) && std::isnan(found.value)))
        << where << ": the value form gives " << only.value << ", with_grad " << found.value;
  }
  EXPECT_NEAR(found.weight, static_cast<double>(exact.weight),
              1e-12 * std::abs(static_cast<double>(exact.weight)))
      << where;
  expect_gradient<Case>(b, b.gradient, exact, epsilon, smallest, where);
}

template <class Case, class S, class Te, class G, class Setting>
void expect_reference(batch<S, Te, G>& b, Setting const& s, row_options const& rows,
                      std::string const& what) {
  double const epsilon = std::numeric_limits<arithmetic_of<Case, S, Te>>::epsilon();
  expect_truth<Case>(b, truth_of<Case>(b, s, rows, epsilon), s, rows, what);
}

}  // namespace distil::testing
