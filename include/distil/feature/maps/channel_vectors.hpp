#pragma once

#include <Eigen/Eigenvalues>
#include <cmath>
#include <limits>

#include "distil/matrix/products.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// The singular vectors of a layer over its channels: eigenvectors of the products of channels, found by the smaller of
/// the products of channels and of positions. In double, whatever the layer's type: products square what separates the
/// vectors.
class channel_vectors {
 public:
  using matrix = Eigen::MatrixXd;

  /// @param x  channels x positions
  template <class T>
  void decompose(matrix_view<T const> x) {
    map_ = in_eigen(x).template cast<double>();
    bool const by_channels = x.rows <= x.columns;
    if (by_channels) {
      products_.noalias() = map_ * map_.transpose();
    } else {
      products_.noalias() = map_.transpose() * map_;
    }
    rank_ = 0;
    finite_ = std::isfinite(products_.sum());
    if (!finite_) return;
    solver_.compute(products_);
    index const size = products_.rows();
    double const largest = solver_.eigenvalues()(size - 1);
    double const least = largest * static_cast<double>(size) * std::numeric_limits<double>::epsilon();
    values_.resize(size);
    vectors_.resize(x.rows, size);
    for (; rank_ < size; ++rank_) {  // Eigen has them in increasing order
      double const value = solver_.eigenvalues()(size - 1 - rank_);
      if (!(value > least)) break;
      values_(rank_) = value;
      auto const vector = solver_.eigenvectors().col(size - 1 - rank_);
      if (by_channels) {
        vectors_.col(rank_) = vector;
      } else {
        vectors_.col(rank_).noalias() = map_ * vector;
        vectors_.col(rank_).normalize();
      }
    }
  }

  [[nodiscard]] bool finite() const { return finite_; }
  [[nodiscard]] index rank() const { return rank_; }
  [[nodiscard]] double squared_value(index i) const { return values_(i); }
  [[nodiscard]] auto vector(index i) const { return vectors_.col(i); }

  /// Adds to the gradient by x what `slope`, that by vector i, gives back.
  template <class Slope>
  void pull_back(index i, Slope const& slope, double regularization, matrix& gradient) {
    double const floor = regularization * values_(0);
    auto const inverse = [=](double gap) { return gap / (gap * gap + floor * floor); };
    along_.noalias() = vectors_.leftCols(rank_).transpose() * slope;
    // What no vector spans belongs to singular values of 0.
    moved_ = slope;
    moved_.noalias() -= vectors_.leftCols(rank_) * along_;
    moved_ *= inverse(values_(i));
    for (index j = 0; j < rank_; ++j) along_(j) *= j == i ? 0.0 : inverse(values_(i) - values_(j));
    moved_.noalias() += vectors_.leftCols(rank_) * along_;
    seen_.noalias() = map_.transpose() * vectors_.col(i);
    gradient.noalias() += moved_ * seen_.transpose();
    seen_.noalias() = map_.transpose() * moved_;
    gradient.noalias() += vectors_.col(i) * seen_.transpose();
  }

 private:
  matrix map_, products_, vectors_;
  Eigen::VectorXd values_, along_, moved_, seen_;
  Eigen::SelfAdjointEigenSolver<matrix> solver_;
  index rank_ = 0;
  bool finite_ = true;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
