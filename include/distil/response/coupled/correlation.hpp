#pragma once

#include <cmath>
#include <limits>

#include "distil/response/coupled/batch.hpp"

/// Pearson correlations of the rows and columns of a batch. With a' = a / |a| of centred vectors,
/// 1 - rho = |a' - b'|^2 / 2, which has no cancellation where teacher and student agree.
namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// A vector whose deviations are at most so many times its mean is constant.
template <class T>
inline constexpr T constant_below = 16 * std::numeric_limits<T>::epsilon();

/// 1 - rho from the norms of the centred vectors and d = |a' - b'|^2, with `floor` added to the product of the norms.
/// `slope` multiplies a' - b' - (1 - rho) a' in the derivative by a.
template <class T>
struct correlation {
  T loss = 1;
  T slope = 0;

  static correlation of(T norm, T teacher_norm, T distance, T floor) {
    T const product = norm * teacher_norm;
    return {(floor + product * (distance / 2)) / (product + floor), teacher_norm / (product + floor)};
  }
};

/// 1 - rho of a row; adds `scale` times its derivative to the upstream gradient.
template <class T>
double correlate_row(coupled_batch<T> const& batch, index row, T scale, double floor) {
  index const classes = batch.classes();
  T const* const student = &batch.student(row, 0);
  T const* const teacher = &batch.teacher(row, 0);
  T const expected = T(1) / static_cast<T>(classes);  // the mean, but for rounding
  auto const mean_of = [&](T const* values) {
    T const rest =
        simd::sum_of<T>(classes, [&](auto place) { return place.load(values) - lanes<T>(expected); });
    return expected + rest / static_cast<T>(classes);
  };
  lanes<T> const mean(mean_of(student)), teacher_mean(mean_of(teacher));
  auto const norm_of = [&](T const* values, lanes<T> of_values) {
    return std::sqrt(simd::sum_of<T>(classes, [&](auto place) {
      lanes<T> const deviation = place.load(values) - of_values;
      return deviation * deviation;
    }));
  };
  T const norm = norm_of(student, mean), teacher_norm = norm_of(teacher, teacher_mean);
  T const least = constant_below<T> * expected * std::sqrt(static_cast<T>(classes));
  if (norm <= least || teacher_norm <= least) return 1.0;
  lanes<T> const inverse(T(1) / norm), teacher_inverse(T(1) / teacher_norm);
  auto const difference = [&](auto place) {
    return (place.load(student) - mean) * inverse - (place.load(teacher) - teacher_mean) * teacher_inverse;
  };
  T const distance = simd::sum_of<T>(classes, [&](auto place) {
    lanes<T> const d = difference(place);
    return d * d;
  });
  auto const result = correlation<T>::of(norm, teacher_norm, distance, static_cast<T>(floor));
  if (batch.with_gradient() && scale > 0) {
    T* const upstream = &batch.upstream(row, 0);
    lanes<T> const slope(scale * result.slope), loss(result.loss);
    simd::for_each_register<T>(classes, [&](auto place) {
      lanes<T> const own = (place.load(student) - mean) * inverse;
      place.store(fma(slope, difference(place) - loss * own, place.load(upstream)), upstream);
    });
  }
  return static_cast<double>(result.loss);
}

/// A column of a smaller mean is one of zeros: the inverse of its norm would not be an ordinary number.
template <class T>
inline constexpr T vanishing_mean =
    std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon() / std::numeric_limits<T>::epsilon();

/// The same for columns, a strip of neighbours at a time. Deviations are relative to the mean, since their squares
/// could underflow; the sums over rows are compensated (Kahan), since there can be any number of rows.
template <class T>
class column_correlation {
 public:
  static constexpr index width = 128;
  static constexpr double most_floor = 1e30;  ///< beyond it a correlation is 0

  /// The sum of 1 - rho over columns; adds `scale` times its derivative.
  static double run(coupled_batch<T> const& batch, index first, index last, double scale, double floor) {
    double sum = 0.0;
    for (index column = first; column < last; column += width) {
      sum += column_correlation(batch, column, std::min(width, last - column)).run(scale, floor);
    }
    return sum;
  }

 private:
  struct sums {
    alignas(64) T of[width] = {};
    alignas(64) T lost[width] = {};

    template <class Place>
    DISTIL_INLINE void add(Place place, lanes<T> summand) {
      lanes<T> const before = place.load(of);
      lanes<T> const corrected = summand - place.load(lost);
      lanes<T> const after = before + corrected;
      place.store((after - before) - corrected, lost);
      place.store(after, of);
    }
  };

