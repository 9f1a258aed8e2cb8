#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "distil/core/map_values.hpp"
#include "distil/feature/maps/channel_vectors.hpp"
#include "distil/matrix/layer_pair.hpp"
#include "distil/simd/vectors.hpp"

namespace distil {

struct singular_vectors_options {
  /// Singular vectors of the teacher that are compared; >= 1. Default 1, as in public code. Those past a layer's rank are
  /// 0.
  index vectors = 1;

  /// The student's vectors that may take the place of one of the teacher's: `vectors` and so many more; >= 0. Default 3.
  index more_candidates = 3;

  /// The gradient of a singular vector has 1 / (l_i - l_j) of the squared singular values l. With x = l_i - l_j and e this
  /// option times the largest l it is x / (x^2 + e^2): exact where values are apart, and finite where they meet. Finite and
  /// > 0. Default 1e-6.
  double regularization = 1e-6;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Of samples: one number or one per sample; finite and >= 0. The loss is their weighted mean. What has weight 0 does
  /// not count and may be NaN. Default 1.
  row_parameter weights = 1;

  /// Adds the gradients to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write the loss of each sample before its weight, what it would give alone; one per sample, those that do not
  /// count get 0. Default: nowhere.
  std::span<double> values = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// One layer of student and teacher: the teacher's vectors times their share of its singular values, and the student's
/// that resemble them most.
class aligned_vectors {
 public:
  template <class T>
  void align(matrix_view<T const> student, matrix_view<T const> teacher,
             singular_vectors_options const& options) {
    student_.decompose(student);
    teacher_.decompose(teacher);
    for (auto* const each : {&ours, &theirs, &slopes}) each->setZero(student.rows, options.vectors);
    chosen_.setZero(options.vectors);
    factor_.setZero(options.vectors);
    if (!finite()) return;
    index const count = std::min(options.vectors, teacher_.rank());
    index const candidates = std::min(options.vectors + options.more_candidates, student_.rank());
    double squares = 0.0;
    for (index k = 0; k < count; ++k) squares += teacher_.squared_value(k);
    for (index k = 0; k < count; ++k) {
      // Of a vector and its opposite, both of which are singular, the one whose elements have a sum >= 0.
      double const length = std::sqrt(teacher_.squared_value(k) / squares);
      double const share = teacher_.vector(k).sum() < 0.0 ? -length : length;
      theirs.col(k) = share * teacher_.vector(k);
      double nearest = 0.0;
      for (index i = 0; i < candidates; ++i) {
        double const cosine = student_.vector(i).dot(teacher_.vector(k));
        if (!(std::abs(cosine) > std::abs(nearest))) continue;
        nearest = cosine;
        chosen_(k) = static_cast<int>(i);
      }
      if (nearest == 0.0) continue;
      factor_(k) = nearest > 0.0 ? share : -share;
      ours.col(k) = factor_(k) * student_.vector(chosen_(k));
    }
  }

  [[nodiscard]] bool finite() const { return student_.finite() && teacher_.finite(); }

  /// From `slopes`, the gradient by `ours`, to that by the student's map, overwritten.
  template <class T>
  void pull_back(double regularization, matrix_view<T> gradient) {
    gradient_.setZero(gradient.rows, gradient.columns);
    for (index k = 0; k < slopes.cols(); ++k) {
      if (factor_(k) == 0.0) continue;
      slopes.col(k) *= factor_(k);
      student_.pull_back(chosen_(k), slopes.col(k), regularization, gradient_);
    }
    in_eigen(gradient) = gradient_.template cast<T>();
  }

  Eigen::MatrixXd ours, theirs, slopes;  ///< channels x vectors

