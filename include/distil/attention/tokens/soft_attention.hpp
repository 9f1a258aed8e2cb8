#pragma once

#include "distil/core/shapes.hpp"
#include "distil/simd/chunk_sums.hpp"
#include "distil/simd/soft_rows.hpp"

namespace distil {

/// What attention losses compare a query's distributions p of the teacher and q of the student by.
enum class attention_divergence_kind {
  kl,             ///< sum p (log p - log q), not negative
  cross_entropy,  ///< -sum p log q
};

inline namespace DISTIL_ARCH_NAMESPACE {
namespace kernels {

using simd::lanes;

/// A query's two distributions, compared.
template <class T>
struct soft_comparison {
  T value = 0;
  T by_log_temperature = 0;  ///< the temperature times the derivative by it, where that is wanted
};

/// Compares softmax(student_scale s) with softmax(teacher_scale t), rows of scores with -inf at what is masked.
template <class T>
struct soft_attention {
  attention_divergence_kind kind = attention_divergence_kind::kl;
  bool by_temperature = false;
  /// Of the teacher's scores, those up to here drop out of the sum, but not out of the softmax.
  T dropped_to = -simd::infinity<T>;

  /// `slope` becomes the derivative by student_scale s; `scratch` has room for a row. Nothing where a side is fully
  /// masked.
  soft_comparison<T> operator()(T const* student, T student_scale, T const* teacher, T teacher_scale,
                                index size, T* slope, T* scratch) const {
    simd::soft_row<T> const p = simd::softmax_of(teacher, size, teacher_scale, scratch);
    simd::soft_row<T> const q = simd::softmax_of(student, size, student_scale, slope);
    if (p.masked() || q.masked()) {
      std::fill(slope, slope + size, T(0));
      return {};
    }
    lanes<T> const by_student(student_scale), by_teacher(teacher_scale);
    auto const scaled = [](lanes<T> x, T top, lanes<T> scale) { return (x - lanes<T>(top)) * scale; };
    // A mean under p, over the sum of the same p: what its rounding has in common cancels.
    auto const mean_of = [&](T const* scores, T top, lanes<T> scale) {
      T const whole = simd::sum_of<T>(size, [&](auto place) { return place.load(scratch); });
      T const sum = simd::sum_of<T>(size, [&](auto place) {
        return zero_safe_product(place.load(scratch), scaled(place.load(scores), top, scale));
      });
      return whole > T(0) ? sum / whole : T(0);
    };
    T const mean = by_temperature ? mean_of(teacher, p.top, by_teacher) : T(0);
    lanes<T> const mass(drop(teacher, size, scratch));
    T const mean_of_student = by_temperature ? mean_of(student, q.top, by_student) : T(0);
    bool const cross_entropy = kind == attention_divergence_kind::cross_entropy;
    auto const log_ratio = [&](auto place, lanes<T> log_q) {
      return cross_entropy ? -log_q : p.log_of(place.load(teacher), by_teacher) - log_q;
    };
    // p (log p - log q) - p + q is never negative, and the last two sum to zero.
    T const sum = simd::sum_of<T>(size, [&](auto place) {
      lanes<T> const of_p = place.load(scratch);
      lanes<T> const log_q = q.log_of(place.load(student), by_student);
      lanes<T> const d = place.load(slope) * mass - of_p;
      place.store(d, slope);
      lanes<T> const summand = zero_safe_product(of_p, log_ratio(place, log_q));
      return cross_entropy ? summand : summand + d;
    });
    soft_comparison<T> result{!cross_entropy && sum < T(0) ? T(0) : sum, T(0)};
    if (by_temperature) {
      // With x = t / T, y = s / T: dT's derivative is -(sum (q - p) y + sum p (x - mean) (log p - log q)) / T.
      result.by_log_temperature = -simd::sum_of<T>(size, [&](auto place) {
        lanes<T> const log_q = q.log_of(place.load(student), by_student);
        lanes<T> const moved = scaled(place.load(teacher), p.top, by_teacher) - lanes<T>(mean);
        lanes<T> const own = scaled(place.load(student), q.top, by_student) - lanes<T>(mean_of_student);
        return zero_safe_product(place.load(slope), own) +
               zero_safe_product(place.load(scratch), moved * log_ratio(place, log_q));
      });
    }
    return result;
  }

 private:
  /// What is left of the teacher's mass.
  T drop(T const* teacher, index size, T* probability) const {
    if (!(dropped_to > -simd::infinity<T>)) return T(1);
    return simd::sum_of<T>(size, [&](auto place) {
      lanes<T> const kept =
          select(place.load(teacher) <= lanes<T>(dropped_to), lanes<T>(0), place.load(probability));
      place.store(kept, probability);
      return kept;
    });
  }
};

/// One temperature for all heads or one per head, its factor on the loss, and the derivatives by it.
class head_temperatures {
 public:
  head_temperatures(row_parameter const& temperature, std::span<double> gradient, bool squared)
      : temperature_(temperature), gradient_(gradient), squared_(squared), size_(std::ssize(gradient)) {
    if (size_ > 0) {
      sums_ = simd::scratch<double, head_temperatures>(simd::most_chunks * size_);
      std::fill(sums_, sums_ + simd::most_chunks * size_, 0.0);
    }
  }

  static void check(char const* where, row_parameter const& temperature, std::span<double> gradient,
                    index heads) {
    detail::require(
        !temperature.per_row() || temperature.size() == heads, where, "temperature",
        [&] { return "of size " + std::to_string(temperature.size()); },
        [&] { return "one number or one per head, " + std::to_string(heads); });
    for (index head = 0; head < (temperature.per_row() ? heads : 1); ++head) {
      detail::require(detail::is_temperature(temperature[head]), where, "temperature", temperature[head],
                      detail::must_be_temperature);
    }
    index const size = temperature.per_row() ? heads : 1;
    detail::require(
        gradient.empty() || std::ssize(gradient) == size, where, "temperature_gradient",
        [&] { return "of size " + std::to_string(gradient.size()); },
        [&] { return "one per temperature, " + std::to_string(size); });
  }

  [[nodiscard]] bool wants_gradient() const { return size_ > 0; }
  [[nodiscard]] double operator[](index head) const { return temperature_[head]; }
  [[nodiscard]] double factor(index head) const {
    return squared_ ? temperature_[head] * temperature_[head] : 1.0;
  }

  /// Adds what a query contributes to the derivative: `weight` times that of factor(T) value(T).
  template <class T>
  void add(index chunk, index head, double weight, soft_comparison<T> const& found) const {
    if (size_ == 0) return;
    double const own = static_cast<double>(found.by_log_temperature) +
                       (squared_ ? 2.0 * static_cast<double>(found.value) : 0.0);
    sums_[chunk * size_ + (size_ == 1 ? 0 : head)] += weight * factor(head) * own / temperature_[head];
  }
  /// Writes the derivatives, overwriting.
  void finish() const {
    for (index i = 0; i < size_; ++i) {
      double sum = 0.0;
      for (index chunk = 0; chunk < simd::most_chunks; ++chunk) sum += sums_[chunk * size_ + i];
      gradient_[static_cast<std::size_t>(i)] = sum;
    }
  }

 private:
  row_parameter temperature_;
  std::span<double> gradient_;
  bool squared_;
  index size_;
  double* sums_ = nullptr;
};

}  // namespace kernels
}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
