#include <distil/response/binary_kd.hpp>

#include "support/loss.hpp"

namespace {

/// A class in four is there.
std::vector<std::uint8_t> const& targets_of(std::size_t elements) {
  static std::vector<std::uint8_t> targets;
  for (std::size_t i = targets.size(); i < elements; ++i) targets.push_back(i % 4 == 0 ? 1 : 0);
  return targets;
}

template <class Batch>
distil::matrix_view<std::uint8_t const> targets_for(Batch const& on) {
  auto const elements = static_cast<std::size_t>(on.student.rows * on.student.columns);
  return {targets_of(elements).data(), on.student.rows, on.student.columns};
}

bool const registered = bench::add_loss<float>(
    "binary_kd", 2,
    [](auto policy, auto const& on) {
      return distil::binary_kd(policy, on.student, on.teacher, targets_for(on), {.temperature = 4});
    },
    [](auto policy, auto const& on) {
      return distil::binary_kd.with_grad(policy, on.student, on.teacher, targets_for(on), on.gradient,
                                         {.temperature = 4});
    });

bool const soft_registered =
    bench::add_form<float>("binary_kd_soft", {"gradient", 3, 2}, [](auto policy, auto const& on) {
      return distil::binary_kd.with_grad(policy, on.student, on.teacher, on.gradient, {.temperature = 4});
    });

/// A mask of one channel.
constexpr bench::shape mask[] = {{1'000'000, 1}};
bool const mask_registered = bench::add_form<float>(
    "binary_kd", {"gradient", 3, 2},
    [](auto policy, auto const& on) {
      return distil::binary_kd.with_grad(policy, on.student, on.teacher, targets_for(on), on.gradient,
                                         {.temperature = 4});
    },
    mask);

}  // namespace
