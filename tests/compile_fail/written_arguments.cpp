// expect: the gradient is written, so it must not be const
// expect: a temporary matrix is lost after the call
#include <Eigen/Core>
#include <distil/response.hpp>

int main() {
  Eigen::MatrixXf const student = Eigen::MatrixXf::Ones(2, 3);
  Eigen::MatrixXf const teacher = Eigen::MatrixXf::Ones(2, 3);
#if DISTIL_EXPECT_FAILURE
  Eigen::MatrixXf const gradient(2, 3);
  distil::softmax(student, Eigen::MatrixXf(2, 3));
#else
  Eigen::MatrixXf gradient(2, 3);
  // Temporaries that refer to elements which stay.
  distil::softmax(student, gradient.topRows(2));
  distil::softmax(student, distil::matrix_view<float>(gradient.data(), 2, 3));
#endif
  return distil::forward_kl.with_grad(student, teacher, gradient) > 0;
}
