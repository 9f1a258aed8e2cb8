#pragma once

#include <algorithm>
#include <cmath>

#include "distil/core/map_values.hpp"
#include "distil/core/sample_weights.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/simd/chunk_sums.hpp"

namespace distil {

/// What features are summed over before student and teacher are compared: the less is left, the freer the student.
enum class pooled_over {
  nothing,    ///< every element
  channels,   ///< leaves height x width; channels may differ
  width,      ///< leaves channels x height
  height,     ///< leaves channels x width
  each_side,  ///< width and height, one behind the other: POD-spatial
  positions   ///< leaves the channels; heights and widths may differ
};

/// What is summed.
enum class pooled_elements { squares, as_they_are };

/// How far apart two pooled samples are.
enum class pooled_distance {
  norm,    ///< |a_s - a_t|
  squared  ///< |a_s - a_t|^2
};

struct pooled_outputs_options {
  /// Default: POD-spatial.
  pooled_over over = pooled_over::each_side;

  /// Default: squares, as in the authors' code; the paper sums the features as they are.
  pooled_elements elements = pooled_elements::squares;

  /// Default: the norm, as in the authors' code; the paper has its square.
  pooled_distance distance = pooled_distance::norm;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1; the paper has 3 sqrt(classes seen / new classes), over the layers.
  double weight = 1.0;

  /// One number or one per sample; finite and >= 0. Default 1.
  row_parameter weights = 1;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write the loss of each sample before its weight, what it would give alone; one per sample, those that do not
  /// count get 0. Default: nowhere.
  std::span<double> values = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// The pooled numbers of one sample, a matrix of channels by positions: elements go to one place, or to two.
class pooled_places {
 public:
  pooled_places(pooled_over over, index channels, index height, index width)
      : over_(over), channels_(channels), height_(height), width_(width) {}

  [[nodiscard]] index size() const {
    switch (over_) {
      case pooled_over::nothing:
        return channels_ * height_ * width_;
      case pooled_over::channels:
        return height_ * width_;
      case pooled_over::width:
        return channels_ * height_;
      case pooled_over::height:
        return channels_ * width_;
      case pooled_over::each_side:
        return channels_ * (height_ + width_);
      default:
        return channels_;
    }
  }

  /// Calls `line(channel, y, place, step, second)` for each line of a channel: its elements go to places `step` apart from
  /// `place` on, and where `second` is not -1 to neighbours from there on, too.
  template <class Line>
  void for_each_line(Line const& line) const {
    for (index c = 0; c < channels_; ++c) {
      for (index y = 0; y < height_; ++y) {
        index const of_row = c * height_ + y, of_column = c * width_;
        switch (over_) {
          case pooled_over::nothing:
            line(c, y, of_row * width_, 1, -1);
            break;
          case pooled_over::channels:
            line(c, y, y * width_, 1, -1);
            break;
          case pooled_over::width:
            line(c, y, of_row, 0, -1);
            break;
          case pooled_over::height:
            line(c, y, of_column, 1, -1);
            break;
          case pooled_over::each_side:
            line(c, y, of_row, 0, channels_ * height_ + of_column);
            break;
          case pooled_over::positions:
            line(c, y, c, 0, -1);
            break;
        }
      }
    }
  }

  /// Sums into `to`, whose length it gives, and divides by that.
  template <class T>
  double pool(matrix_view<T const> sample, bool squares, double* to) const {
    std::fill(to, to + size(), 0.0);
    for_each_line([&](index c, index y, index place, index step, index second) {
      T const* const from = &sample(c, y * width_);
      for (index x = 0; x < width_; ++x) {
        auto const element = static_cast<double>(from[x]);
        double const summand = squares ? element * element : element;
        to[place + x * step] += summand;
        if (second >= 0) to[second + x] += summand;
      }
    });
    double sum = 0.0;
    for (index i = 0; i < size(); ++i) sum += to[i] * to[i];
    double const length = std::sqrt(sum);
    if (length != 0.0) {
      for (index i = 0; i < size(); ++i) to[i] /= length;
    }
    return length;
  }

  /// From the derivatives by the sums to those by the elements.
  template <class T>
  void pull_back(matrix_view<T const> sample, bool squares, double const* slopes,
                 matrix_view<T> gradient) const {
    for_each_line([&](index c, index y, index place, index step, index second) {
      T const* const from = &sample(c, y * width_);
      T* const to = &gradient(c, y * width_);
      for (index x = 0; x < width_; ++x) {
        double const slope = slopes[place + x * step] + (second >= 0 ? slopes[second + x] : 0.0);
        to[x] = static_cast<T>(squares ? 2.0 * static_cast<double>(from[x]) * slope : slope);
      }
    });
  }

