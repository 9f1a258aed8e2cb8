#pragma once

#include <vector>

#include "distil/contrastive/affinity/affinity.hpp"
#include "distil/contrastive/contrastive_memory.hpp"
#include "distil/core/execution.hpp"
#include "distil/core/loss_value.hpp"
#include "distil/core/loss_weight.hpp"
#include "distil/core/map_shapes.hpp"
#include "distil/simd/logarithm.hpp"

namespace distil {

struct contrastive_representation_options {
  /// Divides the similarities; within [1e-15, 1e15]. Default 0.07 (Tian et al. 2020).
  double temperature = 0.07;

  /// Is added beside the noise's density; finite and >= 0. Default 1e-7, as in the authors' code; 0 as in the paper.
  double epsilon = 1e-7;

  /// Compares directions: divides the embeddings of student and teacher by their lengths first; rows of the memory are taken
  /// as they are. Default true.
  bool normalize = true;

  /// Multiplies value and gradients, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its embeddings hold. Default 1.
  double weight = 1.0;

  /// Adds the gradients to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// One network's embeddings against the other's memory.
template <class T>
struct noise_contrast {
  detail::any_policy policy;
  label_view numbers, negatives;  ///< of each row, and `negatives.size() / rows` for each row
  double temperature, log_noise, log_epsilon_share, weight;

  [[nodiscard]] index per_row() const { return negatives.size() / numbers.size(); }

  /// log(mean exp(similarity / T) * samples) over all that is looked at in a batch.
  [[nodiscard]] double normalizer(matrix_view<T const> rows, matrix_view<T const> memory) const {
    struct of_batch {};
    index const looked_at = per_row() + 1;
    T const scale = static_cast<T>(1.0 / temperature);
    double* const log_sums = simd::scratch<double, of_batch>(rows.rows);
    simd::for_chunks(
        policy, rows.rows, 1, rows.rows * looked_at * rows.columns, [&](index first, index last) {
          T* const similarity = simd::scratch<T, noise_contrast>(looked_at);
          for (index row = first; row < last; ++row) {
            look(rows, memory, row, similarity);
            auto const soft = simd::softmax_of(similarity, looked_at, scale, similarity);
            log_sums[row] = static_cast<double>(soft.top) / temperature + static_cast<double>(soft.log_sum);
          }
        });
    double const top = *std::max_element(log_sums, log_sums + rows.rows);
    double sum = 0.0;
    for (index row = 0; row < rows.rows; ++row) sum += std::exp(log_sums[row] - top);
    return top + std::log(sum / static_cast<double>(rows.rows * looked_at)) +
           std::log(static_cast<double>(memory.rows));
  }

  /// `weight` times the mean over rows; the derivative by the rows goes to `gradient` where that is wanted.
  double run(matrix_view<T const> rows, matrix_view<T const> memory, double log_normalizer,
             matrix_view<T> gradient) const {
    index const looked_at = per_row() + 1;
    double const by_rows = weight / static_cast<double>(rows.rows);
    // With x = s.m / T - log Z - log(noise + epsilon): softplus(-x) of the positive and softplus(x) of the negatives.
    lanes<T> const scale(static_cast<T>(1.0 / temperature)),
        shift(static_cast<T>(-log_normalizer - log_noise));
    T const factor = static_cast<T>(by_rows / temperature);
    return by_rows * simd::sum_chunks(policy, rows.rows, 1, rows.rows * looked_at * rows.columns,
                                      [&](index first, index last, index) {
                                        T* const similarity = simd::scratch<T, noise_contrast>(looked_at);
                                        double total = 0.0;
                                        for (index row = first; row < last; ++row) {
                                          look(rows, memory, row, similarity);
                                          total += of_row(similarity, looked_at, scale, shift, factor);
                                          if (gradient.data != nullptr)
                                            lead_back(memory, row, similarity, gradient);
                                        }
                                        return total;
                                      });
  }

