#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "distil/core/sparse_projection.hpp"
#include "distil/response/distribution/rows.hpp"

namespace distil {

/// What becomes of classes of the teacher to which no class of the student is projected.
enum class uncovered_classes {
  left_out,  ///< the teacher is normalised over the others
  infinite   ///< teacher mass on one makes the loss +inf: the divergence as its formula says
};

/// Options of `projected_kl`.
struct projected_kl_options {
  /// Divides both logits before the softmax: one number or one per row; within [1e-15, 1e15]. Default 1.
  row_parameter temperature = 1;

  /// Divides the teacher's logits in the place of `temperature`, which then is the student's alone: one number or one
  /// per row; within [1e-15, 1e15]. For logits, and distributions that say what they were captured at. Default: the same.
  std::optional<row_parameter> teacher_temperature = std::nullopt;

  /// Multiplies the loss by T^2, as NeMo RL does. Default true.
  bool scale_by_temperature_squared = true;

  /// Multiplies the loss in the place of T^2 or 1, and does not move with the temperatures: one number or one per row;
  /// finite and >= 0; 0 leaves a row out of the sum whatever it holds, and in its divisor. Default: none, as the switch
  /// above says.
  std::optional<row_parameter> factor = std::nullopt;

  /// Teacher classes that the projection does not reach. Default: they are left out.
  uncovered_classes uncovered = uncovered_classes::left_out;

  /// Multiplies value and gradient, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its logits hold. Default 1.
  double weight = 1.0;

  /// Weights, reduction, divisor.
  row_options rows = {};

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write dL/dT of the reduced loss: one element, or one per row. Overwritten. Default: nowhere.
  std::span<double> temperature_gradient = {};

  /// The same for dL/dT of the teacher's temperature; only where that is set.
  std::span<double> teacher_temperature_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// Rows of KL(p || M^T q). Sums of a projected class are sums of probabilities where these are ordinary numbers, and
/// of logarithms where they would vanish.
template <class Storage, teacher_form Form, class Projection>
class projected_kl_term : public softened_distribution_term<Storage, Form> {
  using base = softened_distribution_term<Storage, Form>;
  struct of_rows {};

 public:
  static constexpr bool logarithmic_teacher = false;
  static constexpr bool logarithmic = true;

  projected_kl_term(dense_teacher<Storage, Form> const& the_teacher, Projection const& projection,
                    projected_kl_options const& options)
      : base(the_teacher, options), projection_(projection), uncovered_(options.uncovered) {}

  void check(char const* where, index row_count, index columns) const {
    base::check(where, row_count, columns);
    detail::require_projection(where, projection_, columns, this->teacher.matrix.columns);
  }
  void inspect(char const* where, index row_count, index columns) const {
    base::inspect(where, row_count, columns);
    detail::require_entries(where, projection_);
  }

  /// Which classes of the teacher are reached.
  template <class T>
  [[nodiscard]] T const* prepare(index classes) const {
    (void)reserve<T>(classes);
    index const targets = projection_.targets;
    T* const covered = simd::scratch<T, projected_kl_term>(targets);
    bool const all = uncovered_ == uncovered_classes::infinite;
    std::fill(covered, covered + targets, all ? T(1) : T(0));
    for (std::size_t k = 0; k < projection_.columns.size(); ++k) {
      if (projection_.weights[k] > 0) covered[projection_.columns[k]] = T(1);
    }
    return covered;
  }

  template <class T>
  [[nodiscard]] double row(T const* covered, whole_row<T> const& here) const {
    index const targets = here.teacher_classes;
    restrict_to(covered, here.teacher, targets);
    memory<T> const own = reserve<T>(here.classes);
    project(here.student, own);
    bool const vanishing = take_logarithms_of(own, here.teacher, targets);
    if (vanishing) repair(here.student, own, targets);
    T const multiplier = static_cast<T>(this->factor_of(here.row));
    T const sum = simd::sum_of<T>(targets, [&](auto place) {
      lanes<T> const p = place.load(here.teacher);
      return zero_safe_product(p, log(p) - place.load(own.logarithm));
    });
    if (here.of_teacher != nullptr && this->teacher.moves()) {
      *here.of_teacher =
          -static_cast<double>(multiplier) * moment_of_divergence(here.teacher, own.logarithm, targets);
    }
    if (here.upstream != nullptr) {
      find_shares(own, here.teacher, targets);
      pull_back(here, own, multiplier * here.scale, vanishing);
    }
    return static_cast<double>(multiplier * sum);
  }

