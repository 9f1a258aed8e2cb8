#pragma once

#include "distil/relation/similarity_graph.hpp"
#include "distil/response/forward_kl.hpp"

#include "pair_case.hpp"
#include "relational_reference.hpp"

namespace distil::testing {

inline long double similarity_of(cosine_similarity const&, long double dot, long double own,
                                 long double other) {
  return own > 0 && other > 0 ? dot / std::sqrt(own * other) : 0;
}
inline long double similarity_of(linear_similarity const&, long double dot, long double, long double) {
  return dot;
}
inline long double similarity_of(gaussian_similarity const& kernel, long double dot, long double own,
                                 long double other) {
  return std::exp(-(own + other - 2 * dot) / (2 * std::pow(static_cast<long double>(kernel.width), 2)));
}
inline long double similarity_of(polynomial_similarity const& kernel, long double dot, long double,
                                 long double) {
  return std::pow(kernel.scale * dot + kernel.offset, kernel.degree);
}

/// With forward_kl, whose temperature is one for all rows.
template <class Kernel>
struct similarity_graph_case_of
    : pair_case<distil::similarity_graph<distil::forward_kl, Kernel>,
                similarity_graph_options<divergence<forward_kl_function>, Kernel>, pair_arguments::matrices> {
  using base =
      pair_case<distil::similarity_graph<distil::forward_kl, Kernel>,
                similarity_graph_options<divergence<forward_kl_function>, Kernel>, pair_arguments::matrices>;
  using setting = typename base::setting;
  static constexpr char const* name = "similarity_graph";
  static constexpr error_bound bound = similarity_graph_loss<distil::forward_kl, Kernel>::bound;

  static std::vector<setting> settings() {
    return {{},
            {"with self", {.divergence = {.temperature = 0.5}, .with_self = true}},
            {"sum", {.divergence = {.temperature = 0.25, .rows = {.reduce = reduction::sum}}}}};
  }

  static long double of(exact_map const& student, exact_map const& teacher, setting const& s) {
    index const rows = student.samples();
    exact_map const own = similarities(student, s), other = similarities(teacher, s);
    long double const temperature = s.options.divergence.temperature[0];
    long double sum = 0;
    for (index i = 0; i < rows; ++i) {
      auto const log_sum = [&](exact_map const& k) {
        long double top = -1e300L, total = 0;
        for (index j = 0; j < rows; ++j) {
          if (counts(i, j, s)) top = std::max(top, k(i, j) / temperature);
        }
        for (index j = 0; j < rows; ++j) {
          if (counts(i, j, s)) total += std::exp(k(i, j) / temperature - top);
        }
        return top + std::log(total);
      };
      long double const of_own = log_sum(own), of_other = log_sum(other);
      for (index j = 0; j < rows; ++j) {
        if (!counts(i, j, s)) continue;
        long double const log_p = other(i, j) / temperature - of_other;
        long double const log_q = own(i, j) / temperature - of_own;
        sum += temperature * temperature * std::exp(log_p) * (log_p - log_q);
      }
    }
    bool const mean = s.options.divergence.rows.reduce == reduction::mean;
    return rows == 0 ? 0 : mean ? sum / static_cast<long double>(rows) : sum;
  }

  static pair_scales scales(exact_map const& student, exact_map const&, setting const& s) {
    auto const rows = static_cast<double>(student.samples());
    double const temperature = s.options.divergence.temperature[0];
    bool const mean = s.options.divergence.rows.reduce == reduction::mean;
    if constexpr (!std::is_same_v<Kernel, cosine_similarity>) return {4, 0};
    return {mean ? 1 : rows,
            4 * temperature / shortest_row_of(student) / (mean ? rows : 1) / std::min(1.0, temperature)};
  }

 private:
  static bool counts(index i, index j, setting const& s) { return i != j || s.options.with_self; }

  static exact_map similarities(exact_map const& x, setting const& s) {
    exact_map const dots = gram_of(x);
    exact_map result = dots;
    for (index i = 0; i < x.samples(); ++i) {
      for (index j = 0; j < x.samples(); ++j)
        result(i, j) = similarity_of(s.options.kernel, dots(i, j), dots(i, i), dots(j, j));
    }
    return result;
  }
};

using similarity_graph_case = similarity_graph_case_of<cosine_similarity>;

}  // namespace distil::testing