 private:
  [[nodiscard]] index looked_at(index row, index k) const {
    return static_cast<index>(k == 0 ? numbers[row] : negatives[row * per_row() + k - 1]);
  }

  /// The similarities of a row to its own and to its negatives.
  void look(matrix_view<T const> rows, matrix_view<T const> memory, index row, T* similarity) const {
    for (index k = 0; k <= per_row(); ++k)
      similarity[k] = dot_of(&rows(row, 0), &memory(looked_at(row, k), 0), rows.columns);
  }

  /// The row's value; similarities become slopes.
  double of_row(T* similarity, index count, lanes<T> scale, lanes<T> shift, T factor) const {
    similarity[0] = -similarity[0];  // the positive's x has the other sign
    T const sum = simd::sum_of<T>(count, [&](auto place) {
      lanes<T> const product = place.load(similarity) * scale;
      lanes<T> x = product + shift;
      if (place.at == 0) {
        alignas(64) T values[static_cast<std::size_t>(lanes<T>::size)];
        x.store(values);
        values[0] -= T(2) * first_of(shift);
        x = lanes<T>::load(values);
      }
      lanes<T> const e = simd::exp_nonpositive(-abs(x));
      lanes<T> const one(T(1));
      place.store(select(x > lanes<T>(0), one, e) / (one + e) * lanes<T>(factor), similarity);
      return max(x, lanes<T>(0)) + log1p(e);
    });
    similarity[0] = -similarity[0];
    return static_cast<double>(sum) + static_cast<double>(count - 1) * log_epsilon_share;
  }

  void lead_back(matrix_view<T const> memory, index row, T const* slope, matrix_view<T> gradient) const {
    T* const to = &gradient(row, 0);
    std::fill(to, to + memory.columns, T(0));
    for (index k = 0; k <= per_row(); ++k) {
      T const* const other = &memory(looked_at(row, k), 0);
      lanes<T> const by(slope[k]);
      simd::for_each_register<T>(
          memory.columns, [&](auto place) { place.store(fma(by, place.load(other), place.load(to)), to); });
    }
  }
};

}  // namespace kernels

/// See `contrastive_representation`.
struct contrastive_representation_loss {
  using options_type = contrastive_representation_options;
  static constexpr char const* name = "contrastive_representation";
  static constexpr error_bound bound{.value = 64, .gradient = 128};

  /// The value, after fixing the memory's normalizers when this is its first batch.
  template <matrix_argument Student, class Teacher, class T>
  [[nodiscard]] loss_value operator()(Student const& student, Teacher const& teacher, label_view numbers,
                                      label_view negatives, contrastive_memory<T>& memory,
                                      contrastive_representation_options const& options = {}) const {
    return (*this)(serial, student, teacher, numbers, negatives, memory, options);
  }
  template <execution_policy Policy, class Student, class Teacher, class T>
  [[nodiscard]] loss_value operator()(Policy policy, Student const& student, Teacher const& teacher,
                                      label_view numbers, label_view negatives, contrastive_memory<T>& memory,
                                      contrastive_representation_options const& options = {}) const {
    check(student, teacher, numbers, negatives, memory, options);
    return run(detail::any_policy(policy), student, teacher, numbers, negatives, memory, {}, {}, options);
  }

