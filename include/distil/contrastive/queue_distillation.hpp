#pragma once

#include <type_traits>

#include "distil/contrastive/affinity/affinity.hpp"
#include "distil/core/execution.hpp"
#include "distil/core/loss_value.hpp"
#include "distil/core/map_shapes.hpp"

namespace distil {

struct queue_distillation_options {
  /// Divide the similarities of the student and of the teacher; within [1e-15, 1e15]. Default 0.04 (CompRess); SEED has
  /// 0.2 and 1e-4, which makes the teacher almost sure of one entry.
  double temperature = 0.04;
  double teacher_temperature = 0.04;

  /// What is summed over the entries. Default: the divergence; SEED reports the cross entropy, which has the same gradient.
  soft_divergence kind = soft_divergence::kl;

  /// The sample's own teacher embedding is one more entry, as in SEED. Default false.
  bool with_own_teacher = false;

  /// Divides student and teacher by their lengths first; entries of the queue are taken as they are. Default true.
  bool normalize = true;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

template <class T>
struct queue_operands {
  map_source<T> student, teacher, student_queue, teacher_queue;
  map_target<T> gradient;
};

/// Samples whose similarities to all entries are held at a time.
inline constexpr index queue_rows = 64;

template <class T>
loss_value distil_queue(detail::any_policy policy, queue_operands<T> const& operands,
                        queue_distillation_options const& options) {
  struct of_embeddings {};
  struct of_queues {};
  struct of_chunk {};
  using embeddings = embedding_rows<T>;
  index const rows = operands.student.rows(), own = options.with_own_teacher ? 1 : 0;
  if (rows == 0) return {};
  index const student_memory = embeddings::memory_of(operands.student);
  T* const memory = simd::scratch<T, of_embeddings>(student_memory + embeddings::memory_of(operands.teacher) +
                                                    operands.student.sample_size());
  T* const queues = simd::scratch<T, of_queues>(operands.student_queue.sample_size() +
                                                operands.teacher_queue.sample_size());
  embeddings const student(policy, operands.student, options.normalize, memory);
  embeddings const teacher(policy, operands.teacher, options.normalize, memory + student_memory);
  auto const student_queue = operands.student_queue.matrix(queues);
  auto const teacher_queue = operands.teacher_queue.matrix(queues + operands.student_queue.sample_size());
  auto const place =
      operands.gradient
          ? operands.gradient.matrix(memory + student_memory + embeddings::memory_of(operands.teacher))
          : matrix_view<T>();
  index const listed = student_queue.rows, entries = listed + own;
  double const factor = 1.0 / static_cast<double>(rows);
  T const scale = static_cast<T>(1.0 / options.temperature);
  T const teacher_scale = static_cast<T>(1.0 / options.teacher_temperature);
  detail::any_policy const here(serial);
  double const value = simd::sum_chunks(
      policy, rows, queue_rows, rows * entries * student_queue.columns, [&](index first, index last, index) {
        double total = 0.0;
        for (index row = first; row < last; row += queue_rows) {
          index const count = std::min(queue_rows, last - row);
          T* const numbers = simd::scratch<T, of_chunk>(3 * count * entries);
          matrix_view<T> const of_student(numbers, count, entries),
              of_teacher(numbers + count * entries, count, entries),
              slope(numbers + 2 * count * entries, count, entries);
          auto const s = some_rows(student.rows(), row, row + count),
                     t = some_rows(teacher.rows(), row, row + count);
          multiply_by_transpose<T>(here, s, student_queue, some_columns(of_student, 0, listed));
          multiply_by_transpose<T>(here, t, teacher_queue, some_columns(of_teacher, 0, listed));
          for (index r = 0; own == 1 && r < count; ++r) {
            of_student(r, listed) = dot_of(&s(r, 0), &t(r, 0), s.columns);
            of_teacher(r, listed) = dot_of(&t(r, 0), &t(r, 0), t.columns);
          }
          total += compare_with_teacher<T>(here, options.kind, of_student, scale, of_teacher, teacher_scale,
                                           factor, slope);
          if (!operands.gradient) continue;
          matrix_view<T> const to = some_rows(place, row, row + count);
          multiply<T>(here, some_columns<T const>(slope, 0, listed), student_queue, to);
          for (index r = 0; own == 1 && r < count; ++r) {
            simd::lanes<T> const by(slope(r, listed));
            simd::for_each_register<T>(to.columns, [&](auto at) {
              at.store(fma(by, at.load(&t(r, 0)), at.load(&to(r, 0))), &to(r, 0));
            });
          }
        }
        return total;
      });
  if (operands.gradient) {
    student.pull_back(policy, place);
    operands.gradient.finish_matrix(place);
  }
  return {value, static_cast<double>(rows)};
}

}  // namespace kernels

/// See `queue_distillation`.
struct queue_distillation_loss {
  using options_type = queue_distillation_options;
  static constexpr char const* name = "queue_distillation";
  static constexpr error_bound bound{.value = 32, .gradient = 64};

