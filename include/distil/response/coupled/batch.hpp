#pragma once

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>

#include "distil/response/distribution/term.hpp"
#include "distil/simd/chunk_sums.hpp"
#include "distil/simd/logarithm.hpp"
#include "distil/simd/write_matrix.hpp"
#include "distil/sweep/batch_of_term.hpp"

namespace distil {

/// Which rows take part in a loss that couples the rows of a batch, and how much. A row of weight 2 counts as two
/// rows.
struct coupled_rows {
  /// Finite and >= 0, one number or one per row. A row of weight 0 does not influence the result. Default 1.
  row_parameter weights = 1;

  /// Rows with this label do not count. Default -100, as in PyTorch.
  std::int64_t ignore_label = -100;

  /// Labels that say which rows to ignore, one per row; only compared with `ignore_label`. Default: none.
  label_view labels = {};
};

namespace detail {

/// Losses that couple rows have one value, which is no sum over rows.
[[nodiscard]] inline row_options as_row_options(coupled_rows const& rows) {
  return {.weights = rows.weights, .ignore_label = rows.ignore_label, .labels = rows.labels};
}

}  // namespace detail

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// The distributions of a whole batch. Rows that do not count are 0 and have weight 0.
template <class T>
struct coupled_batch {
  matrix_view<T> student;           ///< q, contiguous
  matrix_view<T> teacher;           ///< p, contiguous
  matrix_view<T> upstream;          ///< where dL/dq goes, which is 0 at first; none wanted: no data
  matrix_view<T> teacher_upstream;  ///< the same for dL/dp, which a derivative by the temperature takes
  double const* share;              ///< of each row in the weight of all: they sum to one
  double weight;                    ///< of all rows
  double temperature;

  [[nodiscard]] index rows() const { return student.rows; }
  [[nodiscard]] index classes() const { return student.columns; }
  [[nodiscard]] bool with_gradient() const { return upstream.data != nullptr; }
};

using simd::sum_chunks;
using simd::write_matrix;

/// A batch whose rows a loss couples: it becomes probabilities in the scratch of the calling thread, the term gives
/// the value and its derivative by the student's, and that is pulled back into the gradient.
///
/// A term is a `distribution_term` of one temperature with
///
///   evaluate(policy, coupled_batch<T>)    gives its value, a loss_value or a type derived from it
///   symmetric                             static: teacher and student may change places; else `evaluate` gives dL/dp
///   squared                               where it has a `temperature_gradient`: whether the value has the factor T^2
template <class T, class Student, class Gradient, class Term>
class coupled_evaluation : simd::batch_of_term<T, Gradient, Term> {
  using base = simd::batch_of_term<T, Gradient, Term>;
  using base::options_, base::output_, base::term_, base::with_gradient;
  struct of_batch {};

 public:
  coupled_evaluation(char const* where, detail::row_view<Student const> const& student,
                     Gradient const& gradient, objective_options const& options, Term const& term)
      : base(where, student, gradient, options, term), student_(student) {}

  auto run(detail::any_policy policy) {
    Term const& term = term_;
    using result_type = decltype(term.evaluate(policy, coupled_batch<T>{}));
    double const weight = this->reduce().weight;
    result_type result{};
    if (student_.rows > 0) {
      coupled_batch<T> const batch = fill(policy, weight);
      if (weight > 0.0 && term.coefficient > 0.0) {
        result = term.evaluate(policy, batch);
        if (!term.temperature_gradient.empty()) {
          term.temperature_gradient[0] = term.coefficient * by_temperature(policy, batch, result.value);
        }
        result.value *= term.coefficient;
        if (with_gradient && term.coefficient != 1.0) scale(policy, batch.upstream);
      }
      if constexpr (with_gradient) {
        distil::softmax.pull_back(policy, batch.student, batch.upstream, output_,
                                  {.temperature = term.temperature, .accumulate = options_.accumulate});
      }
    }
    result.weight = weight;
    return result;
  }

 private:
  coupled_batch<T> fill(detail::any_policy policy, double weight) const {
    Term const& term = term_;
    index const rows = student_.rows, classes = student_.columns;
    bool const slope = !term.temperature_gradient.empty();
    bool const upstream = with_gradient || slope, of_teacher = slope && term.teacher.moves();
    T* const numbers =
        simd::scratch<T, of_batch>((2 + (upstream ? 1 : 0) + (of_teacher ? 1 : 0)) * rows * classes);
    double* const share = simd::scratch<double, coupled_evaluation>(2 * rows);
    double* const teacher_temperature = share + rows;
    coupled_batch<T> batch{
        {numbers, rows, classes}, {numbers + rows * classes, rows, classes}, {}, {}, share, weight,
        term.temperature[0]};
    distil::softmax(policy, student_, batch.student, {.temperature = term.temperature});
    for (index row = 0; row < rows; ++row) teacher_temperature[row] = term.temperature_of_teacher(row);
    std::span<double const> const per_row(teacher_temperature, static_cast<std::size_t>(rows));
    soften(policy, term.teacher, 0, rows, row_parameter(per_row), batch.teacher);
    for (index row = 0; row < rows; ++row) {
      double multiplier = 0.0;
      if (term.coefficient > 0.0) this->multipliers_of(row, &multiplier);
      share[row] = multiplier > 0.0 ? multiplier / weight : 0.0;
      if (multiplier > 0.0) continue;
      std::fill(&batch.student(row, 0), &batch.student(row, 0) + classes, T(0));
      std::fill(&batch.teacher(row, 0), &batch.teacher(row, 0) + classes, T(0));
    }
    auto const clear = [&](index at) -> matrix_view<T> {
      T* const begin = numbers + at * rows * classes;
      std::fill(begin, begin + rows * classes, T(0));
      return {begin, rows, classes};
    };
    if (upstream) batch.upstream = clear(2);
    if (of_teacher) batch.teacher_upstream = clear(3);
    return batch;
  }

