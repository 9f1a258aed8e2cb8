#include <distil/response/forward_kl.hpp>
#include <distil/response/top_k.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "support/loss.hpp"

namespace {

constexpr std::ptrdiff_t k = 64;
constexpr bench::shape vocabularies[] = {{256, 1000}, {64, 32000}, {16, 128256}};

/// The 64 likeliest classes of each row of the bench's teacher, with their log-probabilities.
struct likeliest {
  std::vector<std::int32_t> ids;
  std::vector<float> log_p;

  template <class Teacher>
  explicit likeliest(Teacher const& teacher) {
    std::vector<std::int32_t> order(static_cast<std::size_t>(teacher.columns));
    for (std::ptrdiff_t row = 0; row < teacher.rows; ++row) {
      std::iota(order.begin(), order.end(), 0);
      auto const more = [&](std::int32_t a, std::int32_t b) { return teacher(row, a) > teacher(row, b); };
      std::partial_sort(order.begin(), order.begin() + k, order.end(), more);
      double sum = 0;
      for (std::ptrdiff_t column = 0; column < teacher.columns; ++column) {
        sum += std::exp(static_cast<double>(teacher(row, column)));
      }
      for (std::ptrdiff_t i = 0; i < k; ++i) {
        ids.push_back(order[static_cast<std::size_t>(i)]);
        log_p.push_back(teacher(row, ids.back()) - static_cast<float>(std::log(sum)));
      }
    }
  }
};

template <class Operands>
auto teacher_of(Operands const& on, distil::tail_policy policy) {
  static std::map<float const*, likeliest> known;
  likeliest const& of_rows = known.try_emplace(on.teacher.data, on.teacher).first->second;
  return distil::top_k(distil::matrix_view<std::int32_t const>(of_rows.ids.data(), on.student.rows, k),
                       distil::matrix_view<float const>(of_rows.log_p.data(), on.student.rows, k),
                       {.form = distil::teacher_form::log_probabilities, .tail = policy});
}

bool add(char const* operation, distil::tail_policy policy) {
  bench::add_form<float>(
      operation, {"value", 1, 1},
      [=](auto threads, auto const& on) -> double {
        return distil::forward_kl(threads, on.student, teacher_of(on, policy));
      },
      vocabularies);
  return bench::add_form<float>(
      operation, {"gradient", 2, 1},
      [=](auto threads, auto const& on) -> double {
        return distil::forward_kl.with_grad(threads, on.student, teacher_of(on, policy), on.gradient);
      },
      vocabularies);
}

bool const bucket_registered = add("top_k_bucket", distil::tail_policy::bucket);
bool const both_registered = add("top_k_renormalise_both", distil::tail_policy::renormalise_both);
bool const uniform_registered = add("top_k_uniform", distil::tail_policy::uniform);

}  // namespace
