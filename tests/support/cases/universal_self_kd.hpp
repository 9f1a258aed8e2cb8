#pragma once

#include "distil/response/universal_self_kd.hpp"

#include "coupled_case.hpp"
#include "labelled_case.hpp"

namespace distil::testing {

struct universal_self_setting : setting {
  double target_weight = 1.0, non_target_weight = 0.1;
  self_ranking ranking = self_ranking::of_probabilities;
};

/// Its labels follow from the weak head, so that a batch that is taken apart keeps them.
struct universal_self_kd_case {
  static constexpr char const* name = "universal_self_kd";
  static constexpr error_bound bound = universal_self_kd_loss::bound;
  static constexpr bool call_allocates = true;  // labels; the loss by itself is tried in its test

  static std::vector<universal_self_setting> settings() {
    return {{{.label = "the paper's"}},
            {{.label = "all of the others"}, 0.5, 2},
            {{.label = "the code's order"}, 1, 1, self_ranking::of_code}};
  }

  static std::size_t label_of(exact_row const& weak) {
    std::size_t count = 0;
    for (long double const w : weak) count += w > 0 ? 1 : 0;
    return count % weak.size();
  }
  template <class Batch>
  static std::vector<int> labels_of(Batch const& b, coupled_rows const& rows) {
    std::vector<int> result;
    for (index r = 0; r < b.rows; ++r) {
      bool const ignored = rows.labels.size() > 0 && rows.labels[r] == rows.ignore_label;
      result.push_back(ignored ? static_cast<int>(rows.ignore_label)
                               : static_cast<int>(label_of(b.teacher.template row<long double>(r))));
    }
    return result;
  }
  static universal_self_kd_options options(universal_self_setting const& s, coupled_rows const& rows,
                                           bool accumulate) {
    return {.target_weight = s.target_weight,
            .non_target_weight = s.non_target_weight,
            .ranking = s.ranking,
            .weight = s.weight,
            .rows = {.weights = rows.weights, .ignore_label = rows.ignore_label},
            .accumulate = accumulate};
  }
  template <class Policy, class Batch>
  static loss_value value(Policy policy, Batch const& b, universal_self_setting const& s,
                          coupled_rows const& rows) {
    return universal_self_kd(policy, b.student.view(), b.teacher.view(), labels_of(b, rows),
                             options(s, rows, false));
  }
  template <class Policy, class Batch, class Gradient>
  static loss_value with_grad(Policy policy, Batch const& b, Gradient gradient,
                              universal_self_setting const& s, coupled_rows const& rows,
                              bool accumulate = false) {
    return universal_self_kd.with_grad(policy, b.student.view(), b.teacher.view(), labels_of(b, rows),
                                       gradient, options(s, rows, accumulate));
  }

