#include "distil/adapters/eigen.hpp"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "distil/response/cross_entropy.hpp"
#include "distil/response/entropy.hpp"
#include "distil/response/hinton_kd.hpp"

namespace distil {
namespace {

using any_stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
template <class T, int Order = Eigen::ColMajor>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Order>;

constexpr Eigen::Index rows = 21, classes = 37;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Logits that 16 bits hold exactly: multiples of 1/16 within 4.
matrix<double> logits(int seed) {
  matrix<double> result(rows, classes);
  for (Eigen::Index row = 0; row < rows; ++row) {
    for (Eigen::Index column = 0; column < classes; ++column) {
      result(row, column) =
          static_cast<double>((seed * (row + 3) * (2 * column + 5) + 11 * row) % 127 - 63) / 16.0;
    }
  }
  return result;
}

Eigen::VectorXi labels() {
  Eigen::VectorXi result(rows);
  for (Eigen::Index row = 0; row < rows; ++row) result(row) = static_cast<int>((5 * row) % classes);
  result(4) = -100;
  return result;
}

Eigen::VectorXf weights() { return Eigen::VectorXf::LinSpaced(rows, 0.0F, 2.0F); }

constexpr double temperature = 3.0, soft_weight = 0.7;

hinton_kd_options options(Eigen::VectorXf const& row_weights) {
  return {.temperature = temperature, .soft_weight = soft_weight, .rows = {.weights = row_weights}};
}

matrix<double> softened(matrix<double> const& logits, double by) {
  matrix<double> const centred = (logits.colwise() - logits.rowwise().maxCoeff()) / by;
  matrix<double> const exponentials = centred.array().exp();
  return exponentials.array().colwise() / exponentials.rowwise().sum().array();
}

struct distilled {
  double value;
  matrix<double> gradient;
};

/// The formula as one would write it down with Eigen, in double.
distilled naive_hinton_kd(matrix<double> const& student, matrix<double> const& teacher) {
  matrix<double> const q = softened(student, 1), q_soft = softened(student, temperature),
                       p_soft = softened(teacher, temperature);
  Eigen::VectorXi const label = labels();
  Eigen::VectorXd weight = weights().cast<double>();
  weight(4) = 0;  // ignored
  distilled result{0, matrix<double>::Zero(rows, classes)};
  for (Eigen::Index row = 0; row < rows; ++row) {
    double const share = weight(row) / weight.sum();
    if (share == 0) continue;
    auto const kl = p_soft.row(row).array() * (p_soft.row(row).array().log() - q_soft.row(row).array().log());
    result.value += share * ((1 - soft_weight) * -std::log(q(row, label(row))) +
                             soft_weight * temperature * temperature * kl.sum());
    result.gradient.row(row) = share * ((1 - soft_weight) * q.row(row) +
                                        soft_weight * temperature * (q_soft.row(row) - p_soft.row(row)));
    result.gradient(row, label(row)) -= share * (1 - soft_weight);
  }
  return result;
}

/// Runs hinton_kd on whatever has logits(3) and logits(8) in it, and compares with the naive formula.
template <class Student, class Teacher, class Gradient>
void expect_naive(Student const& student, Teacher const& teacher, Gradient&& gradient, double rounding) {
  distilled const expected = naive_hinton_kd(logits(3), logits(8));
  Eigen::VectorXf const row_weights = weights();
  loss_value const found = hinton_kd.with_grad(student, teacher, labels(), gradient, options(row_weights));
  EXPECT_NEAR(found.value, expected.value, 1e-5 * expected.value);
  EXPECT_NEAR(found.weight, row_weights.cast<double>().sum() - static_cast<double>(row_weights(4)), 1e-5);
  matrix<double> const off = gradient.template cast<double>() - expected.gradient;
  EXPECT_LE(off.cwiseAbs().maxCoeff(), 1e-6 + rounding * expected.gradient.cwiseAbs().maxCoeff());
}

template <class T, int Order>
void expect_naive_in(double rounding) {
  matrix<T, Order> const student = logits(3).cast<T>(), teacher = logits(8).cast<T>();
  matrix<T, Order> gradient(rows, classes);
  expect_naive(student, teacher, gradient, rounding);
}

TEST(eigen, every_order_and_element_type_gives_the_naive_formula) {
  expect_naive_in<float, Eigen::RowMajor>(0);
  expect_naive_in<float, Eigen::ColMajor>(0);
  expect_naive_in<double, Eigen::RowMajor>(0);
  expect_naive_in<double, Eigen::ColMajor>(0);
  expect_naive_in<Eigen::half, Eigen::RowMajor>(0x1p-10);
  expect_naive_in<Eigen::half, Eigen::ColMajor>(0x1p-10);
  expect_naive_in<Eigen::bfloat16, Eigen::RowMajor>(0x1p-7);
  expect_naive_in<Eigen::bfloat16, Eigen::ColMajor>(0x1p-7);
}

#if !defined(DISTIL_TEST_IN_FLOAT)  // by CMake, see DISTIL_TEST_LOSSES
template <class Student, class Teacher, class Gradient>
void expect_naive_in_mix() {
  matrix<Student, Eigen::RowMajor> const student = logits(3).cast<Student>();
  matrix<Teacher> const teacher = logits(8).cast<Teacher>();
  matrix<Gradient, Eigen::RowMajor> gradient(rows, classes);
  expect_naive(student, teacher, gradient, sizeof(Gradient) == 2 ? 0x1p-7 : 0.0);
}

// Any two of the three matrices have every pair of types.
TEST(eigen, element_types_mix_freely) {
  using Eigen::bfloat16, Eigen::half;
  expect_naive_in_mix<float, float, half>();
  expect_naive_in_mix<float, half, bfloat16>();
  expect_naive_in_mix<float, bfloat16, float>();
  expect_naive_in_mix<half, float, bfloat16>();
  expect_naive_in_mix<half, half, float>();
  expect_naive_in_mix<half, bfloat16, half>();
  expect_naive_in_mix<bfloat16, float, float>();
  expect_naive_in_mix<bfloat16, half, half>();
  expect_naive_in_mix<bfloat16, bfloat16, bfloat16>();
  expect_naive_in_mix<double, half, bfloat16>();
}
#endif

TEST(eigen, halves_of_eigen_and_of_distil_are_the_same_numbers) {
  matrix<Eigen::half, Eigen::RowMajor> const student = logits(3).cast<Eigen::half>();
  std::vector<half> own;
  for (Eigen::Index i = 0; i < student.size(); ++i) own.emplace_back(static_cast<float>(student.data()[i]));
  matrix_view<half const> const view_of_own(own.data(), rows, classes);
  EXPECT_EQ(entropy(student).value, entropy(view_of_own).value);
}

TEST(eigen, halves_of_eigen_have_the_bits_of_distil) {
  static_assert(std::is_same_v<detail::same_bits_as_t<Eigen::half>, half>);
  static_assert(std::is_same_v<detail::same_bits_as_t<Eigen::bfloat16>, bfloat16>);
  for (float const value :
       {0.0F, -1.5F, 0.1F, 65504.0F, 1e-6F, -1e30F, std::numeric_limits<float>::infinity()}) {
    EXPECT_EQ(std::bit_cast<std::uint16_t>(Eigen::half(value)), half(value).bits) << value;
    EXPECT_EQ(std::bit_cast<std::uint16_t>(Eigen::bfloat16(value)), bfloat16(value).bits) << value;
  }
}

TEST(eigen, maps_with_strides_leave_what_lies_between_alone) {
  std::vector<double> memory(static_cast<std::size_t>(rows * (2 * classes + 5)), nan);
  Eigen::Map<matrix<double, Eigen::RowMajor>, 0, any_stride> strided(memory.data() + 1, rows, classes,
                                                                     any_stride(2 * classes + 5, 2));
  strided = logits(3);
  matrix<double> const teacher = logits(8);
  expect_naive(strided, teacher, strided, 0);  // in place
  EXPECT_EQ(std::count_if(memory.begin(), memory.end(), [](double x) { return std::isnan(x); }),
            static_cast<std::ptrdiff_t>(memory.size()) - rows * classes);
}

template <int Order>
void expect_naive_in_padded_vocabulary() {
  matrix<float, Order> student =
      matrix<float, Order>::Constant(rows + 2, classes + 27, static_cast<float>(nan));
  matrix<float, Order> teacher = student, gradient = student;
  student.block(1, 3, rows, classes) = logits(3).cast<float>();
  teacher.block(2, 0, rows, classes) = logits(8).cast<float>();
  expect_naive(student.block(1, 3, rows, classes), teacher.block(2, 0, rows, classes),
               gradient.block(0, 5, rows, classes), 0);
  EXPECT_EQ(gradient.array().isNaN().count(), gradient.size() - rows * classes);
}

TEST(eigen, blocks_of_a_padded_vocabulary) {
  expect_naive_in_padded_vocabulary<Eigen::RowMajor>();
  expect_naive_in_padded_vocabulary<Eigen::ColMajor>();
}

TEST(eigen, references_and_transposes) {
  matrix<float, Eigen::RowMajor> student = logits(3).cast<float>();
  matrix<float> const teacher_by_class = logits(8).cast<float>().transpose();
  matrix<float, Eigen::RowMajor> gradient(rows, classes);
  Eigen::Ref<matrix<float, Eigen::RowMajor> const> const student_reference(student);
  Eigen::Ref<matrix<float, Eigen::RowMajor>> gradient_reference(gradient);
  expect_naive(student_reference, teacher_by_class.transpose(), gradient_reference, 0);
  expect_naive(student_reference, teacher_by_class.transpose(), student, 0);  // in place through another name
}

TEST(eigen, labels_and_weights_may_be_columns_of_a_table) {
  matrix<float, Eigen::RowMajor> const student = logits(3).cast<float>(), teacher = logits(8).cast<float>();
  Eigen::Matrix<int, Eigen::Dynamic, 2, Eigen::RowMajor> label_table(rows, 2);
  label_table.col(0).setConstant(1);
  label_table.col(1) = labels();
  Eigen::Matrix<float, Eigen::Dynamic, 2, Eigen::RowMajor> weight_table(rows, 2);
  weight_table.col(0).setConstant(9);
  weight_table.col(1) = weights();
  Eigen::VectorXf const row_weights = weights();
  loss_value const expected = hinton_kd(student, teacher, labels(), options(row_weights));
  hinton_kd_options by_column = options(row_weights);
  by_column.rows.weights = weight_table.col(1);
  loss_value const found = hinton_kd(student, teacher, label_table.col(1), by_column);
  EXPECT_EQ(found.value, expected.value);
  EXPECT_EQ(found.weight, expected.weight);
}

TEST(as_eigen, has_the_elements_of_the_view_and_its_right_to_write) {
  std::vector<float> memory(40);
  for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<float>(i);
  for (matrix_view<float> const original :
       {matrix_view<float>(memory.data(), 3, 4), matrix_view<float>(memory.data(), 3, 4, 9, 2),
        matrix_view<float>(memory.data(), 3, 4, 1, 3),
        matrix_view<float>(memory.data() + 39, 3, 4, -8, -2)}) {
    auto map = as_eigen(original);
    ASSERT_EQ(map.rows(), 3);
    ASSERT_EQ(map.cols(), 4);
    for (index row = 0; row < 3; ++row) {
      for (index column = 0; column < 4; ++column) {
        EXPECT_EQ(&map.coeffRef(row, column), &original(row, column));
        EXPECT_EQ(&view(map)(row, column), &original(row, column)) << "there and back";
      }
    }
    map(1, 2) = -1.0F;
    EXPECT_EQ(original(1, 2), -1.0F);
  }
  using of_const = decltype(as_eigen(std::declval<matrix_view<float const>>()));
  static_assert(std::is_same_v<decltype(view(std::declval<of_const&>())), matrix_view<float const>>);
  static_assert(!std::is_assignable_v<decltype(std::declval<of_const&>()(0, 0)), float>);
}

TEST(as_eigen, computes_in_eigen) {
  matrix<Eigen::half> halves = logits(3).cast<Eigen::half>();
  EXPECT_EQ(as_eigen(view(halves)).cast<double>().sum(), logits(3).sum());
  matrix_view<Eigen::half const> const readable = view(halves);
  EXPECT_EQ(static_cast<double>(as_eigen(readable).maxCoeff()), logits(3).maxCoeff());
}

TEST(as_span, views_a_vector_where_an_option_takes_a_span) {
  matrix<float, Eigen::RowMajor> const student = logits(3).cast<float>();
  Eigen::VectorXi const label = labels();
  Eigen::VectorXf const class_weights = Eigen::VectorXf::LinSpaced(classes, 0.5F, 2.0F);
  std::vector<float> const copied(class_weights.begin(), class_weights.end());
  Eigen::VectorXd values(rows);
  static_assert(std::is_same_v<decltype(as_span(class_weights)), std::span<float const>>);
  static_assert(std::is_same_v<decltype(as_span(values)), std::span<double>>);
  loss_value const found = cross_entropy(
      student, label, {.class_weights = as_span(class_weights), .rows = {.values = as_span(values)}});
  EXPECT_EQ(found.value, cross_entropy(student, label, {.class_weights = copied}).value);
  EXPECT_NEAR(values.sum() / found.weight, found.value, 1e-6 * found.value);
  auto middle = values.segment(2, 5);
  EXPECT_EQ(as_span(middle).data(), values.data() + 2);
  EXPECT_EQ(as_span(middle).size(), 5U);
}

}  // namespace
}  // namespace distil
