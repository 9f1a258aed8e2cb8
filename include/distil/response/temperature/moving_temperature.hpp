#pragma once

#include <algorithm>
#include <limits>

#include "distil/response/divergence/function.hpp"
#include "distil/response/temperature/row_statistics.hpp"

namespace distil::detail {

/// The teacher of a loss that measures whole rows of its logits.
template <class Teacher>
[[nodiscard]] auto logits_of_teacher(Teacher const& teacher) {
  constexpr bool bare = !requires { teacher.moves(); };  // a matrix, not one of the forms of a teacher
  static_assert(
      bare,
      "distil: mean, deviation or maximum of a teacher's rows are those of all its logits: pass these, "
      "not probabilities or a top-k teacher");
  if constexpr (bare) return logit_rows(teacher);
}

}  // namespace distil::detail

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// How one row is softened when its logits z say so: temperatures that follow from a statistic of the row, here the
/// standard deviation or the maximum. dS/dz_i = student_slope * shape_i for the student's temperature S, and the same
/// with teacher_slope for the teacher's.
struct row_softening {
  double student, teacher;  ///< temperatures
  double factor;            ///< multiplies the loss
  double centre;            ///< of the shape
  double student_slope, teacher_slope;

  /// Numbers the kernels can work with, which divide by temperatures in T and multiply the factor by others; and no slope
  /// where a temperature is not the one asked for.
  template <class T>
  void confine() {
    constexpr bool narrow = sizeof(T) == sizeof(float);
    constexpr double most = narrow ? 0x1p148 : std::numeric_limits<double>::max();
    factor = std::min(factor, narrow ? 1e30 : 1e300);
    auto const inside = [most](double& temperature, double& slope) {
      if (temperature >= 1e-15 && temperature <= most) return;
      temperature = std::clamp(temperature, 1e-15, most);
      slope = 0.0;
    };
    inside(student, student_slope);
    inside(teacher, teacher_slope);
  }
};

/// One member of each row's softening, as `row_parameter` takes it.
class softening_member {
 public:
  softening_member(row_softening const* rows, index count, double row_softening::*member)
      : first_(rows == nullptr ? nullptr : &(rows->*member)), count_(count) {}
  [[nodiscard]] double const* data() const { return first_; }
  [[nodiscard]] index size() const { return count_; }
  [[nodiscard]] static index innerStride() { return sizeof(row_softening) / sizeof(double); }

 private:
  double const* first_;
  index count_;
};

/// What a standard deviation moves with: z - mean, times the slope, which together are near 1 however large the logits.
struct distance_from_mean {
  template <class T>
  static DISTIL_INLINE lanes<T> of(simd::student_register<T> const& z, scaled_distance<T> const& distance) {
    return distance.of(z.logit);
  }
};

/// What a maximum moves with: the largest class. Several share it by way of the slope.
struct place_of_maximum {
  template <class T>
  static DISTIL_INLINE lanes<T> of(simd::student_register<T> const& z, scaled_distance<T> const&) {
    return select(z.centred == lanes<T>(0), lanes<T>(1), lanes<T>(0));
  }
};

/// The kernel of a divergence whose temperatures move with the student's logits: to its gradient comes
/// (dL/dS student_slope + dL/dT teacher_slope) * shape. Its derivative by temperature is that by the number B which
/// both temperatures are proportional to.
template <class T, class Kernel, class Shape>
class moving_temperature_kernel : public Kernel {
 public:
  template <class Term, class Student>
  DISTIL_INLINE moving_temperature_kernel(Term const& term, Student const& student, simd::tile const& rows,
                                          lanes<T> scale)
      : Kernel(term, student, rows, scale), scale_(scale) {
    auto const of = [&](double row_softening::*member) {
      return rows.per_row<T>([&](index row) { return term.softening[row].*member; });
    };
    distance_ = scaled_distance<T>::of_rows([&](auto const& number) { return rows.per_row<T>(number); },
                                            [&](index row) { return term.softening[row].centre; },
                                            [&](index row) { return term.softening[row].student_slope; });
    student_slope_ = of(&row_softening::student_slope);
    teacher_slope_ = of(&row_softening::teacher_slope);
    if (term.temperature_gradient.empty()) return;
    auto const by_base = [&](double row_softening::*member) {
      constexpr double most = std::numeric_limits<T>::max();
      return rows.per_row<T>(
          [&](index row) { return std::min(term.softening[row].*member / term.base[row], most); });
    };
    student_by_base_ = by_base(&row_softening::student);
    teacher_by_base_ = by_base(&row_softening::teacher);
    if (term.factor_is_squared) {
      factor_by_base_ = rows.per_row<T>([&](index row) { return 2.0 / term.base[row]; });
    }
  }

  DISTIL_INLINE void close(simd::running_maximum<T> const& maximum) {
    Kernel::close(maximum);
    if constexpr (std::is_same_v<Shape, distance_from_mean>) {
      // Relative to the maximum, where little is rounded; finite, since what is infinitely below it has no probability.
      lanes<T> const offset = fma(maximum.shift(), lanes<T>(-0.25), distance_.quarter) + distance_.rest;
      this->student_centre_ = max(offset * lanes<T>(4), lanes<T>(std::numeric_limits<T>::lowest()));
    }
  }

  [[nodiscard]] DISTIL_INLINE lanes<T> temperature_derivative() const {
    return factor_by_base_ * Kernel::value() + student_by_base_ * Kernel::temperature_derivative() +
           teacher_by_base_ * Kernel::teacher_temperature_derivative();
  }
  [[nodiscard]] DISTIL_INLINE lanes<T> teacher_temperature_derivative() const { return lanes<T>(0); }