 private:
  pooled_over over_;
  index channels_, height_, width_;
};

}  // namespace kernels

/// See `pooled_outputs`.
struct pooled_outputs_loss : pair_loss<pooled_outputs_loss, pooled_outputs_options> {
  static constexpr char const* name = "pooled_outputs";
  static constexpr error_bound bound{.value = 16, .gradient = 16};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    pooled_outputs_options const& options) {
    bool const channels = options.over != pooled_over::channels,
               sides = options.over != pooled_over::positions;
    detail::require_same_axes(name, "teacher", teacher, student, {true, channels, sides, sides});
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             pooled_outputs_options const& options) {
    auto const& [student, teacher, gradient] = operands;
    detail::sample_weights const weights(name, options.weights, student.samples);
    detail::sample_values const values(name, options.values, student.samples);
    double const factor = weights.mean_factor(1.0);
    kernels::pooled_places const places(options.over, student.channels, student.height, student.width);
    kernels::pooled_places const of_teacher(options.over, teacher.channels, teacher.height, teacher.width);
    index const size = student.sample_size(), teacher_size = teacher.sample_size(), pooled = places.size();
    bool const squares = options.elements == pooled_elements::squares;
    double const sum = simd::sum_chunks(
        policy, student.samples, simd::worth_a_chunk(size + teacher_size),
        student.samples * (size + teacher_size),
        [&, &student = student, &teacher = teacher, &gradient = gradient](index first, index last, index) {
          constexpr auto order = kernels::rows_of::channels;
          T* const memory = simd::scratch<T, pooled_outputs_loss>(2 * size + teacher_size);
          double* const own = simd::scratch<double, kernels::pooled_places>(2 * pooled);
          double* const other = own + pooled;
          double total = 0.0;
          for (index n = first; n < last; ++n) {
            auto const s = student.sample(n, order, memory);
            auto const written = gradient ? gradient.sample(n, order, memory + size) : matrix_view<T>();
            if (weights[n] == 0.0) {  // what does not count may be NaN
              if (gradient) {
                for (index row = 0; row < written.rows; ++row)
                  std::fill_n(&written(row, 0), written.columns, T(0));
                gradient.finish(n, order, written);
              }
              continue;
            }
            double const length = places.pool(s, squares, own);
            of_teacher.pool(teacher.sample(n, order, memory + 2 * size), squares, other);
            double const found = compare(options.distance, own, other, pooled, length, weights[n] * factor);
            total += weights[n] * found;
            values.add(n, found);
            if (!gradient) continue;
            places.pull_back(s, squares, other, written);
            gradient.finish(n, order, written);
          }
          return total;
        });
    return {sum * factor, weights.total()};
  }

 private:
  /// The distance of two unit rows; `other` becomes its derivative by what `own` was before its division by `length`, times
  /// `factor`.
  static double compare(pooled_distance distance, double const* own, double* other, index size, double length,
                        double factor) {
    double squares = 0.0;
    for (index i = 0; i < size; ++i) {
      other[i] = own[i] - other[i];
      squares += other[i] * other[i];
    }
    double const apart = std::sqrt(squares);
    bool const is_norm = distance == pooled_distance::norm;
    double by = is_norm ? factor / apart : 2.0 * factor;
    if (length == 0.0 || apart == 0.0) by = 0.0;
    double along = 0.0;
    for (index i = 0; i < size; ++i) along += own[i] * other[i];
    for (index i = 0; i < size; ++i) {
      other[i] = by == 0.0 ? 0.0 : by / length * (other[i] - own[i] * along);
    }
    return is_norm ? apart : squares;
  }
};

/// The student keeps what its features sum to along each side, and may move what lies in between: between the steps of
/// continual learning, from the network before. @alias POD, PODNet, POD-spatial, POD-width, POD-height
///
/// @formula   L = mean_n |a_s - a_t|, or its square, a = v / |v| for each sample, v the sums of f^2, or of f, over what
///            `over` says. Sum it over the layers (`sum_over_layers`), the mean of them in the paper; on the last embedding
///            (POD-flat) stands `hidden_cosine`
/// @param     student  feature map, samples x channels x height x width in any layout
/// @param     teacher  of the student's shape, but for the axes that are summed over, in any layout
/// @param     gradient of the student's shape, dL/ds, overwritten or added; may be the student itself, never the teacher
/// @gradient  r = (a_s - a_t) / (|a_s - a_t| n), or 2 (a_s - a_t) / n; dv = (r - a (a . r)) / |v|; df = 2 f dv, or dv, of
///            all the sums that f is in. A sample of zeros stays one and has no gradient; nor have equal ones
/// @throws    std::invalid_argument when a shape, option or weight is refused; nothing is written then
/// @error     `bound` epsilons of 1 for the value; for the gradient of the largest |df / dv| / |v| of its sample, over n,
///            twice that for squares
/// @nan       a NaN makes the value and its sample's gradient NaN. Without samples, or where nothing counts: 0
/// @cost      reads student (twice) and teacher and writes one map, an element at a time in double; scratch of two samples
///            of the student, one of the teacher, and their sums a thread
/// @source    Douillard et al. 2020, arXiv:2004.13513, section 3.1, and the authors' code, which squares before it sums,
///            joins both sides before it divides by the length, and takes the norm. The paper's sum of the two sides, each by
///            itself and squared, is two calls
/// @example   distil::pooled_outputs.with_grad(student, before, gradient)
inline constexpr pooled_outputs_loss pooled_outputs{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
