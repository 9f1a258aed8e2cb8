// expect: the element type must be float, double
#include <Eigen/Core>
#include <distil/response.hpp>

#if DISTIL_EXPECT_FAILURE
using logits = Eigen::MatrixXi;
#else
using logits = Eigen::MatrixXf;
#endif

int main() {
  logits const student = logits::Ones(2, 3);
  Eigen::MatrixXf const teacher = Eigen::MatrixXf::Ones(2, 3);
  return distil::forward_kl(student, teacher) > 0;
}
