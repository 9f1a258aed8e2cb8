#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "distil/core/labels.hpp"
#include "distil/core/number_rows.hpp"

namespace distil {

struct agreement_options {
  double temperature = 1;  ///< of the divergence and the overlap of probabilities; within [1e-15, 1e15]
  index top = 5;           ///< classes whose overlap is counted; at least 1
  std::int64_t ignore_label = -100;  ///< rows with this label do not count
};

/// How far student and teacher say the same, as means over the rows that count.
struct agreement {
  double rows =
      0;  ///< that count: with a class on both sides, no NaN or +inf, and a label that is not ignored
  double same_choice = 0;   ///< share of rows in which both have the same largest class
  double top_overlap = 0;   ///< share of the teacher's largest classes that are among the student's largest
  double mass_overlap = 0;  ///< sum min(p, q): 1 - total variation
  double forward_kl =
      0;  ///< KL(teacher || student), without T^2; infinite where the student masks what the teacher has
  double student_right = 0;  ///< share of rows in which the largest class is the label; 0 without labels
  double teacher_right = 0;
  double both_right = 0;             ///< and in which both are: what the student could have copied
  double student_follows_error = 0;  ///< share of the teacher's errors that the student makes, too
  double rank_of_label =
      0;  ///< mean place of the label among the student's classes, 1 for the largest; 0 without labels
};

namespace detail {

/// The largest class, the first of several; masked ones never.
inline index first_largest(double const* row, index classes) noexcept {
  index found = -1;
  for (index i = 0; i < classes; ++i) {
    if (row[i] > -std::numeric_limits<double>::infinity() && (found < 0 || row[i] > row[found])) found = i;
  }
  return found;
}

/// How many classes come before this one, by size and then by number.
inline index rank_in_row(double const* row, index classes, index at) noexcept {
  index before = 0;
  for (index i = 0; i < classes; ++i) before += row[i] > row[at] || (row[i] == row[at] && i < at) ? 1 : 0;
  return before;
}

/// So many classes in descending order, equal ones by number; masked ones never.
inline void largest_classes(double const* row, index classes, index count, std::vector<index>& found) {
  found.clear();
  for (index i = 0; i < classes; ++i) {
    if (row[i] > -std::numeric_limits<double>::infinity()) found.push_back(i);
  }
  auto const wanted = std::min(found.size(), static_cast<std::size_t>(count));
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(wanted), found.end(),
                    [row](index a, index b) { return row[a] != row[b] ? row[a] > row[b] : a < b; });
  found.resize(wanted);
}

/// Whether a row can be looked at: some class, and neither NaN nor +inf.
inline bool is_usable_row(double const* row, index classes) noexcept {
  bool any = false;
  for (index i = 0; i < classes; ++i) {
    if (!(row[i] < std::numeric_limits<double>::infinity())) return false;
    any = any || row[i] > -std::numeric_limits<double>::infinity();
  }
  return any;
}

}  // namespace detail

/// Looks at a batch of logits of student and teacher: their agreement, which tells a student that learned its teacher from one
/// that learned the labels (Stanton et al. 2021, arXiv:2106.05945, who call `same_choice` fidelity).
///
///     agreement const seen = agreement_of(student, teacher, labels);
///     std::printf("%.1f %% the same, %.3f nats apart", 100 * seen.same_choice, seen.forward_kl);
///
/// @param  student, teacher logits [rows, classes] of any type and layout; -inf masks a class
/// @param  labels  none, or one per row
/// @throws std::invalid_argument when a shape, label or option is refused
/// @cost   two exponentials a class, in double, and a selection of the largest classes
inline agreement agreement_of(number_matrix const& student, number_matrix const& teacher,
                              label_view labels = {}, agreement_options const& options = {}) {
  constexpr char const* where = "agreement_of";
  index const rows = student.extent().rows, classes = student.extent().columns;
  detail::require(student.given() && classes >= 1, where, "student", "without a class", "rows x classes");
  detail::require(teacher.given(), where, "teacher", "nothing", "logits of the student's shape");
  detail::require_shape(where, "teacher", teacher.extent(), rows, classes);
  detail::require(detail::is_temperature(options.temperature), where, "temperature", options.temperature,
                  detail::must_be_temperature);
  detail::require(options.top >= 1, where, "top", options.top, "at least 1");
  bool const labelled = labels.size() > 0;
  if (labelled) {
    detail::require_size(where, "labels", labels.size(), rows);
    index const bad = labels.first_where(
        [&](std::int64_t label) { return label != options.ignore_label && (label < 0 || label >= classes); });
    detail::require(
        bad == labels.size(), where, "label", [&] { return detail::said(labels[bad], " in row ", bad); },
        [&] {
          return detail::said("within [0, ", classes, ") or the ignored label ", options.ignore_label);
        });
  }

  std::vector<double> q(static_cast<std::size_t>(classes)), p(q.size());
  agreement sum;
  double teacher_errors = 0.0;
  std::vector<index> of_q, of_p;
  for (index row = 0; row < rows; ++row) {
    if (labelled && labels[row] == options.ignore_label) continue;
    detail::read_row(student, row, q.data());
    detail::read_row(teacher, row, p.data());
    if (!detail::is_usable_row(q.data(), classes) || !detail::is_usable_row(p.data(), classes)) continue;
    sum.rows += 1.0;
    index const chosen = detail::first_largest(q.data(), classes),
                of_teacher = detail::first_largest(p.data(), classes);
    sum.same_choice += chosen == of_teacher ? 1.0 : 0.0;
    detail::largest_classes(q.data(), classes, options.top, of_q);
    detail::largest_classes(p.data(), classes, options.top, of_p);
    double common = 0.0;
    for (index const each : of_p)
      common += std::find(of_q.begin(), of_q.end(), each) != of_q.end() ? 1.0 : 0.0;
    sum.top_overlap += common / static_cast<double>(of_p.size());
    if (labelled) {
      auto const label = static_cast<index>(labels[row]);
      bool const right = chosen == label, teacher_right = of_teacher == label;
      sum.student_right += right ? 1.0 : 0.0;
      sum.teacher_right += teacher_right ? 1.0 : 0.0;
      sum.both_right += right && teacher_right ? 1.0 : 0.0;
      teacher_errors += teacher_right ? 0.0 : 1.0;
      sum.student_follows_error += !teacher_right && chosen == of_teacher ? 1.0 : 0.0;
      sum.rank_of_label += 1.0 + static_cast<double>(detail::rank_in_row(q.data(), classes, label));
    }
    detail::log_softmax_row(q.data(), classes, options.temperature);
    detail::log_softmax_row(p.data(), classes, options.temperature);
    for (std::size_t i = 0; i < q.size(); ++i) {
      double const probability = std::exp(p[i]);
      sum.mass_overlap += std::min(probability, std::exp(q[i]));
      if (probability > 0.0) sum.forward_kl += probability * (p[i] - q[i]);
    }
  }
  if (sum.rows == 0.0) return {};
  for (double* const each : {&sum.same_choice, &sum.top_overlap, &sum.mass_overlap, &sum.forward_kl,
                             &sum.student_right, &sum.teacher_right, &sum.both_right, &sum.rank_of_label}) {
    *each /= sum.rows;
  }
  sum.student_follows_error = teacher_errors > 0.0 ? sum.student_follows_error / teacher_errors : 0.0;
  return sum;
}

}  // namespace distil
