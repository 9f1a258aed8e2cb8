#include "expectations.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace distil::testing {

truth truth_of(row_case const& of, any_batch const& b, setting const& s, index r) {
  return of.of(b.student.row<long double>(r), b.teacher.row<long double>(r),
               b.labels[static_cast<std::size_t>(r)], s);
}

batch_truth truth_of(row_case const& of, any_batch const& b, setting const& s, row_options const& options,
                     double epsilon) {
  return truth_of_rows(of, b, options, epsilon, [&](index r) { return truth_of(of, b, s, r); });
}

batch_truth truth_of_rows(row_case const& of, any_batch const& b, row_options const& options, double epsilon,
                          std::function<truth(index)> const& row_truth) {
  std::vector<reference::row_loss<long double>> losses;
  batch_truth result;
  for (index r = 0; r < b.rows; ++r) {
    bool const ignored = options.labels.size() > 0 && options.labels[r] == options.ignore_label;
    bool const skipped = ignored || !(options.weights[r] > 0);
    truth row = row_truth(r);
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
        static_cast<double>(result.factors[r]) * of.traits.bound.value * epsilon * (size + row.value_scale);
  }
  return result;
}

::testing::AssertionResult close(double found, long double expected, double allowed) {
  double const wanted = static_cast<double>(expected);
  if (std::isnan(wanted) ? std::isnan(found) : found == wanted) return ::testing::AssertionSuccess();
  if (std::isfinite(wanted) && std::abs(static_cast<long double>(found) - expected) <= allowed) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure()
         << std::hexfloat << found << " = " << std::defaultfloat << found << " instead of " << wanted
         << ", off by " << std::abs(found - wanted) << ", allowed " << allowed;
}

double allowed_slope(error_bound const& bound, bool has_teacher, exact_row const& z, exact_row const& t,
                     truth const& row, double temperature) {
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
    if (has_teacher) {
      size += f * p.probability[c];
      distance += of_teacher[c] * (1 + of_teacher[c]);
    }
    sum += size * distance;
  }
  return (bound.temperature_gradient * static_cast<double>(sum) +
          bound.temperature_floor * static_cast<double>(f)) /
         temperature;
}

void expect_slopes(row_case const& of, any_batch const& b, batch_truth const& exact,
                   std::vector<double> const& temperatures, std::vector<double> const& each, double sum,
                   std::string const& where) {
  arithmetic_limits const arithmetic = limits_of(of, b);
  double expected_sum = 0, size = 0;
  for (std::size_t r = 0; r < each.size(); ++r) {
    truth const& row = exact.rows[r];
    auto const at = static_cast<index>(r);
    double const allowed =
        static_cast<double>(exact.factors[r]) * arithmetic.epsilon *
        allowed_slope(of.traits.bound, of.traits.has_teacher, b.student.row<long double>(at),
                      b.teacher.row<long double>(at), row, temperatures[r]);
    long double const expected = exact.factors[r] == 0 ? 0 : exact.factors[r] * row.by_temperature;
    // The reduction is in double, whatever the arithmetic is.
    double const reduced = std::numeric_limits<double>::epsilon() * std::abs(static_cast<double>(expected));
    EXPECT_TRUE(close(each[r], expected, allowed + reduced + arithmetic.smallest))
        << where << ", row " << r << " of " << b.columns;
    expected_sum += each[r];
    size += std::abs(each[r]);
  }
  EXPECT_NEAR(sum, expected_sum, 1e-12 * (1 + std::abs(expected_sum))) << where;
  bool const still = std::all_of(exact.rows.begin(), exact.rows.end(),
                                 [](truth const& row) { return row.by_temperature == 0; });
  EXPECT_TRUE(still || size > 0) << "says nothing: " << where << b.columns;
}

arithmetic_limits limits_of(row_case const& of, any_batch const& b) {
  return limits_of(b.student.type(), of.traits.has_teacher ? b.teacher.type() : element::float32);
}

namespace {
void expect_gradient(row_case const& of, any_batch const& b, batch_truth const& exact,
                     arithmetic_limits const& arithmetic, std::string const& where) {
  for (index r = 0; r < b.rows; ++r) {
    truth const& row = exact.rows[static_cast<std::size_t>(r)];
    long double const factor = exact.factors[static_cast<std::size_t>(r)];
    for (index c = 0; c < b.columns; ++c) {
      bool const masked = !of.traits.infinities_are_logits && b.student.at(r, c) == minus_infinity;
      long double const expected =
          factor == 0 || masked ? 0.0L : factor * row.gradient[static_cast<std::size_t>(c)];
      double const allowed =
          of.traits.bound.gradient * arithmetic.epsilon * row.gradient_scale * static_cast<double>(factor) +
          arithmetic.smallest + storage_rounding(b.gradient.type(), static_cast<double>(expected));
      ASSERT_TRUE(close(b.gradient.at(r, c), expected, allowed))
          << where << ", gradient of row " << r << ", class " << c;
    }
  }
  EXPECT_EQ(b.gradient.damaged_guards(), 0) << where;
}
}  // namespace

void expect_truth(row_case const& of, any_batch& b, batch_truth const& exact, setting const& s,
                  row_options const& rows, std::string const& what) {
  arithmetic_limits const arithmetic = limits_of(of, b);
  std::string const where =
      what + ", " + s.label + ", " + std::to_string(b.rows) + "x" + std::to_string(b.columns);
  loss_value const found = of.with_grad(b, s, rows);
  EXPECT_TRUE(close(found.value, exact.value, exact.value_error + arithmetic.smallest)) << where;
  if (b.student.type() == b.gradient.type()) {
    loss_value const only = of.value(b, s, rows);
    EXPECT_TRUE(only.value == found.value || (std::isnan(only.value) && std::isnan(found.value)))
        << where << ": the value form gives " << only.value << ", with_grad " << found.value;
  }
  EXPECT_NEAR(found.weight, static_cast<double>(exact.weight),
              1e-12 * std::abs(static_cast<double>(exact.weight)))
      << where;
  expect_gradient(of, b, exact, arithmetic, where);
}

void expect_reference(row_case const& of, any_batch& b, setting const& s, row_options const& rows,
                      std::string const& what) {
  expect_truth(of, b, truth_of(of, b, s, rows, limits_of(of, b).epsilon), s, rows, what);
}

void expect_storage(row_case const& of, element_types const& types) {
  std::string const what =
      std::string(name_of(types.student)) + ", " + name_of(types.teacher) + ", " + name_of(types.gradient);
  for (auto const& s : of.settings()) {
    for (layout const order : {layout::padded, layout::class_major}) {
      for (index const columns : {11, 150}) {
        any_batch b(types, 18, columns, 4.0, order);
        expect_reference(of, b, *s, {}, what);
      }
    }
  }
}

}  // namespace distil::testing
