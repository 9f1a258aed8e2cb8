#pragma once

#include "distil/relation/similarity_preserving.hpp"

#include "pair_case.hpp"

namespace distil::testing {

struct similarity_preserving_case
    : pair_case<distil::similarity_preserving, similarity_preserving_options, pair_arguments::matrices> {
  static constexpr char const* name = "similarity_preserving";
  static constexpr error_bound bound = similarity_preserving_loss::bound;

  static long double of(exact_map const& student, exact_map const& teacher, setting const&) {
    index const rows = student.samples();
    auto const of_student = unit_gram(student), of_teacher = unit_gram(teacher);
    long double sum = 0;
    for (index i = 0; i < rows; ++i) {
      for (index j = 0; j < rows; ++j) sum += std::pow(of_student(i, j) - of_teacher(i, j), 2);
    }
    return rows == 0 ? 0 : sum / static_cast<long double>(rows * rows);
  }

  static pair_scales scales(exact_map const& student, exact_map const&, setting const&) {
    auto const rows = static_cast<double>(student.samples());
    double shortest = 1e300;
    for (index i = 0; i < student.samples(); ++i) {
      double squares = 0;
      for (index c = 0; c < student.channels(); ++c)
        squares += static_cast<double>(student(i, c) * student(i, c));
      shortest = std::min(shortest, std::sqrt(squares));
    }
    return {1 / rows, 1 / (rows * rows * shortest)};
  }

 private:
  static exact_map unit_gram(exact_map const& x) {
    index const rows = x.samples();
    exact_map result({rows, rows, 1, 1});
    for (index i = 0; i < rows; ++i) {
      long double squares = 0;
      for (index j = 0; j < rows; ++j) {
        for (index c = 0; c < x.channels(); ++c) result(i, j) += x(i, c) * x(j, c);
        squares += result(i, j) * result(i, j);
      }
      for (index j = 0; j < rows && squares > 0; ++j) result(i, j) /= std::sqrt(squares);
    }
    return result;
  }
};

}  // namespace distil::testing