  /// By the coefficient of the term.
  void scale(detail::any_policy policy, matrix_view<T> const& upstream) const {
    lanes<T> const by(static_cast<T>(term_.coefficient));
    simd::for_chunks(policy, upstream.rows, simd::worth_a_chunk(upstream.columns),
                     upstream.rows * upstream.columns, [&](index first, index last) {
                       for (index row = first; row < last; ++row) {
                         T* const to = &upstream(row, 0);
                         simd::for_each_register<T>(upstream.columns,
                                                    [&](auto at) { at.store(at.load(to) * by, to); });
                       }
                     });
  }

  /// -1/T sum g q (log q - E log q) of both sides that move, and the factor's own part.
  double by_temperature(detail::any_policy policy, coupled_batch<T> const& batch, double value) const {
    Term const& term = term_;
    if constexpr (requires { Term::symmetric; }) {
      if (batch.teacher_upstream.data != nullptr) {
        coupled_batch<T> exchanged = batch;
        std::swap(exchanged.student, exchanged.teacher);
        exchanged.upstream = batch.teacher_upstream;
        exchanged.teacher_upstream = {};
        (void)term.evaluate(policy, exchanged);
      }
    }
    auto const moment = [&](matrix_view<T> const& side, matrix_view<T> const& by, index row) {
      T const *const q = &side(row, 0), *const g = &by(row, 0);
      lanes<T> const mean(mean_under<T>(
          side.columns, [&](auto at) { return at.load(q); }, [&](auto at) { return log(at.load(q)); }));
      return static_cast<double>(simd::sum_of<T>(side.columns, [&](auto at) {
        lanes<T> const here = at.load(q);
        return zero_safe_product(here, at.load(g) * (log(here) - mean));
      }));
    };
    index const elements = batch.rows() * batch.classes();
    index const least = std::max<index>(1, simd::least_chunk_elements / batch.classes());
    double const sum = sum_chunks(policy, batch.rows(), least, elements, [&](index first, index last, index) {
      double of_rows = 0.0;
      for (index row = first; row < last; ++row) {
        if (batch.share[row] == 0.0) continue;
        of_rows += moment(batch.student, batch.upstream, row);
        if (batch.teacher_upstream.data != nullptr) {
          of_rows += moment(batch.teacher, batch.teacher_upstream, row);
        }
      }
      return of_rows;
    });
    return ((term.squared ? 2.0 * value : 0.0) - sum) / batch.temperature;
  }

  detail::row_view<Student const> student_;
};

/// There is one temperature, and one derivative by it.
template <class Term>
void require_one_slope(char const* where, Term const& term) {
  detail::require(
      term.temperature_gradient.size() <= 1, where, "temperature_gradient",
      [&] { return "of size " + std::to_string(term.temperature_gradient.size()); }, "of size 1");
}

/// The value of a loss that couples rows, and where `output` is a view and not `no_gradient`, its gradient with respect to
/// the student.
template <class Student, class Output, class Term>
auto evaluate_coupled(char const* where, detail::any_policy policy, Student const& student,
                      Output const& output, bool accumulate, Term const& term) {
  require_one_slope(where, term);
  auto const logits = detail::logit_rows(student);
  using element = std::remove_const_t<typename decltype(logits)::element>;
  using T = std::common_type_t<arithmetic_t<element>, typename Term::arithmetic>;
  return coupled_evaluation<T, element, Output, Term>(where, logits, output, {.accumulate = accumulate}, term)
      .run(policy);
}

}  // namespace kernels

/// The face of a loss that couples rows: `Loss` has a name, and makes a term of a teacher and options.
template <class Loss, class Options, class Value = loss_value>
struct coupled_loss : detail::binary_face<coupled_loss<Loss, Options, Value>, Options, Value> {
  template <class Student, class Teacher, class Output>
  [[nodiscard]] static Value evaluate(detail::any_policy policy, Student const& student,
                                      Teacher const& teacher, Output const& output, Options const& options) {
    return kernels::evaluate_coupled(
        Loss::name, policy, student, output, options.accumulate,
        detail::with_weight(Loss::name, options.weight, Loss::term(detail::as_teacher(teacher), options)));
  }
};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