  /// The value and both gradients. The teacher's is for the projection of its features, which is trained along.
  template <matrix_argument Student, class Teacher, class T, class StudentGradient, class TeacherGradient>
  loss_value with_grad(Student const& student, Teacher const& teacher, label_view numbers,
                       label_view negatives, contrastive_memory<T>& memory,
                       StudentGradient&& student_gradient, TeacherGradient&& teacher_gradient,
                       contrastive_representation_options const& options = {}) const {
    return with_grad(serial, student, teacher, numbers, negatives, memory,
                     std::forward<StudentGradient>(student_gradient),
                     std::forward<TeacherGradient>(teacher_gradient), options);
  }
  template <execution_policy Policy, class Student, class Teacher, class T, class StudentGradient,
            class TeacherGradient>
  loss_value with_grad(Policy policy, Student const& student, Teacher const& teacher, label_view numbers,
                       label_view negatives, contrastive_memory<T>& memory,
                       StudentGradient&& student_gradient, TeacherGradient&& teacher_gradient,
                       contrastive_representation_options const& options = {}) const {
    check(student, teacher, numbers, negatives, memory, options);
    auto const as_map = [](auto const& matrix) { return detail::map_of_matrix(detail::input_view(matrix)); };
    auto const s = as_map(student), t = as_map(teacher);
    auto const by_student =
        detail::map_of_matrix(detail::output_view(std::forward<StudentGradient>(student_gradient)));
    auto const by_teacher =
        detail::map_of_matrix(detail::output_view(std::forward<TeacherGradient>(teacher_gradient)));
    detail::require_gradient(name, by_student, s, t);
    detail::require_gradient(name, by_teacher, t, s, "student");
    detail::require(detail::overlap_of(by_student, by_teacher) == detail::overlap::none, name, "gradient",
                    "one for student and teacher", "one for each");
    auto const target = [&](auto const& gradient, auto const& own) {
      return kernels::map_target<T>(gradient, options.accumulate,
                                    detail::overlap_of(gradient, own) == detail::overlap::none);
    };
    return run(detail::any_policy(policy), student, teacher, numbers, negatives, memory,
               target(by_student, s), target(by_teacher, t), options);
  }

 private:
  template <class Student, class Teacher, class T>
  static void check(Student const& student, Teacher const& teacher, label_view numbers, label_view negatives,
                    contrastive_memory<T> const& memory, contrastive_representation_options const& options) {
    auto const s = detail::input_view(student);
    auto const t = detail::input_view(teacher);
    detail::require_map_of_matrix(name, "student", detail::map_of_matrix(s));
    detail::require_shape(name, "teacher", t, s.rows, s.columns);
    detail::require(
        s.columns == memory.features(), name, "student",
        [&] { return std::to_string(s.columns) + " features wide"; },
        [&] { return std::to_string(memory.features()) + " features wide, as the memory"; });
    detail::require_size(name, "numbers", numbers.size(), s.rows);
    detail::require(
        s.rows == 0 || (negatives.size() >= s.rows && negatives.size() % s.rows == 0), name, "negatives",
        [&] { return "of size " + std::to_string(negatives.size()); },
        [&] { return "as many for each of the " + std::to_string(s.rows) + " rows, at least one"; });
    memory.require_numbers(name, "numbers", numbers);
    memory.require_numbers(name, "negatives", negatives);
    detail::require_loss_weight(name, options.weight, detail::computing_type::of<T>());
    detail::require(detail::is_temperature(options.temperature), name, "temperature", options.temperature,
                    detail::must_be_temperature);
    detail::require(detail::is_weight(options.epsilon), name, "epsilon", options.epsilon,
                    detail::must_be_weight);
  }