 private:
  channel_vectors student_, teacher_;
  Eigen::MatrixXd gradient_;
  Eigen::VectorXi chosen_;
  Eigen::VectorXd factor_;
};

/// sum_ij (e(a_i - b_j) - e(c_i - d_j))^2 with e(x) = exp(-x^2 / 8), a and b the student's and c and d the teacher's
/// vectors; the derivatives by a and b are written.
inline double compare_correlations(aligned_vectors& first, aligned_vectors& second, index k) {
  using simd::lanes;
  index const size = second.ours.rows();
  double const* const b = second.ours.col(k).data();
  double const* const d = second.theirs.col(k).data();
  double* const by_b = second.slopes.col(k).data();
  lanes<double> const eighth(-0.125), half(-0.5);
  double total = 0.0;
  for (index i = 0; i < first.ours.rows(); ++i) {
    lanes<double> const a(first.ours(i, k)), c(first.theirs(i, k));
    lanes<double> slope(0);
    total += simd::sum_of<double>(size, [&](auto place) {
      lanes<double> const x = a - place.load(b), y = c - place.load(d);
      lanes<double> const e = exp_nonpositive(x * x * eighth);
      lanes<double> const difference = e - exp_nonpositive(y * y * eighth);
      lanes<double> const by_a = half * difference * e * x;
      place.store(place.load(by_b) - by_a, by_b);
      slope += place.only(by_a);
      return difference * difference;
    });
    first.slopes(i, k) = first_of(sum_across(slope));
  }
  return total;
}

}  // namespace kernels

/// See `singular_vectors`.
struct singular_vectors_loss : layer_pair_loss<singular_vectors_loss, singular_vectors_options> {
  static constexpr char const* name = "singular_vectors";
  static constexpr error_bound bound{.value = 256, .gradient = 4096};

  using shapes = layer_pair<std::array<index, 4>, std::array<index, 4>>;

  static void check(shapes const& students, shapes const& teachers, singular_vectors_options const& options) {
    detail::require_same_axes(name, "student's second layer", students.second, students.first,
                              {true, false, false, false});
    detail::require_same_axes(name, "teacher", teachers.first, students.first, {true, true, false, false});
    detail::require_same_axes(name, "teacher's second layer", teachers.second, students.second,
                              {true, true, false, false});
    detail::require(options.vectors >= 1, name, "vectors", options.vectors, ">= 1");
    detail::require(options.more_candidates >= 0, name, "more_candidates", options.more_candidates, ">= 0");
    detail::require(detail::is_positive(options.regularization), name, "regularization",
                    options.regularization, detail::must_be_positive);
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::layer_operands<T> const& operands,
                             singular_vectors_options options) {
    auto const& [first, second] = operands;
    // More vectors than channels are all 0.
    index const widest = std::max(first.student.channels, second.student.channels);
    options.vectors = std::min(options.vectors, widest);
    options.more_candidates = std::min(options.more_candidates, widest);
    index const samples = first.student.samples;
    index const size = std::max({first.student.sample_size(), second.student.sample_size(),
                                 first.teacher.sample_size(), second.teacher.sample_size()});
    detail::map_weights const weights(name, options.weights, {samples, 1, 1, 1});
    detail::sample_values const values(name, options.values, samples);
    double const factor = weights.factor(feature_reduction::sample_mean);
    kernels::rows_of const order = kernels::rows_of::channels;
    double const sum = simd::sum_chunks(
        policy, samples, 1, samples * size * std::min(first.student.channels, first.student.positions()),
        [&, &one = first, &other = second](index begin, index end, index) {
          [[maybe_unused]] kernels::one_thread_in_eigen const alone;
          thread_local kernels::aligned_vectors of_one, of_other;
          T* const memory = simd::scratch<T, singular_vectors_loss>(2 * size);
          T* const slopes = memory + size;
          double total = 0.0;
          for (index n = begin; n < end; ++n) {
            double const weight = weights.of(n, 0);
            if (weight > 0.0) {
              of_one.align(one.student.sample(n, order, memory), one.teacher.sample(n, order, slopes),
                           options);
              of_other.align(other.student.sample(n, order, memory), other.teacher.sample(n, order, slopes),
                             options);
              double const value = compare(of_one, of_other, options.vectors);
              total += weight * value;
              values.add(n, value);
            }
            if (!one.gradient) continue;
            auto const to = one.gradient.sample(n, order, slopes);
            pull_back(of_one, weight * factor, options.regularization, to);
            one.gradient.finish(n, order, to);
            auto const to_other = other.gradient.sample(n, order, slopes);
            pull_back(of_other, weight * factor, options.regularization, to_other);
            other.gradient.finish(n, order, to_other);
          }
          return total;
        });
    return {sum * factor, weights.total()};
  }