 private:
  /// Of one row: q, M^T q and later p over it, log M^T q, and a mark of the classes that were summed by logarithms.
  template <class T>
  struct memory {
    T *student, *projected, *logarithm, *by_logarithm;
  };
  template <class T>
  [[nodiscard]] memory<T> reserve(index classes) const {
    index const targets = projection_.targets;
    T* const numbers = simd::scratch<T, of_rows>(classes + 3 * targets);
    T* const projected = numbers + classes;
    return {numbers, projected, projected + targets, projected + 2 * targets};
  }

  /// Below, terms that are not ordinary numbers could be missing from a sum.
  template <class T>
  static constexpr T vanishing_sum =
      std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon() / std::numeric_limits<T>::epsilon();

  /// Calls `entry(i, column, weight)` for every entry of M.
  template <class T, class Entry>
  void for_each_entry(index classes, Entry const& entry) const {
    for (index i = 0; i < classes; ++i) {
      auto const at = static_cast<std::size_t>(i);
      auto const last = static_cast<std::size_t>(projection_.offsets[at + 1]);
      for (auto k = static_cast<std::size_t>(projection_.offsets[at]); k < last; ++k) {
        entry(i, static_cast<index>(projection_.columns[k]), static_cast<T>(projection_.weights[k]));
      }
    }
  }

  template <class T>
  static void restrict_to(T const* covered, T* teacher, index targets) {
    T const mass =
        simd::sum_of<T>(targets, [&](auto place) { return place.load(covered) * place.load(teacher); });
    T const inverse = mass == T(0) ? T(0) : T(1) / mass;
    simd::for_each_register<T>(targets, [&](auto place) {
      place.store(place.load(covered) * place.load(teacher) * lanes<T>(inverse), teacher);
    });
  }

  template <class T>
  void project(T const* log_student, memory<T> const& own) const {
    index const classes = projection_.sources();
    simd::for_each_register<T>(
        classes, [&](auto place) { place.store(exp_nonpositive(place.load(log_student)), own.student); });
    std::fill(own.projected, own.projected + projection_.targets, T(0));
    for_each_entry<T>(
        classes, [&](index i, index column, T weight) { own.projected[column] += weight * own.student[i]; });
  }

  /// True when a class that the teacher wants has a sum that vanishes.
  template <class T>
  static bool take_logarithms_of(memory<T> const& own, T const* teacher, index targets) {
    lanes<T> vanishing(0);
    simd::for_each_register<T>(targets, [&](auto place) {
      lanes<T> const sum = place.load(own.projected);
      place.store(log(sum), own.logarithm);
      auto const missing = (sum < lanes<T>(vanishing_sum<T>)) & (place.load(teacher) > lanes<T>(0));
      lanes<T> const mark = select(missing, lanes<T>(1), lanes<T>(0));
      place.store(mark, own.by_logarithm);
      vanishing = max(vanishing, mark);
    });
    return any(vanishing > lanes<T>(0));
  }

  /// Sums of the marked classes, relative to their largest term.
  template <class T>
  void repair(T const* log_student, memory<T> const& own, index targets) const {
    auto const marked = [&](auto const& entry) {
      for_each_entry<T>(projection_.sources(), [&](index i, index column, T weight) {
        if (own.by_logarithm[column] == T(0) || !(weight > 0)) return;
        T const term = log_student[i] + std::log(weight);
        if (term != -simd::infinity<T>) entry(column, term);
      });
    };
    for (index j = 0; j < targets; ++j) {
      if (own.by_logarithm[j] != T(0)) own.logarithm[j] = -simd::infinity<T>, own.projected[j] = T(0);
    }
    marked([&](index j, T term) { own.logarithm[j] = std::max(own.logarithm[j], term); });
    marked([&](index j, T term) { own.projected[j] += std::exp(term - own.logarithm[j]); });
    for (index j = 0; j < targets; ++j) {
      if (own.by_logarithm[j] != T(0)) own.logarithm[j] += std::log(own.projected[j]);
    }
  }

  /// p / M^T q, which times w q is the share of the teacher's mass that pulls at an entry.
  template <class T>
  static void find_shares(memory<T> const& own, T const* teacher, index targets) {
    simd::for_each_register<T>(targets, [&](auto place) {
      lanes<T> const p = place.load(teacher);
      auto const none = (p == lanes<T>(0)) | (place.load(own.by_logarithm) != lanes<T>(0));
      place.store(select(none, lanes<T>(0), p / place.load(own.projected)), own.projected);
    });
  }

