#include <distil/response/projected_kl.hpp>

#include "support/loss.hpp"

namespace {

/// Each class goes to itself and to one other.
struct two_each {
  std::vector<std::int32_t> offsets = {0}, columns;
  std::vector<float> weights;

  explicit two_each(distil::index classes) : weights(static_cast<std::size_t>(2 * classes), 0.5F) {
    for (distil::index i = 0; i < classes; ++i) {
      columns.push_back(static_cast<std::int32_t>(i));
      columns.push_back(static_cast<std::int32_t>(7 * i % classes));
      offsets.push_back(static_cast<std::int32_t>(columns.size()));
    }
  }

  static distil::sparse_projection<std::int32_t, std::int32_t, float> of(distil::index classes) {
    static std::map<distil::index, two_each> made;
    two_each const& m = made.try_emplace(classes, classes).first->second;
    return {m.offsets, m.columns, m.weights, classes};
  }
};

bool const registered = bench::add_loss<float>(
    "projected_kl", 2,
    [](auto policy, auto const& on) {
      return distil::projected_kl(policy, on.student, on.teacher, two_each::of(on.student.columns));
    },
    [](auto policy, auto const& on) {
      return distil::projected_kl.with_grad(policy, on.student, on.teacher, two_each::of(on.student.columns),
                                            on.gradient);
    });

}  // namespace
