// expect: this loss takes no labels
#include <distil/response/temperature_matching.hpp>
#include <vector>

int main() {
  std::vector<float> const student = {1, 2}, teacher = {2, 1};
  distil::matrix_view<float const> const z(student.data(), 1, 2), t(teacher.data(), 1, 2);
#if DISTIL_EXPECT_FAILURE
  std::vector<int> const labels = {1};
  return distil::temperature_matching(z, t, labels) > 0;
#else
  return distil::temperature_matching(z, t) > 0;
#endif
}
