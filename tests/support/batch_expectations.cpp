#include "batch_expectations.hpp"

namespace distil::testing {
namespace {

/// The weights of the rows that count.
std::vector<long double> weights_of(any_batch const& b, coupled_rows const& rows) {
  std::vector<long double> result;
  for (index r = 0; r < b.rows; ++r) {
    bool const ignored = rows.labels.size() > 0 && rows.labels[r] == rows.ignore_label;
    bool const masked = reference::fully_masked(b.student.row<long double>(r)) ||
                        reference::fully_masked(b.teacher.row<long double>(r));
    result.push_back(ignored || masked ? 0.0L : static_cast<long double>(rows.weights[r]));
  }
  return result;
}

}  // namespace

coupled_truth coupled_truth_of(batch_case const& of, any_batch const& b, setting const& s,
                               coupled_rows const& rows) {
  exact_matrix students, teachers;
  for (index r = 0; r < b.rows; ++r) {
    students.push_back(b.student.row<long double>(r));
    teachers.push_back(b.teacher.row<long double>(r));
  }
  return of.of(students, teachers, weights_of(b, rows), s);
}

void expect_coupled(batch_case const& of, any_batch& b, setting const& s, coupled_rows const& rows,
                    std::string const& what) {
  auto const [epsilon, smallest] = limits_of(b.student.type(), b.teacher.type());
  std::string const where =
      what + ", " + s.label + ", " + std::to_string(b.rows) + "x" + std::to_string(b.columns);
  coupled_truth const exact = coupled_truth_of(of, b, s, rows);
  loss_value const only = of.value(b, s, rows);
  loss_value const found = of.with_grad(b, s, rows);
  EXPECT_EQ(only.value, found.value) << where;
  EXPECT_TRUE(close(found.value, exact.value, of.traits.bound.value * epsilon * exact.value_scale + smallest))
      << where;
  long double weight = 0;
  for (long double const each : weights_of(b, rows)) weight += each;
  EXPECT_NEAR(found.weight, static_cast<double>(weight), 1e-12 * static_cast<double>(weight)) << where;
  for (index r = 0; r < b.rows; ++r) {
    auto const at = static_cast<std::size_t>(r);
    for (index c = 0; c < b.columns; ++c) {
      bool const masked = b.student.at(r, c) == minus_infinity;
      long double const expected = masked ? 0.0L : exact.gradient[at][static_cast<std::size_t>(c)];
      double const allowed = of.traits.bound.gradient * epsilon * exact.gradient_scale[at] + smallest +
                             storage_rounding(b.gradient.type(), static_cast<double>(expected));
      ASSERT_TRUE(close(b.gradient.at(r, c), expected, allowed))
          << where << ", gradient of row " << r << ", class " << c;
    }
  }
  EXPECT_EQ(b.gradient.damaged_guards(), 0) << where;
}

}  // namespace distil::testing