  template <class T>
  void pull_back(whole_row<T> const& here, memory<T> const& own, T scale, bool vanishing) const {
    std::fill(here.upstream, here.upstream + here.classes, T(0));
    for_each_entry<T>(here.classes, [&](index i, index column, T weight) {
      here.upstream[i] -= weight * own.projected[column];
    });
    simd::for_each_register<T>(here.classes, [&](auto place) {
      lanes<T> const pull = zero_safe_product(place.load(own.student), place.load(here.upstream));
      place.store(pull * lanes<T>(scale), here.upstream);
    });
    if (!vanishing) return;
    for_each_entry<T>(here.classes, [&](index i, index column, T weight) {
      T const sum = own.logarithm[column];
      if (own.by_logarithm[column] == T(0) || !(weight > 0) || sum == -simd::infinity<T>) return;
      T const share = std::exp(here.student[i] + std::log(weight) - sum);
      here.upstream[i] -= scale * here.teacher[column] * share;
    });
  }

  Projection projection_;
  uncovered_classes uncovered_;
};

}  // namespace kernels

/// See `projected_kl`.
struct projected_kl_loss
    : detail::ternary_face<projected_kl_loss, projected_kl_options, loss_value, detail::any_argument> {
  static constexpr char const* name = "projected_kl";
  static constexpr error_bound bound{
      .value = 16, .gradient = 16, .temperature_gradient = 2, .temperature_floor = 4};
  static constexpr bool teacher_has_own_classes = true;

  template <class Student, class Teacher, class Projection, class Output>
  [[nodiscard]] static loss_value evaluate(detail::any_policy policy, Student const& student,
                                           Teacher const& teacher, Projection const& projection,
                                           Output const& output, projected_kl_options const& options) {
    return kernels::evaluate_rows(
        name, policy, student, output, options.accumulate,
        detail::with_weight(name, options.weight,
                            kernels::projected_kl_term(detail::as_teacher(teacher), projection, options)));
  }
};

/// KL(teacher || student) between models of different vocabularies: a sparse matrix M spreads each class of the
/// student over classes of the teacher. @alias P-KL, X-Token, projection KL, cross-tokenizer KL
///
/// @formula   L = (1 / sum w) * sum_b w_b T_b^2 sum_j p_j (log p_j - log r_j), r = M^T q, q = softmax(z / T), p =
///            softmax(t / T) over the classes that M reaches [nats]. +inf where the teacher gives mass to a class
///            whose every source the student has masked. With a teacher's temperature of its own, p at that, times the
///            product of both in the place of T_b^2
/// @param     student    [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher    [rows, classes of its own] logits, or `log_probabilities(matrix)`, or
///            `probabilities(matrix)`; row by row the same position, which the caller aligns
/// @param     projection `sparse_projection` [classes, classes of the teacher], rows summing to one
/// @param     gradient   [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  w_b / sum w * T (q - h) with h_i = sum_j p_j M_ij q_i / r_j, the teacher's mass that class i answers
///            for (times sum h for q where M loses mass).
///            dL/dT on request, through both sides unless the teacher's is a distribution that stays
/// @throws    std::invalid_argument when a shape, option, weight or entry is refused; nothing is written then
/// @error     `bound` with C classes of both, so that a value near 0 may come out below; the
///            gradient's times 1 + |log q| of the classes that share a class of the teacher, whose logarithms are
///            rounded. M with float weights is exact in itself
/// @nan       a NaN or +inf logit makes the loss and gradient of its row NaN, no other's; a row whose student or
///            teacher is fully masked counts for nothing, and one whose teacher is nowhere reached has loss and
///            gradient 0
/// @cost      one read of student and teacher and one write, 3 exponentials and a logarithm an element; each entry of
///            M twice a row and, to be checked, once a call. Rows in which r underflows for a wanted class read M
///            three times more. Scratch of a thread: 3 numbers a class of the student, 5 a class of the teacher
/// @source    NVIDIA NeMo RL, X-Token (cross-tokenizer distillation), P-KL. There log r gets 1e-10 inside, chunks of
///            tokens are averaged first, and only the teacher's top classes are kept: pass chunk averages as
///            `log_probabilities` and a projection onto those classes for the same effect
/// @example   distil::projected_kl.with_grad(student, teacher, distil::sparse_projection(offsets, columns, weights,
///            teacher_classes), gradient)
inline constexpr projected_kl_loss projected_kl{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
