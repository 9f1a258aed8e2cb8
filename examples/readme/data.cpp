#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <vector>

#include "distil/response/hinton_kd.hpp"

/// How logits of other libraries are passed, with stand-ins that have their members; every way must give the loss that the
/// formula gives.
namespace {

/// The members of a torch::Tensor, of arma::fmat, of dlib::tensor and of a ggml_tensor that say where their elements are.
struct torch_tensor {
  float* first;
  std::int64_t sizes[2], strides[2];
  template <class T>
  [[nodiscard]] T* data_ptr() const {
    return first;
  }
  [[nodiscard]] std::int64_t size(int axis) const { return sizes[axis]; }
  [[nodiscard]] std::int64_t stride(int axis) const { return strides[axis]; }
};
struct armadillo_matrix {
  float* first;
  unsigned long long n_rows, n_cols;
  [[nodiscard]] float* memptr() const { return first; }
};
struct dlib_tensor {
  float* first;
  long long samples, channels;
  [[nodiscard]] float* host() const { return first; }
  [[nodiscard]] long long num_samples() const { return samples; }
  [[nodiscard]] long long k() const { return channels; }
};
struct ggml_tensor {
  void* data;
  std::int64_t ne[2];
  std::size_t nb[2];
};

/// (1 - a) CE + a T^2 KL of rows of logits, row after row, without those of the ignored label.
template <class Label>
double formula(std::vector<float> const& student, std::vector<float> const& teacher,
               std::vector<Label> const& labels, double temperature, double soft_weight, int ignored = -100) {
  std::size_t const classes = student.size() / labels.size();
  double sum = 0, counted = 0;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (static_cast<int>(labels[row]) == ignored) continue;
    auto const log_softmax = [&](std::vector<float> const& logits, std::size_t column, double divisor) {
      double total = 0;
      for (std::size_t k = 0; k < classes; ++k) total += std::exp(logits[row * classes + k] / divisor);
      return logits[row * classes + column] / divisor - std::log(total);
    };
    double soft = 0;
    for (std::size_t k = 0; k < classes; ++k) {
      double const log_p = log_softmax(teacher, k, temperature), log_q = log_softmax(student, k, temperature);
      soft += std::exp(log_p) * (log_p - log_q);
    }
    double const hard = -log_softmax(student, static_cast<std::size_t>(labels[row]), 1);
    sum += (1 - soft_weight) * hard + soft_weight * temperature * temperature * soft;
    counted += 1;
  }
  return sum / counted;
}

bool agree(char const* what, double found, double expected) {
  if (std::abs(found - expected) <= 1e-5 * expected) return true;
  std::fprintf(stderr, "%s: %.8f, but the formula gives %.8f\n", what, found, expected);
  return false;
}

/// A batch in chunks of rows (include/distil/core/README.md).
double of_chunks(distil::matrix_view<float const> logits, distil::matrix_view<float const> teacher_logits,
                 std::vector<int> const& labels, distil::matrix_view<float> gradient, distil::index chunk) {
  distil::index const rows = logits.rows, classes = logits.columns;
  double loss = 0.0;
  for (distil::index first = 0; first < rows; first += chunk) {
    distil::index const count = std::min(chunk, rows - first);
    auto const rows_of = [&](auto const& all) {
      return distil::matrix_view(&all(first, 0), count, classes, all.row_stride, all.column_stride);
    };
    loss += distil::hinton_kd.with_grad(
        rows_of(logits), rows_of(teacher_logits),
        std::span(labels).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
        rows_of(gradient), {.rows = {.normalizer = static_cast<double>(rows)}});
  }
  return loss;
}