  /// One queue of teacher embeddings for both.
  template <matrix_argument Student, class Teacher, class Queue>
  [[nodiscard]] loss_value operator()(Student const& student, Teacher const& teacher, Queue const& queue,
                                      queue_distillation_options const& options = {}) const {
    return (*this)(serial, student, teacher, queue, options);
  }
  template <execution_policy Policy, class Student, class Teacher, class Queue>
  [[nodiscard]] loss_value operator()(Policy policy, Student const& student, Teacher const& teacher,
                                      Queue const& queue,
                                      queue_distillation_options const& options = {}) const {
    return kernels::distil_queue(detail::any_policy(policy),
                                 operands_of(student, teacher, queue, queue, options), options);
  }
  template <matrix_argument Student, class Teacher, class Queue, class Gradient>
  loss_value with_grad(Student const& student, Teacher const& teacher, Queue const& queue,
                       Gradient&& gradient, queue_distillation_options const& options = {}) const {
    return with_grad(serial, student, teacher, queue, std::forward<Gradient>(gradient), options);
  }
  template <execution_policy Policy, class Student, class Teacher, class Queue, class Gradient>
  loss_value with_grad(Policy policy, Student const& student, Teacher const& teacher, Queue const& queue,
                       Gradient&& gradient, queue_distillation_options const& options = {}) const {
    return with_two_queues(policy, student, teacher, queue, queue, std::forward<Gradient>(gradient), options);
  }

  /// A queue of the student's own embeddings beside that of the teacher's, entry for entry of the same samples, as in
  /// CompRess; their widths may differ.
  template <execution_policy Policy, class Student, class Teacher, class StudentQueue, class TeacherQueue,
            class Gradient>
  loss_value with_two_queues(Policy policy, Student const& student, Teacher const& teacher,
                             StudentQueue const& student_queue, TeacherQueue const& teacher_queue,
                             Gradient&& gradient, queue_distillation_options const& options = {}) const {
    auto operands = operands_of(student, teacher, student_queue, teacher_queue, options);
    auto const output = detail::map_of_matrix(detail::output_view(std::forward<Gradient>(gradient)));
    auto const from = detail::map_of_matrix(detail::input_view(student));
    detail::require_gradient(name, output, from, detail::map_of_matrix(detail::input_view(teacher)));
    detail::require_gradient(name, output, from, detail::map_of_matrix(detail::input_view(student_queue)),
                             "queue");
    detail::require_gradient(name, output, from, detail::map_of_matrix(detail::input_view(teacher_queue)),
                             "queue");
    operands.gradient = {output, options.accumulate,
                         detail::overlap_of(output, from) == detail::overlap::none};
    return kernels::distil_queue(detail::any_policy(policy), operands, options);
  }

