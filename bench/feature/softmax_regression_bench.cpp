#include <distil/feature/softmax_regression.hpp>

#include "support/pair_loss.hpp"

namespace {

/// The first rows of the teacher's map stand for a classifier of 100 classes.
bool const registered = bench::add_map_form(
    "softmax_regression", [](auto policy, bench::map_operands const& maps, bool wants_gradient) -> double {
      distil::matrix_view<float const> const classifier(maps.teacher.data, 100, maps.teacher.channels);
      return wants_gradient ? distil::softmax_regression.with_grad(policy, maps.student, maps.teacher,
                                                                   classifier, maps.gradient)
                            : distil::softmax_regression(policy, maps.student, maps.teacher, classifier);
    });

}  // namespace
