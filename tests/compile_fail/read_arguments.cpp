// An expression has no memory of its own: a view of it would need a hidden copy. A column is rows of one class each.
// expect: would need a copy
// expect: the element type must be float, double
// expect: a column vector is many rows of one class
#include <Eigen/Core>
#include <distil/response.hpp>

int main() {
  Eigen::MatrixXf student = Eigen::MatrixXf::Ones(2, 3);
  Eigen::MatrixXf const teacher = Eigen::MatrixXf::Ones(2, 3);
  Eigen::VectorXf const one_student = Eigen::VectorXf::Ones(3);
  Eigen::Vector3f one_teacher = Eigen::Vector3f::Ones();
#if DISTIL_EXPECT_FAILURE
  Eigen::MatrixXi const whole = Eigen::MatrixXi::Ones(2, 3);
  return distil::forward_kl(2.0F * student, teacher) > 0 || distil::forward_kl(whole, teacher) > 0 ||
         distil::forward_kl(one_student, one_teacher) > 0;
#else
  Eigen::VectorXf gradient(3);
  return distil::forward_kl(student, teacher) > 0 ||
         distil::forward_kl.with_grad(one_student.transpose(), one_teacher.transpose(),
                                      gradient.transpose()) > 0 ||
         distil::forward_kl(Eigen::RowVector3f(1, 2, 3), student.topRows<1>()) > 0 ||
         distil::mean_squared_logits(one_student, one_teacher) >
             0;  // a regression's number for each of three rows
#endif
}