  template <class Student, class Teacher, class T>
  static loss_value run(detail::any_policy policy, Student const& student, Teacher const& teacher,
                        label_view numbers, label_view negatives, contrastive_memory<T>& memory,
                        kernels::map_target<T> const& by_student, kernels::map_target<T> const& by_teacher,
                        contrastive_representation_options const& options) {
    struct of_embeddings {};
    using embeddings = kernels::embedding_rows<T>;
    kernels::map_source<T> const s(detail::map_of_matrix(detail::input_view(student)));
    kernels::map_source<T> const t(detail::map_of_matrix(detail::input_view(teacher)));
    index const rows = s.rows();
    if (rows == 0) return {};
    T* const numbers_of_rows =
        simd::scratch<T, of_embeddings>(2 * embeddings::memory_of(s) + 2 * s.sample_size());
    if (options.weight == 0.0) {
      by_student.clear();
      by_teacher.clear();
      return {};
    }
    embeddings const students(policy, s, options.normalize, numbers_of_rows);
    embeddings const teachers(policy, t, options.normalize, numbers_of_rows + embeddings::memory_of(s));
    T* const gradients = numbers_of_rows + 2 * embeddings::memory_of(s);

    double const noise = static_cast<double>(negatives.size() / rows) / static_cast<double>(memory.samples());
    kernels::noise_contrast<T> const contrast{policy,
                                              numbers,
                                              negatives,
                                              options.temperature,
                                              std::log(noise + options.epsilon),
                                              std::log1p(options.epsilon / noise),
                                              options.weight};
    if (!memory.has_normalizers()) {
      memory.fix_normalizers(contrast.normalizer(students.rows(), memory.teachers()),
                             contrast.normalizer(teachers.rows(), memory.students()));
    }
    auto const place = [&](kernels::map_target<T> const& target, index which) {
      return target ? target.matrix(gradients + which * s.sample_size()) : matrix_view<T>();
    };
    matrix_view<T> const to_student = place(by_student, 0), to_teacher = place(by_teacher, 1);
    double const value =
        contrast.run(students.rows(), memory.teachers(), memory.student_normalizer(), to_student) +
        contrast.run(teachers.rows(), memory.students(), memory.teacher_normalizer(), to_teacher);
    auto const finish = [&](kernels::map_target<T> const& target, embeddings const& from,
                            matrix_view<T> written) {
      if (!target) return;
      from.pull_back(policy, written);
      target.finish_matrix(written);
    };
    finish(by_student, students, to_student);
    finish(by_teacher, teachers, to_teacher);
    return {value, static_cast<double>(rows)};
  }
};

/// The student's embedding of a sample is told from those of others by the teacher's, and the other way round, with memories
/// of both for many more samples than a batch has. @alias CRD
///
/// @formula   L = (1 / B) sum over rows, of student against the teacher's memory and of teacher against the student's:
///            -log h+ / (h+ + c + epsilon) - sum over negatives log c / (h- + c + epsilon), h = exp(s . m / T) / Z,
///            c = K / N; Z is N times the mean of exp(s . m / T) in the first batch
/// @param     student, teacher  [B, D] projected embeddings, divided by their lengths here unless `normalize` says otherwise
/// @param     numbers    of each row among the N training samples
/// @param     negatives  B * K numbers of training samples, K for each row; `alias_sampler` draws them
/// @param     memory     of N samples and D features; its `update` follows the step
/// @param     student_gradient, teacher_gradient  [B, D], overwritten or added; each may be its own embeddings
/// @gradient  by s . m / T: -(c + epsilon) / (h + c + epsilon) of the positive, h / (h + c + epsilon) of the negatives, times
///            m / (B T), through x / |x| as (g - u (u . g)) / |x| with `normalize`
/// @throws    std::invalid_argument when a shape, number or option is refused; nothing is written then
/// @error     `bound`, relative to (1 + K) (1 + 1 / T + |log Z c|) for the value and, for a
///            row of length |x|, to the sum of the slopes' sizes times (1 + 1 / T + |log Z c|) / |x| for the gradients;
///            without `normalize` to the same with |x| / T for 1 / T and gradients by x
/// @nan       NaN in a row makes the value NaN and that row's gradient. Without rows 0
/// @cost      2 B (K + 1) D multiplications, twice that with gradients, and as many reads at random of the memories; 2 B K
///            exponentials and logarithms
/// @source    Tian et al. 2020, equations 17 to 19; weight 0.8, K = 16384, D = 128, T = 0.07 there. Z is kept as its
///            logarithm, so that it does not overflow
/// @example   distil::contrastive_representation.with_grad(student, teacher, numbers, negatives, memory, by_student,
///            by_teacher)
inline constexpr contrastive_representation_loss contrastive_representation{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