  [[nodiscard]] DISTIL_INLINE bool rereads() const { return true; }

  template <class Inner>
  struct block_gradient {
    Inner inner;
    lanes<T> slope;
    scaled_distance<T> distance;

    DISTIL_INLINE lanes<T> operator()(simd::student_register<T> const& z, simd::strip<T> stored, index k,
                                      simd::kept<T> saved) const {
      return fma(slope, Shape::of(z, distance), inner(z, stored, k, saved));
    }
  };
  [[nodiscard]] DISTIL_INLINE auto gradient(lanes<T> decay, simd::kept<T> marks) const {
    lanes<T> slope = Kernel::temperature_derivative();
    if constexpr (std::is_same_v<Shape, place_of_maximum>) {
      slope = student_slope_ * slope + teacher_slope_ * Kernel::teacher_temperature_derivative();
    }
    // A loss of +inf is that at any temperature.
    lanes<T> const moving = select(Kernel::value() == lanes<T>(simd::infinity<T>), lanes<T>(0), slope);
    auto const inner = Kernel::gradient(decay, marks);
    return block_gradient<decltype(inner)>{inner, scale_ * moving, distance_};
  }

 private:
  lanes<T> scale_, student_slope_, teacher_slope_;
  lanes<T> student_by_base_{0}, teacher_by_base_{0}, factor_by_base_{0};
  scaled_distance<T> distance_;
};

/// A divergence whose temperatures move with the student's logits, as a term. `softening` has a place for every row, and
/// is filled before the term is evaluated.
template <class Inner, class Shape>
struct moving_temperature_term : Inner {
  template <class T>
  using kernel = moving_temperature_kernel<T, typename Inner::template kernel<T>, Shape>;

  row_softening const* softening;
  row_parameter base;              ///< what the temperatures of the rows are proportional to
  bool factor_is_squared = false;  ///< and the factor to its square
  bool with_gradient = false;

  moving_temperature_term(Inner const& inner, row_softening const* of_rows, row_parameter the_base)
      : Inner(inner), softening(of_rows), base(the_base) {}

  // Temperatures and factors are made, not given.
  void check(char const* where, index rows_of_student, index columns) const {
    this->check_teacher(where, rows_of_student, columns);
    detail::require_temperature(where, base, this->temperature_gradient, rows_of_student);
    detail::require_rows(where, this->rows, rows_of_student);
  }
  void inspect(char const* where, index, index columns) const {
    this->reserve(where, columns);
    this->inspect_weights(where);
  }
  [[nodiscard]] bool wants_derivative() const { return with_gradient || !this->temperature_gradient.empty(); }
};

/// What a loss with moving temperatures is asked for.
struct moving_temperature_request {
  row_parameter base;
  bool scale_by_temperature_squared;
  bool factor_is_product;  ///< of both temperatures, and moves with them; else it is in each row's softening
  row_options rows;
  std::span<double> temperature_gradient;
};

/// Finds a statistic of the rows on both sides, lets `soften(student, teacher, base)` make temperatures of them, and
/// gives the divergence at these as a term. What it views belongs to this thread until its next loss of this kind.
template <class Shape, class Statistic, class Divergence, class Policy, class Student, class Teacher,
          class Soften>
auto soften_rows(char const* where, Policy policy, Divergence const& loss, Student const& student,
                 Teacher const& teacher, moving_temperature_request const& asked, bool with_gradient,
                 Soften const& soften) {
  auto const z = detail::logit_rows(student);
  auto const t = detail::logits_of_teacher(teacher);
  using arithmetic = std::common_type_t<arithmetic_t<typename decltype(z)::element>,
                                        arithmetic_t<typename decltype(t)::element>>;
  detail::require_matrix(where, "student", z);
  detail::require_shape(where, "teacher", t, z.rows, z.columns);
  detail::require_temperature(where, asked.base, asked.temperature_gradient, z.rows);
  detail::require_rows(where, asked.rows, z.rows);
  detail::require_row_values(where, "temperature", asked.base, detail::is_temperature,
                             detail::must_be_temperature);

  Statistic* const found = simd::scratch<Statistic>(2 * z.rows);
  row_softening* const rows = simd::scratch<row_softening>(z.rows);
  find_statistics<arithmetic>(policy, z, found);
  find_statistics<arithmetic>(policy, t, found + z.rows);
  for (index row = 0; row < z.rows; ++row) {
    rows[row] = soften(found[row], found[z.rows + row], asked.base[row]);
    rows[row].template confine<arithmetic>();
  }

  auto const each = [&](double row_softening::*member) {
    return row_parameter(softening_member(rows, z.rows, member));
  };
  divergence_options options{.temperature = each(&row_softening::student),
                             .teacher_temperature = each(&row_softening::teacher),
                             .scale_by_temperature_squared = asked.scale_by_temperature_squared,
                             .rows = asked.rows,
                             .temperature_gradient = asked.temperature_gradient};
  if (!asked.factor_is_product && asked.scale_by_temperature_squared)
    options.factor = each(&row_softening::factor);
  auto const inner = loss.term(teacher, options);
  moving_temperature_term<std::remove_const_t<decltype(inner)>, Shape> term(inner, rows, asked.base);
  term.factor_is_squared = options.factor.has_value();
  term.with_gradient = with_gradient;
  return term;
}

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
