#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "distil/core/number_checks.hpp"
#include "distil/response/forward_kl.hpp"
#include "distil/response/fuse.hpp"

namespace distil {

/// What the divergences from a student's peers become.
enum class peer_reduction {
  sum,  ///< a student with more peers is pulled harder
  mean  ///< over the K - 1 peers, as in the paper
};

/// Options of `mutual_learning`.
struct mutual_learning_options {
  row_parameter temperature = 1;                ///< of both sides. Default 1, as in the paper
  bool scale_by_temperature_squared = true;     ///< multiplies by T^2. Default true; nothing at T = 1
  peer_reduction peers = peer_reduction::mean;  ///< default as in the paper
  double weight = 1;        ///< multiplies values and gradients; finite and >= 0. Default 1
  row_options rows = {};    ///< weights, reduction, divisor; without `values`
  bool accumulate = false;  ///< adds to the gradients, of a cross entropy for example. Default false
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// Deep mutual learning: K students teach each other, and each has its own value and gradient.
/// @alias     DML
///
/// @formula   L_i = weight / (K - 1) * sum over j != i of forward_kl(student i, teacher student j); with
///            `peer_reduction::sum` not divided by K - 1. The peers are constants (detached): no gradient passes into them
/// @param     students  [rows, classes] logits of each, of one shape
/// @param     gradients dL_i / dz_i of each, apart from all students (each is a teacher, too) and from each other
/// @return    the value of each student. One student alone has value 0 and gradient 0, weight 0
/// @throws    std::invalid_argument, when shapes, numbers of matrices or options do not fit, before anything is written
/// @nan       a row with a NaN is NaN for every student; a fully masked student or peer counts for nothing in a pair
/// @cost      K (K - 1) times forward_kl
/// @source    Zhang et al. 2018 (Deep mutual learning), arXiv:1706.00384: the mean, for K = 2 both.
///            KD_Lib takes the squared error of probabilities by default, and does not detach the peers: its gradient is
///            another
/// @example   distil::mutual_learning(students, gradients, {.accumulate = true});   // after cross entropy of each
inline std::vector<loss_value> mutual_learning(std::span<matrix_view<float const> const> students,
                                               std::span<matrix_view<float> const> gradients,
                                               mutual_learning_options const& options = {});
inline std::vector<loss_value> mutual_learning(std::span<matrix_view<double const> const> students,
                                               std::span<matrix_view<double> const> gradients,
                                               mutual_learning_options const& options = {});

namespace mutual {

template <class T>
void require_all(std::span<matrix_view<T const> const> students, std::span<matrix_view<T> const> gradients,
                 mutual_learning_options const& options) {
  constexpr auto where = "mutual_learning";
  using detail::said;
  detail::require(!students.empty(), where, "students", "an empty list", "at least one matrix");
  detail::require(
      gradients.size() == students.size(), where, "gradients",
      [&] { return said(gradients.size(), " matrices"); },
      [&] { return said("one a student, ", students.size()); });
  index const rows = students[0].rows, classes = students[0].columns;
  for (std::size_t i = 0; i < students.size(); ++i) {
    detail::require_matrix(where, said("students[", i, "]"), students[i]);
    detail::require_shape(where, said("students[", i, "]"), students[i], rows, classes);
    detail::require_shape(where, said("gradients[", i, "]"), gradients[i], rows, classes);
    detail::require_distinct_elements(where, gradients[i]);
    for (std::size_t j = 0; j < students.size(); ++j) {
      detail::require_apart(where, gradients[i], said("students[", j, "]"), students[j]);
      if (j < i) detail::require_apart(where, gradients[i], said("gradients[", j, "]"), gradients[j]);
    }
  }
  detail::require_parameter(where, "temperature", options.temperature, rows, detail::is_temperature,
                            detail::must_be_temperature);
  detail::require_row_values(where, "temperature", options.temperature, detail::is_temperature,
                             detail::must_be_temperature);
  detail::require(options.peers == peer_reduction::sum || options.peers == peer_reduction::mean, where,
                  "peers", static_cast<int>(options.peers), "peer_reduction::sum or peer_reduction::mean");
  detail::require_factor(where, "weight", options.weight, detail::computing_type::of<T>());
  detail::require_rows(where, options.rows, rows);
  detail::require_row_weights(where, options.rows);
  detail::require(options.rows.values.empty(), where, "rows.values", "given",
                  "empty: there is no one loss for a row");
}

template <class T>
std::vector<loss_value> learn(std::span<matrix_view<T const> const> students,
                              std::span<matrix_view<T> const> gradients,
                              mutual_learning_options const& options) {
  require_all(students, gradients, options);
  std::size_t const peers = students.size() - 1;
  double const coefficient =
      options.weight / (options.peers == peer_reduction::mean && peers > 0 ? static_cast<double>(peers) : 1);
  divergence_options const pair{.temperature = options.temperature,
                                .scale_by_temperature_squared = options.scale_by_temperature_squared,
                                .rows = options.rows};
  std::vector<loss_value> values(students.size());
  for (std::size_t i = 0; i < students.size(); ++i) {
    bool accumulate = options.accumulate;
    for (std::size_t j = 0; j < students.size(); ++j) {
      if (j == i) continue;
      auto const loss = fuse(coefficient * forward_kl.term(students[j], pair))
                            .with_grad(students[i], gradients[i], {.accumulate = accumulate});
      values[i].value += loss.value;
      values[i].weight = loss.weight > values[i].weight ? loss.weight : values[i].weight;
      accumulate = true;
    }
    if (peers > 0 || accumulate) continue;
    for (index r = 0; r < gradients[i].rows; ++r) {
      for (index c = 0; c < gradients[i].columns; ++c) gradients[i](r, c) = 0;
    }
  }
  return values;
}

}  // namespace mutual

inline std::vector<loss_value> mutual_learning(std::span<matrix_view<float const> const> students,
                                               std::span<matrix_view<float> const> gradients,
                                               mutual_learning_options const& options) {
  return mutual::learn<float>(students, gradients, options);
}
inline std::vector<loss_value> mutual_learning(std::span<matrix_view<double const> const> students,
                                               std::span<matrix_view<double> const> gradients,
                                               mutual_learning_options const& options) {
  return mutual::learn<double>(students, gradients, options);
}

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