  /// What the gradient takes for constants: the weight of each label, and the soft labels of the other classes.
  struct soft_labels {
    exact_row target;
    exact_matrix others;
  };
  static soft_labels constants(exact_matrix const& z, exact_matrix const& w,
                               std::vector<long double> const& weights, universal_self_setting const& s) {
    soft_labels result;
    long double mean = 0, total = 0;
    for (std::size_t r = 0; r < z.size(); ++r) {
      std::size_t const y = label_of(w[r]), classes = z[r].size();
      result.target.push_back(0);
      result.others.emplace_back(classes, 0);
      if (weights[r] == 0) continue;
      long double const q = reference::softmax(z[r])[y];
      result.target[r] = 1 + q * q;
      mean += weights[r] * q * q;
      total += weights[r];
      exact_row own = reference::log_softmax(z[r]), weak = w[r];
      exact_row score(classes, static_cast<long double>(minus_infinity));
      if (s.ranking == self_ranking::of_code) {
        long double const less_label = 1 - own[y];
        for (long double& entry : own) entry /= less_label;
      } else {
        own = reference::softmax(with_masked(z[r], y));
      }
      weak = with_masked(w[r], y);
      bool const any_weak = !reference::fully_masked(weak);
      exact_row const w_hat = reference::softmax(weak), odds = reference::softmax(w[r]);
      for (std::size_t i = 0; i < classes; ++i) {
        if (z[r][i] == minus_infinity || (i == y && s.ranking == self_ranking::of_probabilities)) continue;
        score[i] = own[i] + (!any_weak ? 0 : i == y ? odds_of(w[r], y) : w_hat[i]);
      }
      long double sum = 0;
      for (std::size_t i = 0; i < classes; ++i) {
        if (i == y || z[r][i] == minus_infinity) continue;
        long double place = 1;
        for (std::size_t j = 0; j < classes; ++j) {
          place += score[j] > score[i] || (score[j] == score[i] && j < i && z[r][j] > minus_infinity) ? 1 : 0;
        }
        sum += result.others[r][i] = 1 / place;
      }
      for (long double& entry : result.others[r]) entry /= sum > 0 ? sum : 1;
    }
    for (std::size_t r = 0; r < z.size(); ++r) result.target[r] -= weights[r] == 0 ? 0 : mean / total;
    return result;
  }
  static exact_row with_masked(exact_row row, std::size_t at) {
    row[at] = static_cast<long double>(minus_infinity);
    return row;
  }
  static long double odds_of(exact_row const& w, std::size_t y) {
    long double sum = 0;
    for (std::size_t i = 0; i < w.size(); ++i) sum += i == y ? 0 : std::exp(w[i] - w[y]);
    return 1 / sum;
  }
  static long double value_of(exact_matrix const& z, exact_matrix const& w, soft_labels const& held,
                              std::vector<long double> const& weights, universal_self_setting const& s) {
    long double sum = 0, total = 0;
    for (std::size_t r = 0; r < z.size(); ++r) {
      if (weights[r] == 0) continue;
      std::size_t const y = label_of(w[r]);
      long double row = -s.target_weight * held.target[r] * reference::log_softmax(z[r])[y];
      exact_row const others = with_masked(z[r], y);
      if (!reference::fully_masked(others)) {
        exact_row const log_q = reference::log_softmax(others);
        for (std::size_t i = 0; i < log_q.size(); ++i) {
          if (held.others[r][i] > 0) row -= s.non_target_weight * held.others[r][i] * log_q[i];
        }
      }
      sum += weights[r] * row;
      total += weights[r];
    }
    return total > 0 ? sum / total : 0;
  }
  static long double value_at(exact_matrix const& moved, exact_matrix const& z, exact_matrix const& w,
                              std::vector<long double> const& weights, universal_self_setting const& s) {
    return value_of(moved, w, constants(z, w, weights, s), weights, s);
  }

  static coupled_truth of(exact_matrix const& z, exact_matrix const& w,
                          std::vector<long double> const& weights, universal_self_setting const& s) {
    soft_labels const held = constants(z, w, weights, s);
    coupled_truth result{.value = value_of(z, w, held, weights, s)};
    long double total = 0;
    for (long double const weight : weights) total += weight;
    double const f = 2 * s.target_weight + s.non_target_weight;
    for (std::size_t r = 0; r < z.size(); ++r) {
      result.value_scale = f * size_of_classes(z[r]) + std::abs(static_cast<double>(result.value));
      result.gradient.emplace_back(z[r].size(), 0);
      result.gradient_scale.push_back(total > 0 ? static_cast<double>(f * weights[r] / total) : 0);
      if (weights[r] == 0) continue;
      std::size_t const y = label_of(w[r]);
      exact_row const q = reference::softmax(z[r]), others = with_masked(z[r], y);
      bool const any = !reference::fully_masked(others);
      exact_row const q_hat = reference::softmax(others);
      for (std::size_t i = 0; i < q.size(); ++i) {
        long double of_others = any && i != y ? q_hat[i] - held.others[r][i] : 0;
        result.gradient[r][i] =
            weights[r] / total *
            (s.target_weight * held.target[r] * (q[i] - (i == y ? 1 : 0)) + s.non_target_weight * of_others);
      }
    }
    return result;
  }
};

}  // namespace distil::testing
