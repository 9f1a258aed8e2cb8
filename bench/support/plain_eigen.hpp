#pragma once

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <vector>

/// Hinton's loss with Eigen alone, row-major, by whole-matrix expressions:
/// soft_weight T^2 KL(teacher || student) + (1 - soft_weight) cross entropy, the mean over rows, and its
/// gradient.
namespace bench {

using eigen_logits = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using eigen_input = Eigen::Ref<eigen_logits const>;
using eigen_output = Eigen::Ref<eigen_logits>;

struct eigen_batch {
  eigen_input student, teacher;
  std::vector<std::int32_t> const& labels;
  float temperature, soft_weight;
};

/// As one writes it: softmax, and logarithms of it. Eigen 3.4 takes the exponentials one by one here, since
/// it does not vectorise what is broadcast inside an expression.
inline eigen_logits softmax(eigen_input const& logits) {
  eigen_logits const exponentials = (logits.colwise() - logits.rowwise().maxCoeff()).array().exp();
  return exponentials.array().colwise() / exponentials.array().rowwise().sum();
}

inline double plain_eigen_hinton_kd(eigen_batch const& on, eigen_output gradient) {
  auto const rows = static_cast<float>(on.student.rows());
  float const hard_weight = 1.0F - on.soft_weight;
  eigen_logits const hard_student = softmax(on.student);
  eigen_logits const soft_student = softmax(on.student / on.temperature);
  eigen_logits const soft_teacher = softmax(on.teacher / on.temperature);

  float hard = 0.0F;
  for (Eigen::Index row = 0; row < gradient.rows(); ++row) {
    hard -= std::log(hard_student(row, on.labels[static_cast<std::size_t>(row)]));
  }
  float const soft = (soft_teacher.array() * (soft_teacher.array().log() - soft_student.array().log())).sum();

  gradient = hard_weight / rows * hard_student +
             on.soft_weight * on.temperature / rows * (soft_student - soft_teacher);
  for (Eigen::Index row = 0; row < gradient.rows(); ++row) {
    gradient(row, on.labels[static_cast<std::size_t>(row)]) -= hard_weight / rows;
  }
  float const square = on.temperature * on.temperature;
  return static_cast<double>((hard_weight * hard + on.soft_weight * square * soft) / rows);
}

/// As one writes it after a look at the profile: log-softmax, and every broadcast in a matrix of its own, so
/// that Eigen vectorises.
inline eigen_logits log_softmax(eigen_input const& logits, float temperature) {
  eigen_logits const scaled = logits / temperature;
  eigen_logits const shifted = scaled.colwise() - scaled.rowwise().maxCoeff();
  Eigen::VectorXf const log_sum = shifted.array().exp().rowwise().sum().log();
  return shifted.colwise() - log_sum;
}

inline double staged_eigen_hinton_kd(eigen_batch const& on, eigen_output gradient) {
  auto const rows = static_cast<float>(on.student.rows());
  float const hard_weight = 1.0F - on.soft_weight;
  eigen_logits const log_hard = log_softmax(on.student, 1.0F);
  eigen_logits const log_soft = log_softmax(on.student, on.temperature);
  eigen_logits const log_teacher = log_softmax(on.teacher, on.temperature);
  eigen_logits const target = log_teacher.array().exp();

  float hard = 0.0F;
  for (Eigen::Index row = 0; row < gradient.rows(); ++row) {
    hard -= log_hard(row, on.labels[static_cast<std::size_t>(row)]);
  }
  float const soft = (target.array() * (log_teacher - log_soft).array()).sum();

  gradient = hard_weight / rows * log_hard.array().exp() +
             on.soft_weight * on.temperature / rows * (log_soft.array().exp() - target.array());
  for (Eigen::Index row = 0; row < gradient.rows(); ++row) {
    gradient(row, on.labels[static_cast<std::size_t>(row)]) -= hard_weight / rows;
  }
  float const square = on.temperature * on.temperature;
  return static_cast<double>((hard_weight * hard + on.soft_weight * square * soft) / rows);
}

}  // namespace bench
