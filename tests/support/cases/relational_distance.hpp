#pragma once

#include "distil/relation/relational_distance.hpp"

#include "pair_case.hpp"
#include "relational_reference.hpp"

namespace distil::testing {

struct relational_distance_case
    : pair_case<distil::relational_distance, relational_distance_options, pair_arguments::matrices> {
  static constexpr char const* name = "relational_distance";
  static constexpr error_bound bound = relational_distance_loss::bound;

  static std::vector<setting> settings() {
    return {{},
            {"unit features", {.unit_features = true}},
            {"least squared distance 3", {.least_squared_distance = 3.0}}};
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    index const rows = student.samples();
    exact_map const of_student = normalised(student, s), of_teacher = normalised(teacher, s);
    long double sum = 0;
    for (std::size_t i = 0; i < of_student.values.size(); ++i)
      sum += smooth_l1_of(of_student.values[i] - of_teacher.values[i]);
    return rows == 0 ? 0 : sum / static_cast<long double>(rows * rows);
  }

  static pair_scales scales(exact_map const& student, exact_map const&, setting const& s) {
    bool const unit = s.options.unit_features;
    auto const mean = static_cast<double>(mean_distance_of(distances(student, s)));
    double const scale = mean > 0 ? 2 / (static_cast<double>(student.samples()) * mean) : 1;
    return {1, unit ? scale / shortest_row_of(student) : scale};
  }

 private:
  static exact_map distances(exact_map const& x, setting const& s) {
    exact_map result = distances_of(s.options.unit_features ? unit_rows_of(x) : x);
    auto const least = std::sqrt(static_cast<long double>(s.options.least_squared_distance));
    for (index i = 0; i < x.samples(); ++i) {
      for (index j = 0; j < x.samples(); ++j) {
        if (i != j) result(i, j) = std::max(result(i, j), least);
      }
    }
    return result;
  }
  static exact_map normalised(exact_map const& x, setting const& s) {
    exact_map result = distances(x, s);
    long double const mean = mean_distance_of(result);
    for (long double& d : result.values) d /= mean == 0 ? 1 : mean;
    return result;
  }
};

}  // namespace distil::testing
