#include <distil/matrix/products.hpp>
#include <distil/simd/scratch.hpp>

#include "support/pair_loss.hpp"

// What no loss of relations can do without: the products of matrices alone. Half a product for each side's similarities,
// and one that brings the gradient back to the features.
namespace {

struct of_pairs {};

double products(distil::parallel_policy policy, bench::operands<float> const& on, bool wants_gradient) {
  namespace kernels = distil::kernels;
  distil::detail::any_policy const any(policy);
  distil::index const rows = on.student.rows;
  auto* const pairs = distil::simd::scratch<float, of_pairs>(2 * rows * rows);
  distil::matrix_view<float> const of_student(pairs, rows, rows), of_teacher(pairs + rows * rows, rows, rows);
  kernels::gram<float>(any, on.student, of_student);
  kernels::gram<float>(any, on.teacher, of_teacher);
  if (wants_gradient) kernels::multiply<float>(any, of_teacher, on.student, on.gradient);
  return static_cast<double>(of_student(0, 0)) + static_cast<double>(of_teacher(0, 0));
}

bool const registered =
    bench::add_form<float>(
        "relation_products", {"value", 2, 0, 1, "limit"},
        [](auto policy, auto const& batch) { return products(policy, batch, false); },
        bench::relation_sizes) &&
    bench::add_form<float>(
        "relation_products", {"gradient", 3, 0, 1, "limit"},
        [](auto policy, auto const& batch) { return products(policy, batch, true); }, bench::relation_sizes);

}  // namespace
