#pragma once

#include <cstdint>
#include <numeric>
#include <vector>

#include "allocations.hpp"
#include "expectations.hpp"
#include "reference_top_k.hpp"

namespace distil::testing {

/// A student and k random classes of a teacher, with the teacher's mass elsewhere.
template <class Student, class Values = Student, class Id = std::int32_t, class Gradient = Student>
struct top_k_batch {
  index rows, columns, k;
  owned_matrix<Student> student;
  owned_matrix<Values> values;
  owned_matrix<Gradient> gradient;
  std::vector<Id> ids;
  std::vector<std::int32_t> counts, labels;
  std::vector<double> log_tail_mass;
  teacher_form form;

  /// `lead` is added to the student's logits of the listed classes: its mass elsewhere shrinks.
  top_k_batch(index row_count, index column_count, index listed, teacher_form what, double lead = 0,
              layout order = layout::padded, double captured = 1, std::uint64_t seed = 3)
      : rows(row_count),
        columns(column_count),
        k(listed),
        student(row_count, column_count, order),
        values(row_count, listed, order),
        gradient(row_count, column_count, order),
        ids(static_cast<std::size_t>(row_count * listed)),
        form(what) {
    numbers random(seed);
    for (index r = 0; r < rows; ++r) {
      std::vector<long double> teacher;
      for (index c = 0; c < columns; ++c) {
        student.set(r, c, 4 * random.next());
        teacher.push_back(4 * random.next());
      }
      std::vector<index> order_of_classes(static_cast<std::size_t>(columns));
      std::iota(order_of_classes.begin(), order_of_classes.end(), index{0});
      for (index i = columns - 1; i > 0; --i) {
        std::swap(order_of_classes[static_cast<std::size_t>(i)],
                  order_of_classes[static_cast<std::size_t>(random.below(i + 1))]);
      }
      order_of_classes.resize(static_cast<std::size_t>(k));
      // Listed classes are likely ones.
      for (index const c : order_of_classes) teacher[static_cast<std::size_t>(c)] += 3;
      auto const log_p = reference::log_softmax(teacher, captured);
      long double tail = 1;
      for (index i = 0; i < k; ++i) {
        index const c = order_of_classes[static_cast<std::size_t>(i)];
        auto const at = static_cast<std::size_t>(c);
        ids[static_cast<std::size_t>(r * k + i)] = static_cast<Id>(c);
        student.set(r, c, student.at(r, c) + lead);
        long double const stored = form == teacher_form::logits              ? teacher[at]
                                   : form == teacher_form::log_probabilities ? log_p[at]
                                                                             : std::exp(log_p[at]);
        values.set(r, i, static_cast<double>(stored));
        tail -= std::exp(log_p[at]);
      }
      log_tail_mass.push_back(k == columns ? minus_infinity : static_cast<double>(std::log(tail)));
      counts.push_back(static_cast<std::int32_t>(k));
      labels.push_back(static_cast<std::int32_t>(random.below(columns)));
    }
  }

  [[nodiscard]] matrix_view<Id const> ids_view() const { return {ids.data(), rows, k}; }
  [[nodiscard]] auto teacher(top_k_options options) const {
    options.form = form;
    if (!options.counts.size()) options.counts = counts;
    return top_k(ids_view(), values.view(), options);
  }
  [[nodiscard]] reference::top_k_entries entries(index r) const {
    reference::top_k_entries result;
    for (index i = 0; i < counts[static_cast<std::size_t>(r)]; ++i) {
      double const stored = values.at(r, i);
      if (stored == (form == teacher_form::probabilities ? 0.0 : minus_infinity)) continue;
      result.classes.push_back(static_cast<std::size_t>(ids[static_cast<std::size_t>(r * k + i)]));
      result.stored.push_back(stored);
    }
    return result;
  }
};

/// Value, weight and gradient of a divergence on a batch against the reference, within `bound`.
template <class Divergence, class Batch>
void expect_top_k(Divergence const& loss, reference::summand const& f, Batch& b,
                  top_k_options teacher_options, divergence_options const& options, error_bound bound,
                  std::string const& what) {
  using S = std::remove_const_t<typename decltype(b.student.view())::element>;
  using G = std::remove_const_t<typename decltype(b.gradient.view())::element>;
  using T =
      std::common_type_t<arithmetic_t<S>,
                         arithmetic_t<std::remove_const_t<typename decltype(b.values.view())::element>>>;
  double const epsilon = std::numeric_limits<T>::epsilon();
  teacher_options.form = b.form;
  auto const teacher = b.teacher(teacher_options);
  std::vector<double> values(static_cast<std::size_t>(b.rows), -1.0);
  divergence_options with_values = options;
  with_values.rows.values = values;
  loss_value const found = loss.with_grad(b.student.view(), teacher, b.gradient.view(), with_values);
  expect_no_allocation(what,
                       [&] { loss.with_grad(b.student.view(), teacher, b.gradient.view(), with_values); });
  if constexpr (std::is_same_v<S, G> && std::is_same_v<S, T>) {  // as in expect_truth
    loss_value const only = loss(b.student.view(), teacher, options);
    EXPECT_TRUE(only.value == found.value || (std::isnan(only.value) && std::isnan(found.value))) << what;
  }
  double weight = 0;
  std::vector<reference::top_k_loss> exact;
  for (index r = 0; r < b.rows; ++r) {
    auto const at = static_cast<std::size_t>(r);
    // A row of weight 0 may hold anything.
    exact.push_back(options.rows.weights[r] > 0
                        ? reference::top_k(f, b.student.template row<long double>(r), b.entries(r),
                                           teacher_options, at, options.temperature[r])
                        : reference::top_k_loss{0, 0, exact_row(static_cast<std::size_t>(b.columns), 0)});
    weight += static_cast<double>(exact.back().weight) * options.rows.weights[r];
  }
  EXPECT_NEAR(found.weight, weight, 1e-9) << what;
  for (index r = 0; r < b.rows; ++r) {
    auto const& row = exact[static_cast<std::size_t>(r)];
    double const T_of_row = options.temperature[r];
    double const factor = options.scale_by_temperature_squared ? T_of_row * T_of_row : 1.0;
    double const size = std::isfinite(row.value) ? std::abs(static_cast<double>(row.value)) : 0.0;
    double const scale = factor * (1 + std::log(static_cast<double>(b.columns)));
    bool const counts = options.rows.weights[r] > 0;
    ASSERT_TRUE(close(values[static_cast<std::size_t>(r)], counts ? factor * row.value : 0.0L,
                      bound.value * epsilon * (factor * size + scale)))
        << what << ", value of row " << r;
    double const of_row = weight > 0 ? options.rows.weights[r] / weight : 0.0;
    for (index c = 0; c < b.columns; ++c) {
      long double const expected =
          counts ? of_row * factor * row.gradient[static_cast<std::size_t>(c)] : 0.0L;
      if (!std::isfinite(expected)) continue;
      ASSERT_TRUE(close(b.gradient.at(r, c), expected,
                        std::max(bound.gradient, size) * epsilon * of_row * factor / T_of_row +
                            std::numeric_limits<T>::min() +
                            storage_rounding<G>(static_cast<double>(expected))))
          << what << ", gradient of row " << r << ", class " << c;
    }
  }
  EXPECT_EQ(b.gradient.damaged_guards(), 0) << what;
}

}  // namespace distil::testing