 private:
  template <class Student, class Teacher, class StudentQueue, class TeacherQueue>
  static auto operands_of(Student const& student, Teacher const& teacher, StudentQueue const& student_queue,
                          TeacherQueue const& teacher_queue, queue_distillation_options const& options) {
    auto const s = detail::input_view(student);
    auto const t = detail::input_view(teacher);
    auto const of_student = detail::input_view(student_queue);
    auto const of_teacher = detail::input_view(teacher_queue);
    auto const looked_at = [](char const* argument, auto const& matrix) {
      auto const map = detail::map_of_matrix(matrix);
      detail::require_map_of_matrix(name, argument, map);
      return map;
    };
    auto const a = looked_at("student", s);
    auto const b = looked_at("teacher", t);
    auto const c = looked_at("student queue", of_student);
    auto const d = looked_at("teacher queue", of_teacher);
    detail::require_same_rows(name, b.shape(), a.shape());
    auto const wide = [](char const* argument, index found, index wanted, char const* as) {
      detail::require(
          found == wanted, name, argument, [&] { return std::to_string(found) + " features wide"; },
          [&] { return std::to_string(wanted) + " features wide, as the " + as; });
    };
    wide("student queue", of_student.columns, s.columns, "student");
    wide("teacher queue", of_teacher.columns, t.columns, "teacher");
    if (options.with_own_teacher) wide("teacher", t.columns, s.columns, "student, since it is an entry");
    detail::require(
        of_student.rows == of_teacher.rows && of_student.rows >= 1, name, "student queue",
        [&] { return std::to_string(of_student.rows) + " entries"; },
        [&] { return std::to_string(of_teacher.rows) + " entries, as the teacher's, and at least one"; });
    for (auto const& [temperature, argument] :
         {std::pair{options.temperature, "temperature"},
          std::pair{options.teacher_temperature, "teacher_temperature"}}) {
      detail::require(detail::is_temperature(temperature), name, argument, temperature,
                      detail::must_be_temperature);
    }
    using T = std::common_type_t<arithmetic_t<std::remove_const_t<typename decltype(s)::element>>,
                                 arithmetic_t<std::remove_const_t<typename decltype(t)::element>>>;
    return kernels::queue_operands<T>{kernels::map_source<T>(a),
                                      kernels::map_source<T>(b),
                                      kernels::map_source<T>(c),
                                      kernels::map_source<T>(d),
                                      {}};
  }
};

/// To the entries of a queue of earlier embeddings, the student's sample is as similar as the teacher's. @alias SEED,
/// CompRess, similarity distillation
///
/// @formula   L = (1 / B) sum_i KL(softmax(Q t_i / T_t) || softmax(Q s_i / T_s)), or the cross entropy of both
/// @param     student  [B, D] embeddings, a sample a row
/// @param     teacher  [B, D'] embeddings of the same samples
/// @param     queue    [K, D] embeddings, as `embedding_queue` holds them, of the width of student and teacher; with two
///                     queues [K, D] and [K, D']
/// @param     gradient [B, D] dL/ds, overwritten or added; may be the student itself, nothing else that is read
/// @gradient  Q' (q - p) / (T_s B), through s / |s| as (g - u (u . g)) / |s|
/// @throws    std::invalid_argument when a shape or option is refused; nothing is written then
/// @error     `bound`, relative to 1 + log K + 1 / T_s + 1 / T_t for the value and, for a row of
///            length |s|, to (1 + 1 / T_s + 1 / T_t) / (B T_s |s|) for the gradient, with `normalize`
/// @nan       NaN in a row makes the value NaN and that row's gradient; in an entry, all
/// @cost      2 B K D multiplications, B K D more with gradient; 2 B K exponentials; 192 K numbers of scratch a thread
/// @source    Fang et al. 2021 (SEED), equation 3; Abbasi Koohpayegani et al. 2020 (CompRess), equation 4
/// @example   distil::queue_distillation.with_grad(student, teacher, queue.view(), gradient)
inline constexpr queue_distillation_loss queue_distillation{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
