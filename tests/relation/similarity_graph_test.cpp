#include "distil/relation/similarity_graph.hpp"

#include "../support/cases/similarity_graph.hpp"
#include "../support/pair_suite.hpp"

namespace distil::testing {
namespace {

pair_suites<similarity_graph_case> const suites("similarity_graph");

template <class Kernel>
void expect_kernel(Kernel const& kernel) {
  using loss = similarity_graph_case_of<Kernel>;
  for (bool const with_self : {false, true}) {
    pair_batch<double> b({{7, 5, 1, 1}, {7, 6, 1, 1}}, 0.75);
    expect_pair<loss>(b, typename loss::setting{"", {.kernel = kernel, .with_self = with_self}}, "kernel");
  }
}

TEST(similarity_graph, takes_other_kernels) {
  expect_kernel(linear_similarity{});
  expect_kernel(gaussian_similarity{});
  expect_kernel(gaussian_similarity{.width = 0.5});
  expect_kernel(polynomial_similarity{});
  expect_kernel(polynomial_similarity{.degree = 3, .scale = 0.5, .offset = -0.25});
}

/// Half the squared difference of all rows, as a user would write it.
struct squared_rows {
  struct options_type {
    double weight = 1;
  };
  template <class Policy>
  loss_value operator()(Policy policy, matrix_view<double> student, matrix_view<double> teacher,
                        options_type const& options) const {
    std::vector<double> gradient(static_cast<std::size_t>(student.rows * student.columns));
    return with_grad(policy, student, teacher,
                     matrix_view<double>(gradient.data(), student.rows, student.columns), options);
  }
  template <class Policy>
  loss_value with_grad(Policy, matrix_view<double> student, matrix_view<double> teacher,
                       matrix_view<double> gradient, options_type const& options) const {
    loss_value result{0.0, static_cast<double>(student.rows)};
    for (index i = 0; i < student.rows; ++i) {
      for (index j = 0; j < student.columns; ++j) {
        double const d = i == j ? 0.0 : student(i, j) - teacher(i, j);
        result.value += options.weight * d * d / 2;
        gradient(i, j) = options.weight * d;
      }
    }
    return result;
  }
};
constexpr squared_rows squares{};

TEST(similarity_graph, takes_a_divergence_of_the_users) {
  pair_batch<double> b({{5, 3, 1, 1}, {5, 4, 1, 1}});
  auto const& loss = distil::similarity_graph<squares, linear_similarity>;
  double const value = loss.with_grad(b.student.matrix(), b.teacher.matrix(), b.gradient.matrix(),
                                      {.divergence = {.weight = 3}});
  exact_map const x = b.student.exact(), own = gram_of(x), other = gram_of(b.teacher.exact());
  long double expected = 0;
  for (index i = 0; i < 5; ++i) {
    for (index j = 0; j < 5; ++j) expected += i == j ? 0 : 3 * std::pow(own(i, j) - other(i, j), 2) / 2;
    for (index c = 0; c < 3; ++c) {
      long double slope = 0;
      for (index j = 0; j < 5; ++j) slope += i == j ? 0 : 6 * (own(i, j) - other(i, j)) * x(j, c);
      EXPECT_NEAR(b.gradient.at(i, c), static_cast<double>(slope), 1e-12);
    }
  }
  EXPECT_NEAR(value, static_cast<double>(expected), 1e-12);
}

TEST(similarity_graph, refuses_parameters_out_of_range) {
  pair_batch<float> b({{3, 2, 1, 1}, {3, 2, 1, 1}});
  auto const refusal = [&](auto const& loss, auto const& options) {
    return refusal_of([&] { (void)loss(b.student.matrix(), b.teacher.matrix(), options); });
  };
  using gaussian = similarity_graph_options<divergence<forward_kl_function>, gaussian_similarity>;
  using polynomial = similarity_graph_options<divergence<forward_kl_function>, polynomial_similarity>;
  EXPECT_EQ(refusal(distil::similarity_graph<forward_kl, gaussian_similarity>, gaussian{.kernel = {0}}),
            "distil::similarity_graph: kernel.width is 0; it must be finite and > 0");
  EXPECT_EQ(refusal(distil::similarity_graph<forward_kl, polynomial_similarity>,
                    polynomial{.kernel = {.degree = 0}}),
            "distil::similarity_graph: kernel.degree is 0; it must be within [1, 16]");
  EXPECT_EQ(refusal(distil::similarity_graph<forward_kl, gaussian_similarity>,
                    gaussian{.divergence = {.accumulate = true}}),
            "distil::similarity_graph: divergence.accumulate is set; it must be set on the options of "
            "similarity_graph");
}

}  // namespace
}  // namespace distil::testing
