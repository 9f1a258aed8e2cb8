// An expression has no memory of its own: a view of it would need a hidden copy.
// expect: would need a copy
#include <Eigen/Core>
#include <distil/response.hpp>

int main() {
  Eigen::MatrixXf student = Eigen::MatrixXf::Ones(2, 3);
  Eigen::MatrixXf const teacher = Eigen::MatrixXf::Ones(2, 3);
#if DISTIL_EXPECT_FAILURE
  return distil::forward_kl(2.0F * student, teacher) > 0;
#else
  return distil::forward_kl(student, teacher) > 0;
#endif
}
