#include <distil/feature/semantic_calibration.hpp>

#include <vector>

#include "support/pair_loss.hpp"

namespace {

// One layer of the teacher: what a layer costs.
bool const registered = bench::add_map_form(
    "semantic_calibration", [](auto policy, bench::map_operands const& maps, bool wants_gradient) -> double {
      std::vector const students = {maps.student}, teachers = {maps.teacher};
      std::vector const gradients = {maps.gradient};
      static std::vector<float> scores(1024), by_scores(1024);
      distil::matrix_view<float const> const energies(scores.data(), maps.student.samples, 1);
      distil::matrix_view<float> const by_energies(by_scores.data(), maps.student.samples, 1);
      return wants_gradient ? distil::semantic_calibration.with_grad(policy, students, teachers, energies,
                                                                     gradients, by_energies)
                            : distil::semantic_calibration(policy, students, teachers, energies);
    });

}  // namespace