bool matrices_arrive() {
  distil::index const rows = 3, classes = 4;
  std::vector<float> const student = {1, 2, -1, 0, 0.5F, 3, 1, -2, 2, 2, 0, 1};
  std::vector<float> const teacher = {4, 1, -2, 1, 0, 5, 2, -3, 3, 1, -1, 0};
  std::vector<int> const labels = {1, 0, 2};
  std::vector<float> gradient(12);
  double const expected = formula(student, teacher, labels, 4, 0.9);

  std::vector<float> logits = student, transposed(12), padded(18);
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t k = 0; k < 4; ++k) {
      transposed[k * 3 + row] = student[row * 4 + k];
      padded[row * 6 + k] = student[row * 4 + k];
    }
  }
  torch_tensor const t{transposed.data(), {3, 4}, {1, 3}};  // as after .t()
  armadillo_matrix const a{transposed.data(), 3, 4};
  dlib_tensor const d{logits.data(), 3, 4};
  ggml_tensor const cut{padded.data(), {4, 3}, {4, 24}};  // a view of wider rows
  ggml_tensor const* const g = &cut;
  float* const pointer = padded.data();
  distil::index const row_stride = 6, column_stride = 1;

  auto const by_rows = distil::matrix_view(logits, rows, classes);
  auto const by_columns = distil::column_major(transposed, rows, classes);
  auto const teacher_view = distil::matrix_view(teacher, rows, classes);
  auto const gradient_view = distil::matrix_view(gradient, rows, classes);

  Eigen::MatrixXf eigen_student(3, 4), eigen_teacher(3, 4), eigen_gradient(3, 4);
  for (distil::index row = 0; row < rows; ++row) {
    for (distil::index k = 0; k < classes; ++k) {
      eigen_student(row, k) = by_rows(row, k);
      eigen_teacher(row, k) = teacher_view(row, k);
    }
  }

  // vectors, arrays, spans, with rows and columns
  double value = distil::hinton_kd.with_grad(distil::matrix_view(student, rows, classes),
                                             distil::matrix_view(teacher, rows, classes), labels,
                                             distil::matrix_view(gradient, rows, classes));
  // Eigen's matrices, maps and blocks as they are, whatever their order
  double same = distil::hinton_kd.with_grad(eigen_student, eigen_teacher, labels, eigen_gradient);
  // what other libraries say of their elements; strides count elements
  auto const of_torch =
      distil::matrix_view(t.data_ptr<float>(), t.size(0), t.size(1), t.stride(0), t.stride(1));
  auto const of_armadillo = distil::column_major(a.memptr(), a.n_rows, a.n_cols);
  auto const of_dlib = distil::matrix_view(d.host(), d.num_samples(), d.k());
  auto const of_ggml = distil::matrix_view(static_cast<float*>(g->data), g->ne[1], g->ne[0],
                                           g->nb[1] / sizeof(float), g->nb[0] / sizeof(float));
  auto const of_others = distil::matrix_view(pointer, rows, classes, row_stride, column_stride);

  auto const loss = [&](auto const& view) {
    return distil::hinton_kd.with_grad(view, teacher_view, labels, gradient_view);
  };
  bool right = agree("vector", loss(by_rows), expected) && agree("columns", loss(by_columns), expected) &&
               agree("strides", loss(of_others), expected) && agree("torch", loss(of_torch), expected) &&
               agree("Armadillo", loss(of_armadillo), expected) && agree("dlib", loss(of_dlib), expected) &&
               agree("ggml", loss(of_ggml), expected);

  right = right && agree("whole call", value, expected) && agree("Eigen", same, expected);
  right = right && agree("C array", distil::hinton_kd(by_rows, teacher_view, {1, 0, 2}), expected);
  std::int16_t const short_labels[] = {1, 0, 2};
  std::array<std::size_t, 3> const long_labels = {1, 0, 2};
  right = right && agree("16 bits", distil::hinton_kd(by_rows, teacher_view, short_labels), expected);
  right = right && agree("64 bits", distil::hinton_kd(by_rows, teacher_view, long_labels), expected);

  std::vector<float> const row_weights = {1, 1, 1};
  std::vector<double> loss_of_row(3);
  value = distil::hinton_kd.with_grad(
      by_rows, teacher_view, labels, gradient_view,
      {.temperature = 4.0F,              // one number or one per row; default 4
       .soft_weight = 0.7,               // of T^2 KL; default 0.9
       .hard_weight = 0.3,               // of the cross entropy; default 1 - soft_weight
       .rows = {.weights = row_weights,  // one number or one per row; default 1
                .ignore_label = -100,    // rows with this label do not count
                .normalizer = 0.0,       // where > 0, the divisor of the mean: a global count
                .values = loss_of_row},  // gets the loss of each row
       .accumulate = false});            // true adds to the gradient
  right = right && agree("options", value, formula(student, teacher, labels, 4, 0.7));
  right = right && agree("chunks", of_chunks(by_rows, teacher_view, labels, gradient_view, 2), expected);
  return right && agree("rows", (loss_of_row[0] + loss_of_row[1] + loss_of_row[2]) / 3, value);
}

/// Two images of 2 x 2 pixels and three classes, of which one pixel has no label.
bool images_arrive() {
  distil::index const n = 2, c = 3, h = 2, w = 2;
  std::vector<float> student(24), teacher(24), gradient(24), student_rows(24), teacher_rows(24);
  std::vector<std::uint8_t> const label_image = {0, 2, 255, 1, 1, 1, 0, 2};
  for (std::size_t image = 0, at = 0; image < 2; ++image) {
    for (std::size_t k = 0; k < 3; ++k) {
      for (std::size_t pixel = 0; pixel < 4; ++pixel, ++at) {
        student[at] = static_cast<float>(std::sin(static_cast<double>(at)));
        teacher[at] = static_cast<float>(3 * std::cos(static_cast<double>(at)));
        student_rows[(image * 4 + pixel) * 3 + k] = student[at];
        teacher_rows[(image * 4 + pixel) * 3 + k] = teacher[at];
      }
    }
  }
  double const value = distil::hinton_kd.with_grad(
      distil::feature_map(student, n, c, h, w), distil::feature_map(teacher, n, c, h, w), label_image,
      distil::feature_map(gradient, n, c, h, w), {.rows = {.ignore_label = 255}});
  return agree("images", value, formula(student_rows, teacher_rows, label_image, 4, 0.9, 255));
}

}  // namespace

int main() { return matrices_arrive() && images_arrive() ? 0 : 1; }