 private:
  static double compare(kernels::aligned_vectors& one, kernels::aligned_vectors& other, index vectors) {
    if (!one.finite() || !other.finite()) {
      for (auto* const layer : {&one, &other})
        layer->slopes.setConstant(std::numeric_limits<double>::quiet_NaN());
      return std::numeric_limits<double>::quiet_NaN();
    }
    double sum = 0.0;
    for (index k = 0; k < vectors; ++k) sum += kernels::compare_correlations(one, other, k);
    return sum;
  }

  template <class T>
  static void pull_back(kernels::aligned_vectors& layer, double factor, double regularization,
                        matrix_view<T> gradient) {
    if (factor == 0.0) {
      kernels::in_eigen(gradient).setZero();
    } else if (!layer.finite()) {
      kernels::in_eigen(gradient).setConstant(std::numeric_limits<T>::quiet_NaN());
    } else {
      layer.slopes *= factor;
      layer.pull_back(regularization, gradient);
    }
  }
};

/// Between two layers, the student's strongest features are related as the teacher's: singular vectors over the channels,
/// aligned with the teacher's and weighed by its singular values. Student and teacher agree in channels; positions may
/// differ everywhere. @alias KDSVD, knowledge distillation by singular value decomposition
///
/// @formula   L = mean_n sum_k,i,j (e(a_ki - b_kj) - e(c_ki - d_kj))^2, e(x) = exp(-x^2 / 8); c and d are the k-th right
///            singular vectors (of positions x channels) of the teacher's layers, a and b the student's vectors with the
///            largest |cosine| to these, turned towards them; all times the teacher's k-th singular value, these values
///            divided by the length of all. The loss depends on the sign of c against d, which a decomposition leaves
///            open: their elements have sums >= 0, as those of features behind a ReLU have of their own accord
/// @param     students  `layers(first, second)`, feature maps of samples x A and samples x B channels, any layouts
/// @param     teachers  `layers(first, second)` of A and B channels, too
/// @param     gradients `layers(by_first, by_second)`, each of its student layer's shape, overwritten or added; may be
///                      that layer itself, apart from all else
/// @gradient  by vector v_i with slope g: (M + M') x for channels x positions x, M = sum_j v_j (v_j . g) / (l_i - l_j)
///            v_i', l the squared singular values, inverses as `regularization` says. Which vectors are aligned is
///            constant
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound` epsilons of A B for the value, of the largest element for the gradient,
///            where singular values differ by a hundredth of the largest. Computed in double for all types
/// @nan       NaN or infinite elements make the value NaN, and gradients of their sample. A map of zeros has no vectors
///            and no gradient. Without samples, or where nothing counts: 0
/// @cost      an eigendecomposition of min(channels, positions) a map and sample; A B exponentials a vector. Eigen
///            allocates when a layer's shape differs from the thread's last
/// @source    Lee et al. 2018; RepDistiller has these vectors, signs as they come, with k = 1 and a weight of 1.
///            mdistiller decomposes (channels and rows) x columns: here, a feature_map whose strides name columns as
///            channels
/// @example   distil::singular_vectors.with_grad(layers(s1, s2), layers(t1, t2), layers(gradient1, gradient2))
inline constexpr singular_vectors_loss singular_vectors{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