  column_correlation(coupled_batch<T> const& batch, index first, index columns)
      : batch_(batch), first_(first), columns_(columns) {}

  /// Calls `body(row, share, place)` for every register of the rows that count.
  template <class Body>
  DISTIL_INLINE void for_each(Body const& body) const {
    for (index row = 0; row < batch_.rows(); ++row) {
      if (batch_.share[row] == 0.0) continue;
      lanes<T> const share(static_cast<T>(batch_.share[row]));
      simd::for_each_register<T>(columns_, [&](auto place) { body(row, share, place); });
    }
  }

  double run(double scale, double floor) {
    auto const student = [this](index row) { return &batch_.student(row, first_); };
    auto const teacher = [this](index row) { return &batch_.teacher(row, first_); };
    index base = 0;  // deviations from a row of the batch: exactly 0 in a constant column
    while (batch_.share[base] == 0.0) ++base;
    sums mean, teacher_mean, square, teacher_square, distance;
    for_each([&](index row, lanes<T> share, auto place) {
      mean.add(place, share * (place.load(student(row)) - place.load(student(base))));
      teacher_mean.add(place, share * (place.load(teacher(row)) - place.load(teacher(base))));
    });
    simd::for_each_register<T>(columns_, [&](auto place) {
      place.store(place.load(mean.of) + place.load(student(base)), mean.of);
      place.store(place.load(teacher_mean.of) + place.load(teacher(base)), teacher_mean.of);
    });
    alignas(64) T scale_of[width] = {}, teacher_scale_of[width] = {};
    for (index c = 0; c < columns_; ++c) {
      bool const zeros = mean.of[c] < vanishing_mean<T> || teacher_mean.of[c] < vanishing_mean<T>;
      if (!zeros) scale_of[c] = T(1) / mean.of[c], teacher_scale_of[c] = T(1) / teacher_mean.of[c];
    }
    auto const own_deviation = [&](index row, auto place) {
      return (place.load(student(row)) - place.load(mean.of)) * place.load(scale_of);
    };
    auto const other_deviation = [&](index row, auto place) {
      return (place.load(teacher(row)) - place.load(teacher_mean.of)) * place.load(teacher_scale_of);
    };
    for_each([&](index row, lanes<T> share, auto place) {
      lanes<T> const own = own_deviation(row, place);
      lanes<T> const other = other_deviation(row, place);
      square.add(place, share * (own * own));
      teacher_square.add(place, share * (other * other));
    });
    alignas(64) T inverse[width] = {}, teacher_inverse[width] = {}, norm[width] = {},
                  teacher_norm[width] = {};
    for (index c = 0; c < columns_; ++c) {
      norm[c] = std::sqrt(square.of[c]), teacher_norm[c] = std::sqrt(teacher_square.of[c]);
      if (norm[c] <= constant_below<T> || teacher_norm[c] <= constant_below<T>) continue;
      inverse[c] = T(1) / norm[c], teacher_inverse[c] = T(1) / teacher_norm[c];
    }
    auto const difference = [&](index row, auto place) {
      return own_deviation(row, place) * place.load(inverse) -
             other_deviation(row, place) * place.load(teacher_inverse);
    };
    for_each([&](index row, lanes<T> share, auto place) {
      lanes<T> const d = difference(row, place);
      distance.add(place, share * (d * d));
    });
    double sum = 0.0;
    alignas(64) T slope[width] = {}, loss[width] = {};
    for (index c = 0; c < columns_; ++c) {
      correlation<T> result;
      if (inverse[c] != T(0)) {
        // The floor belongs to norms that are sums over rows, of probabilities and not of multiples of their means.
        double const relative =
            floor / static_cast<double>(mean.of[c]) / static_cast<double>(teacher_mean.of[c]);
        T const relative_floor = static_cast<T>(std::min(relative / batch_.weight, most_floor));
        result = correlation<T>::of(norm[c], teacher_norm[c], distance.of[c], relative_floor);
      }
      loss[c] = result.loss, slope[c] = static_cast<T>(scale) * result.slope * scale_of[c];
      sum += static_cast<double>(result.loss);
    }
    if (batch_.with_gradient() && scale > 0.0) {
      for_each([&](index row, lanes<T> share, auto place) {
        T* const upstream = &batch_.upstream(row, first_);
        lanes<T> const own = own_deviation(row, place) * place.load(inverse);
        lanes<T> const pull = difference(row, place) - place.load(loss) * own;
        place.store(fma(share * place.load(slope), pull, place.load(upstream)), upstream);
      });
    }
    return sum;
  }

  coupled_batch<T> const& batch_;
  index first_, columns_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
