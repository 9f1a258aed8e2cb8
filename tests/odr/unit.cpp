#include "unit.hpp"

#include <distil/response/divergence.hpp>
#include <distil/response/hinton_kd.hpp>
#include <vector>

/// Reports how many lanes the library's code gave it. Both units define it alike, as a user's header would.
struct spy {
  static inline long seen_lanes = 0;

  template <class Lanes>
  Lanes expectation(Lanes log_p, Lanes log_q) const {
    seen_lanes = Lanes::size;
    return log_p - log_q;
  }
};

namespace ODR_UNIT {

observation observe() {
  int const rows = 3;
  int const classes = 21;
  std::vector<float> student, teacher, gradient(rows * classes);
  for (int i = 0; i < rows * classes; ++i) {
    student.push_back(static_cast<float>(i % 7));
    teacher.push_back(static_cast<float>(i % 5));
  }
  std::vector<int> const labels{0, 7, 20};
  distil::matrix_view<float const> const z(student.data(), rows, classes);
  distil::matrix_view<float const> const t(teacher.data(), rows, classes);
  distil::matrix_view<float> const g(gradient.data(), rows, classes);

  observation found{distil::simd::lanes<float>::size, 0, 0, 0};
  static constexpr distil::divergence<spy> spying{};
  (void)spying(z, t);
  found.seen_lanes = spy::seen_lanes;
  found.loss = distil::hinton_kd.with_grad(z, t, labels, g, {.temperature = 2.0F});
  for (double const slope : gradient) found.gradient += slope * slope;
  return found;
}

}  // namespace ODR_UNIT
