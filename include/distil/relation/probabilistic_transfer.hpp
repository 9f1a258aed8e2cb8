#pragma once

#include "distil/matrix/add_transpose.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/matrix/unit_rows.hpp"
#include "distil/simd/logarithm.hpp"

namespace distil {

struct probabilistic_transfer_options {
  /// Is added to both probabilities inside the logarithm, which keeps the loss finite where samples are opposite to each
  /// other for the student; finite and >= 0. Default 1e-7, as in Passalis' code, RepDistiller, mdistiller and torchdistill;
  /// KD-Zoo has 1e-6.
  double epsilon = 1e-7;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its features hold. Default 1.
  double weight = 1.0;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `probabilistic_transfer`.
struct probabilistic_transfer_loss
    : pair_loss<probabilistic_transfer_loss, probabilistic_transfer_options, kernels::as_matrices> {
  static constexpr char const* name = "probabilistic_transfer";
  static constexpr error_bound bound{.value = 32, .gradient = 64};

  static void check(std::array<index, 4> const& student, std::array<index, 4> const& teacher,
                    probabilistic_transfer_options const&) {
    detail::require_same_rows(name, teacher, student);
  }
  static void check_numbers(probabilistic_transfer_options const& options, detail::computing_type type) {
    detail::require_number(name, "epsilon", options.epsilon, type, detail::is_weight, detail::must_be_weight);
  }

  template <class T>
  static loss_value evaluate(detail::any_policy policy, kernels::pair_operands<T> const& operands,
                             probabilistic_transfer_options const& options) {
    index const rows = operands.student.rows();
    if (rows == 0) return {};
    index const size = operands.student.sample_size(), pairs = rows * rows;
    index const widest = std::max(operands.student.columns(), operands.teacher.columns());
    T* const memory =
        simd::scratch<T, probabilistic_transfer_loss>(size + rows * widest + 2 * pairs + 2 * rows);
    T* const of_student = memory + size + rows * widest;
    T* const length = of_student + 2 * pairs;
    // The teacher's unit rows make room for the gradient.
    matrix_view<T> const unit(memory, rows, operands.student.columns());
    matrix_view<T> const own(of_student, rows, rows), other(of_student + pairs, rows, rows);
    cosines(policy, operands.teacher, memory + size, length, other);
    cosines(policy, operands.student, memory, length, own);

    double const by_pairs = 1.0 / (static_cast<double>(rows) * static_cast<double>(rows));
    double const sum =
        simd::sum_chunks(policy, rows, simd::worth_a_chunk(rows), pairs, [&](index first, index last, index) {
          double total = 0.0;
          for (index i = first; i < last; ++i) {
            total += static_cast<double>(compare_rows<T>(
                &own(i, 0), &other(i, 0), rows, static_cast<T>(options.epsilon), static_cast<T>(by_pairs)));
          }
          return total;
        });
    if (operands.gradient) {
      auto const gradient = operands.gradient.matrix(memory + size);
      kernels::add_transpose<T>(policy, other);
      kernels::multiply<T>(policy, other, unit, gradient);
      kernels::pull_back_unit_rows<T>(policy, unit, length, gradient);
      operands.gradient.finish_matrix(gradient);
    }
    return {sum * by_pairs, static_cast<double>(rows)};
  }

 private:
  /// Unit rows, in memory with room for them, and their cosines.
  template <class T>
  static void cosines(detail::any_policy policy, kernels::map_source<T> const& source, T* memory, T* length,
                      matrix_view<T> result) {
    matrix_view<T> const unit(memory, source.rows(), source.columns());
    kernels::to_unit_rows<T>(policy, source.matrix(memory), unit, length);
    kernels::gram<T>(policy, unit, result);
  }

  /// Of a row's cosines; the derivative of `factor` times the sum by the student's replaces the teacher's.
  template <class T>
  static T compare_rows(T const* student, T* teacher, index size, T epsilon, T factor) {
    using lanes = simd::lanes<T>;
    lanes const none(0), one(1), half(T(0.5)), added(epsilon);
    auto const similarity = [&](lanes cosine) {
      lanes const k = half * (one + cosine);
      return select(k < none, none, k);
    };
    auto const total = [&](T const* cosines) {
      return simd::sum_of<T>(size, [&](auto place) { return similarity(place.load(cosines)); });
    };
    T const mass = total(student);
    lanes const by_student(T(1) / mass), by_teacher(T(1) / total(teacher));
    // With a = p + epsilon and b = q + epsilon the slope is 1 - p / b. The sum of p - q is 0, so p log(a / b) - p + q is
    // summed: close distributions keep their digits.
    T const sum = simd::sum_of<T>(size, [&](auto place) {
      lanes const q = similarity(place.load(student)) * by_student;
      lanes const p = similarity(place.load(teacher)) * by_teacher;
      lanes const b = q + added, d = p - q;
      simd::mask<T> const impossible = b == none;
      lanes const divisor = select(impossible, one, b);
      lanes const log_ratio = select(impossible, lanes(simd::infinity<T>), log1p(max(d / divisor, -one)));
      lanes const slope = select(impossible & (p == none), none, (b - p) / b);
      place.store(slope, teacher);
      return zero_safe_product(p, select(d == d, log_ratio, d)) - d;
    });
    T const along = simd::sum_of<T>(size, [&](auto place) {
      return zero_safe_product(similarity(place.load(student)) * by_student, place.load(teacher));
    });
    lanes const mean(along), scale(T(0.5) * factor / mass);
    simd::for_each_register<T>(
        size, [&](auto place) { place.store((place.load(teacher) - mean) * scale, teacher); });
    return sum;
  }
};

/// The probability with which a sample picks each other by its similarity is the teacher's. @alias PKT
///
/// @formula   L = sum_ij P_ij log((P_ij + epsilon) / (Q_ij + epsilon)) / B^2 [nats]; Q_ij = K_ij / sum_k K_ik,
///            K_ij = (1 + cos(x_i, x_j)) / 2 of the student, j = i among them; P the teacher's
/// @param     student  [B, D] features, a sample a row (feature maps flattened)
/// @param     teacher  [B, D'] features of the same samples, of any width
/// @param     gradient [B, D] dL/dX, overwritten or added; may be the student itself, never the teacher
/// @gradient  (C + C') U pulled back through u = x / |x|, C_ij = (s_ij - sum_k Q_ik s_ik) / (2 B^2 sum_k K_ik),
///            s = 1 - P / (Q + epsilon). A row of zeros stays one and has no gradient
/// @throws    std::invalid_argument when a shape or option is refused; nothing is written then
/// @error     `bound` epsilons of 1 / B for the value; of 2 / B^2 over the shortest length,
///            times the largest P / (Q + epsilon), for each element of the gradient
/// @nan       rows are coupled: NaN makes value and gradient NaN. Without rows 0; of one row 0, and no gradient. With
///            epsilon = 0, +inf where the student's samples are opposite and the teacher's are not
/// @cost      B^2 (D + D') / 2 multiplications, B^2 D more with gradient; B^2 logarithms; 2 B^2 + B (D + max(D, D')) numbers
///            of scratch
/// @source    Passalis & Tefas 2018, arXiv:1803.10837, equations 3 to 6, with the mean of the authors' code, which public
///            weights of 30000 assume (RepDistiller, mdistiller). The code adds epsilon to lengths, too
/// @example   distil::probabilistic_transfer.with_grad(student, teacher, gradient)
inline constexpr probabilistic_transfer_loss probabilistic_transfer{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
