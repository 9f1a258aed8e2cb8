#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "distil/response/temperature/row_statistics.hpp"

namespace distil {

/// What makes a sample hard, and so lowers its temperature.
enum class sample_difficulty {
  disagreement,   ///< (1 - cos(z, t))^power: FLSW
  low_confidence  ///< 1 / (max softmax(z) + 0.001): CWSM
};

/// Options of `flexible_temperatures`.
struct flexible_temperature_options {
  /// The mean of all temperatures; within [1e-15, 1e15]. Default 4.
  double temperature = 4.0;

  /// How difficulty is measured. Default: by disagreement.
  sample_difficulty by = sample_difficulty::disagreement;

  /// Multiplies what a sample's difficulty differs from the mean by; finite. Default 1 (TextBrewer's examples).
  double strength = 1.0;

  /// Of the disagreement; finite and > 0. Default 2 (TextBrewer's examples).
  double power = 2.0;

  /// Temperatures below are raised to it; within [1e-15, temperature]. Default 0.1; TextBrewer has no such bound.
  double minimum = 0.1;
};

namespace detail {

/// Cosine of a row of both sides, however large or small they are, over the classes that neither masks; 0 where one has no
/// length, NaN where an element is infinite or NaN.
template <class Student, class Teacher>
double cosine_in_double(detail::row_view<Student const> const& student,
                        detail::row_view<Teacher const> const& teacher, index row) {
  constexpr double masked = -std::numeric_limits<double>::infinity();
  auto const counted = [&](auto const& side, auto const& other) {
    return [&, row](index column) {
      double const here = widen<double>(side(row, column));
      return here == masked || widen<double>(other(row, column)) == masked ? 0.0 : here;
    };
  };
  auto const z = counted(student, teacher);
  auto const t = counted(teacher, student);
  double const of_z = scale_of_entries(student.columns, z), of_t = scale_of_entries(student.columns, t);
  double student_squares = 0.0, teacher_squares = 0.0, both = 0.0;
  for (index column = 0; column < student.columns; ++column) {
    double const a = of_z * z(column), b = of_t * t(column);
    student_squares += a * a, teacher_squares += b * b, both += a * b;
  }
  double const lengths = std::sqrt(student_squares) * std::sqrt(teacher_squares);
  return lengths == 0.0 ? 0.0 : both / lengths;
}

}  // namespace detail

inline namespace DISTIL_ARCH_NAMESPACE {
namespace kernels {

/// Cosine of a row of both sides over the classes that neither masks; NaN where squares leave the range of T, for
/// `cosine_in_double`.
template <class T, class Storage>
class agreement_kernel : public statistic_kernel<T, double> {
  using base = statistic_kernel<T, double>;

 public:
  static constexpr bool needs_maximum = false;

  class operands {
   public:
    template <class Term>
    operands(simd::axis way, Term const& term) : teacher_(way, term.teacher) {}
    DISTIL_INLINE simd::strip<T> open(simd::tile const& rows, simd::block const& columns) {
      return teacher_.open(rows, columns, -simd::infinity<T>);
    }

   private:
    simd::block_reader<T> teacher_;
  };
  struct partial {
    lanes<T> student{0}, teacher{0}, both{0};
  };

  template <class Term, class Student>
  DISTIL_INLINE agreement_kernel(Term const& term, Student const&, simd::tile const& rows, lanes<T>)
      : base(term, rows) {}

  struct adds_products {
    template <class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& student,
                                  simd::strip<T> teacher, index k, Keep const&) const {
      lanes<T> const masked(-simd::infinity<T>), none(0);
      auto const absent = (student.logit == masked) | (teacher[k] == masked);
      lanes<T> const z = select(absent, none, student.logit), t = select(absent, none, teacher[k]);
      sums.student = fma(z, z, sums.student);
      sums.teacher = fma(t, t, sums.teacher);
      sums.both = fma(z, t, sums.both);
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_products summand() const { return {}; }
  DISTIL_INLINE void fold(partial const& sums) {
    sums_.student += sums.student;
    sums_.teacher += sums.teacher;
    sums_.both += sums.both;
  }
  DISTIL_INLINE void join(agreement_kernel const& other) { fold(other.sums_); }
  DISTIL_INLINE void close(simd::running_maximum<T> const&) {
    typename base::numbers const student(this->axis_.sum(sums_.student)),
        teacher(this->axis_.sum(sums_.teacher)), both(this->axis_.sum(sums_.both));
    base::write([&](std::size_t row) {
      constexpr double least = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon();
      auto const in_range = [](double squares) { return squares >= least && std::isfinite(squares); };
      if (!in_range(student[row]) || !in_range(teacher[row])) return std::nan("");
      return both[row] / (std::sqrt(student[row]) * std::sqrt(teacher[row]));
    });
  }
  [[nodiscard]] DISTIL_INLINE bool refines() const { return false; }

 private:
  partial sums_;
};

/// The largest probability of a row: 1 over the sum of exponentials relative to the maximum.
template <class T>
class confidence_kernel : public statistic_kernel<T, double> {
  using base = statistic_kernel<T, double>;

 public:
  static constexpr bool exponentials = true;

  struct partial {
    lanes<T> sum{0};
  };

  template <class Term, class Student>
  DISTIL_INLINE confidence_kernel(Term const& term, Student const&, simd::tile const& rows, lanes<T>)
      : base(term, rows) {}

  [[nodiscard]] DISTIL_INLINE lanes<T> sharpness() const { return lanes<T>(simd::log2e); }
  DISTIL_INLINE void rescale(simd::running_maximum<T> const& maximum) { sum_ *= maximum.decay(sharpness()); }
  struct adds_exponential {
    template <class Strips, class Keep>
    DISTIL_INLINE void operator()(partial& sums, simd::student_register<T> const& z, Strips const&, index,
                                  Keep const&) const {
      sums.sum += z.exponential;
    }
  };
  [[nodiscard]] DISTIL_INLINE adds_exponential summand() const { return {}; }
  DISTIL_INLINE void fold(partial const& sums) { sum_ += sums.sum; }
  DISTIL_INLINE void join(confidence_kernel const& other) { sum_ += other.sum_; }
  DISTIL_INLINE void close(simd::running_maximum<T> const&) {
    typename base::numbers const sums(this->axis_.sum(sum_));
    base::write([&](std::size_t row) { return 1.0 / sums[row]; });
  }
  [[nodiscard]] DISTIL_INLINE bool refines() const { return false; }

 private:
  lanes<T> sum_{0};
};

template <class Storage>
struct agreement_term : every_row_term<double> {
  using arithmetic = arithmetic_t<Storage>;
  template <class T>
  using kernel = agreement_kernel<T, Storage>;
  detail::row_view<Storage const> teacher;
};

struct confidence_term : every_row_term<double> {
  using arithmetic = float;
  template <class T>
  using kernel = confidence_kernel<T>;
};

}  // namespace kernels

/// See `flexible_temperatures`.
struct flexible_temperatures_function {
  static constexpr char const* name = "flexible_temperatures";

  template <matrix_argument Student, class Teacher>
  void operator()(Student const& student, Teacher const& teacher, std::span<double> temperatures,
                  flexible_temperature_options const& options = {}) const {
    (*this)(serial, student, teacher, temperatures, options);
  }

  template <execution_policy Policy, class Student, class Teacher>
  void operator()(Policy policy, Student const& student, Teacher const& teacher,
                  std::span<double> temperatures, flexible_temperature_options const& options = {}) const {
    auto const z = detail::logit_rows(student);
    auto const t = detail::logit_rows(teacher);
    using of_teacher = std::remove_const_t<typename decltype(t)::element>;
    check(options);
    detail::require_matrix(name, "student", z);
    detail::require_shape(name, "teacher", t, z.rows, z.columns);
    detail::require_size(name, "temperatures", static_cast<index>(temperatures.size()), z.rows);
    if (options.by == sample_difficulty::disagreement) {
      kernels::agreement_term<of_teacher> term;
      term.to = temperatures.data();
      term.teacher = t;
      (void)simd::evaluate(name, detail::any_policy(policy), z, simd::no_gradient(), {}, term);
      for (index row = 0; row < z.rows; ++row) {
        double& cosine = temperatures[static_cast<std::size_t>(row)];
        if (std::isnan(cosine)) cosine = detail::cosine_in_double(z, t, row);
      }
      for (double& each : temperatures) each = each > 1.0 ? 0.0 : std::pow(1.0 - each, options.power);
    } else {
      kernels::confidence_term term;
      term.to = temperatures.data();
      (void)simd::evaluate(name, detail::any_policy(policy), z, simd::no_gradient(), {}, term);
      for (double& each : temperatures) each = 1.0 / (each + 1e-3);
    }
    spread_out(z, temperatures, options);
  }

 private:
  static void check(flexible_temperature_options const& options) {
    detail::require(detail::is_temperature(options.temperature), name, "temperature", options.temperature,
                    detail::must_be_temperature);
    detail::require(
        options.by == sample_difficulty::disagreement || options.by == sample_difficulty::low_confidence,
        name, "by", static_cast<int>(options.by),
        "sample_difficulty::disagreement or sample_difficulty::low_confidence");
    detail::require(std::isfinite(options.strength), name, "strength", options.strength, "finite");
    detail::require(std::isfinite(options.power) && options.power > 0.0, name, "power", options.power,
                    "finite and > 0");
    detail::require(options.minimum >= 1e-15 && options.minimum <= options.temperature, name, "minimum",
                    options.minimum, "within [1e-15, temperature]");
  }

  /// From difficulties to temperatures.
  template <class View>
  static void spread_out(View const& z, std::span<double> rows, flexible_temperature_options const& options) {
    double sum = 0.0, count = 0.0;
    for (index row = 0; row < z.rows; ++row) {
      double& difficulty_of_row = rows[static_cast<std::size_t>(row)];
      if (detail::fully_masked(z, row)) difficulty_of_row = std::nan("");
      if (std::isfinite(difficulty_of_row)) sum += difficulty_of_row, count += 1.0;
    }
    double const mean = count > 0.0 ? sum / count : 0.0;
    for (double& each : rows) {
      double const lowered = options.temperature + options.strength * (mean - each);
      each = std::isfinite(each) ? std::clamp(lowered, options.minimum, 1e15) : options.temperature;
    }
  }
};

/// A temperature for every row: lower where the sample is harder than the mean of the batch. For the `temperature` of any
/// loss, which takes it as a given number: no gradient goes through it. @alias flexible temperature, FLSW, CWSM, DTD
///
/// @formula   T_b = max(minimum, temperature + strength (mean w - w_b)), with w_b = (1 - cos(z_b, t_b))^power over the
///            classes that neither side masks, or w_b = 1 / (max softmax(z_b) + 0.001)
/// @param     student, teacher  [rows, classes] logits; the teacher is read for the disagreement only
/// @param     temperatures      one per row, overwritten
/// @throws    std::invalid_argument when a shape or option is refused; nothing is written then
/// @error     no more than 16 epsilons of the arithmetic type in the cosine and the probability
/// @nan       a row with a NaN or +inf logit, or fully masked, is left out of the mean and gets `temperature`. The cosine
///            with a row of zeros counts as 0
/// @cost      one read of the student, and of the teacher for the disagreement. No allocation
/// @source    Wen, Lai, Qian 2019, Preparing Lessons: Improve Knowledge Distillation with Better Supervision,
///            arXiv:1911.07471; the form of TextBrewer's flsw and cwsm temperature schedulers
/// @example   distil::flexible_temperatures(student, teacher, temperatures);
///            distil::hinton_kd.with_grad(student, teacher, labels, gradient, {.temperature = temperatures});
inline constexpr flexible_temperatures_function flexible_temperatures{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
