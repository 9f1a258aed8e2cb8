#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "distil/core/labels.hpp"
#include "distil/core/number_rows.hpp"
#include "distil/core/row_options.hpp"

namespace distil {

/// Why rows of a batch count, or do not. A row is named by the first reason of this order.
struct counted_rows {
  index rows = 0;
  index ignored = 0;       ///< by their label
  index weightless = 0;    ///< have weight 0
  index fully_masked = 0;  ///< have no class, of the student or the teacher
  index invalid = 0;       ///< hold a NaN or +inf: they count, and make the loss NaN
  index counted = 0;       ///< all others

  double masked_classes = 0;  ///< share of the student's elements that are -inf
  double masked_classes_of_teacher = 0;
  double mass_beyond_student =
      0;  ///< mean probability, at temperature 1, that the teacher gives to classes the student masks:
          ///< where it is not 0 the forward divergence is infinite
};

/// Looks why a loss is 0, NaN, infinite or divided by less than expected. `options` are the loss's, of which it reads weights,
/// labels and the ignored label; `labels` are those that the loss takes besides.
///
/// @param  student, teacher logits [rows, classes] of any type and layout; the teacher may be left out: `{}`
/// @throws std::invalid_argument when a shape is refused
/// @cost   one read of both, and an exponential a class of the teacher, in double
inline counted_rows counted_rows_of(number_matrix const& student, number_matrix const& teacher = {},
                                    row_options const& options = {}, label_view labels = {}) {
  constexpr char const* where = "counted_rows_of";
  constexpr double infinity = std::numeric_limits<double>::infinity();
  index const rows = student.extent().rows, classes = student.extent().columns;
  detail::require(student.given() && classes >= 1, where, "student", "without a class", "rows x classes");
  if (teacher.given()) detail::require_shape(where, "teacher", teacher.extent(), rows, classes);
  if (labels.size() > 0) detail::require_size(where, "labels", labels.size(), rows);
  detail::require_rows(where, options, rows);
  std::vector<double> q(static_cast<std::size_t>(classes)), p(q.size());
  counted_rows found{.rows = rows};
  struct kinds {
    index masked = 0, invalid = 0;
  };
  auto const look = [&](std::vector<double> const& row) {
    kinds seen;
    for (double const z : row) {
      seen.masked += z == -infinity ? 1 : 0;
      seen.invalid += z < infinity ? 0 : 1;
    }
    return seen;
  };
  double with_teacher = 0.0;
  for (index r = 0; r < rows; ++r) {
    detail::read_row(student, r, q.data());
    kinds const of_student = look(q);
    kinds of_teacher;
    found.masked_classes += static_cast<double>(of_student.masked);
    if (teacher.given()) {
      detail::read_row(teacher, r, p.data());
      of_teacher = look(p);
      found.masked_classes_of_teacher += static_cast<double>(of_teacher.masked);
    }
    auto const ignored = [&](label_view const& given) {
      return given.size() > 0 && given[r] == options.ignore_label;
    };
    bool const usable = of_student.invalid + of_teacher.invalid == 0;
    if (ignored(labels) || ignored(options.labels)) {
      ++found.ignored;
    } else if (!(options.weights[r] > 0.0)) {
      ++found.weightless;
    } else if (of_student.masked == classes || of_teacher.masked == classes) {
      ++found.fully_masked;
    } else if (!usable) {
      ++found.invalid;
    } else {
      ++found.counted;
      if (!teacher.given()) continue;
      detail::log_softmax_row(p.data(), classes, 1.0);
      for (std::size_t i = 0; i < p.size(); ++i) {
        found.mass_beyond_student += q[i] == -infinity ? std::exp(p[i]) : 0.0;
      }
      with_teacher += 1.0;
    }
  }
  double const elements = static_cast<double>(rows) * static_cast<double>(classes);
  if (rows > 0) {
    found.masked_classes /= elements;
    found.masked_classes_of_teacher /= elements;
  }
  if (with_teacher > 0.0) found.mass_beyond_student /= with_teacher;
  return found;
}

}  // namespace distil
