#pragma once

#include <type_traits>

#include "distil/contrastive/affinity/affinity.hpp"
#include "distil/core/execution.hpp"
#include "distil/core/loss_value.hpp"
#include "distil/core/loss_weight.hpp"
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

  /// Divides student and teacher by their lengths first. Default true.
  bool normalize = true;

  /// Divides the entries of the queues by theirs, too. Default false: they are taken as they are.
  bool normalize_queues = false;

  /// Multiplies value and gradients, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its embeddings hold. Default 1.
  double weight = 1.0;

  /// Adds the gradients to what is there instead of overwriting it. Default false.
  bool accumulate = false;
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

template <class T>
struct queue_operands {
  map_source<T> student, teacher, student_queue, teacher_queue;
  map_target<T> gradient, queue_gradient;
};

/// Samples whose similarities to all entries are held at a time.
inline constexpr index queue_rows = 64;

template <class T>
loss_value distil_queue(detail::any_policy policy, queue_operands<T> const& operands,
                        queue_distillation_options const& options) {
  struct of_embeddings {};
  struct of_queues {};
  struct of_slopes {};
  struct of_chunk {};
  using embeddings = embedding_rows<T>;
  index const rows = operands.student.rows(), own = options.with_own_teacher ? 1 : 0;
  index const listed = operands.student_queue.rows(), entries = listed + own;
  bool const by_queue = static_cast<bool>(operands.queue_gradient);
  index const student_memory = embeddings::memory_of(operands.student);
  T* const memory = simd::scratch<T, of_embeddings>(student_memory + embeddings::memory_of(operands.teacher) +
                                                    operands.student.sample_size());
  index const queue_memory = embeddings::memory_of(operands.student_queue);
  index const both_queues = queue_memory + embeddings::memory_of(operands.teacher_queue);
  T* const queues =
      simd::scratch<T, of_queues>(both_queues + (by_queue ? operands.student_queue.sample_size() : 0));
  if (options.weight == 0.0) {
    operands.gradient.clear();
    operands.queue_gradient.clear();
    return {};
  }
  // An entry's gradient is a sum over all samples, so that their slopes have to stay.
  T* const all_slopes = by_queue ? simd::scratch<T, of_slopes>(rows * entries) : nullptr;
  embeddings const student(policy, operands.student, options.normalize, memory);
  embeddings const teacher(policy, operands.teacher, options.normalize, memory + student_memory);
  embeddings const of_students(policy, operands.student_queue, options.normalize_queues, queues);
  embeddings const of_teachers(policy, operands.teacher_queue, options.normalize_queues,
                               queues + queue_memory);
  auto const student_queue = of_students.rows(), teacher_queue = of_teachers.rows();
  auto const place =
      operands.gradient
          ? operands.gradient.matrix(memory + student_memory + embeddings::memory_of(operands.teacher))
          : matrix_view<T>();
  double const factor = rows > 0 ? options.weight / static_cast<double>(rows) : 0.0;
  T const scale = static_cast<T>(1.0 / options.temperature);
  T const teacher_scale = static_cast<T>(1.0 / options.teacher_temperature);
  detail::any_policy const here(serial);
  double const value = simd::sum_chunks(
      policy, rows, queue_rows, rows * entries * student_queue.columns, [&](index first, index last, index) {
        double total = 0.0;
        for (index row = first; row < last; row += queue_rows) {
          index const count = std::min(queue_rows, last - row);
          T* const numbers = simd::scratch<T, of_chunk>((by_queue ? 2 : 3) * count * entries);
          matrix_view<T> const of_student(numbers, count, entries),
              of_teacher(numbers + count * entries, count, entries),
              slope(by_queue ? all_slopes + row * entries : numbers + 2 * count * entries, count, entries);
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
  // Both before either is stored, since a gradient may lie over what it is of.
  matrix_view<T> of_entries;
  if (by_queue) {
    of_entries = operands.queue_gradient.matrix(queues + both_queues);
    multiply_transpose<T>(policy,
                          some_columns<T const>(matrix_view<T const>(all_slopes, rows, entries), 0, listed),
                          student.rows(), of_entries);
    of_students.pull_back(policy, of_entries);
  }
  if (operands.gradient) {
    student.pull_back(policy, place);
    operands.gradient.finish_matrix(place);
  }
  if (by_queue) operands.queue_gradient.finish_matrix(of_entries);
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
    set_target(operands.gradient, output, options, student, teacher, student_queue, teacher_queue);
    return kernels::distil_queue(detail::any_policy(policy), operands, options);
  }

  /// The same with the gradient by the student's queue, when the student computes its entries in this step, too, as in
  /// SSKD.
  template <execution_policy Policy, class Student, class Teacher, class StudentQueue, class TeacherQueue,
            class Gradient, class QueueGradient>
  requires(!std::is_same_v<std::remove_cvref_t<QueueGradient>, queue_distillation_options>) loss_value
      with_two_queues(Policy policy, Student const& student, Teacher const& teacher,
                      StudentQueue const& student_queue, TeacherQueue const& teacher_queue,
                      Gradient&& gradient, QueueGradient&& queue_gradient,
                      queue_distillation_options const& options = {})
  const {
    auto operands = operands_of(student, teacher, student_queue, teacher_queue, options);
    auto const output = detail::map_of_matrix(detail::output_view(std::forward<Gradient>(gradient)));
    auto const of_queue =
        detail::map_of_matrix(detail::output_view(std::forward<QueueGradient>(queue_gradient)));
    set_target(operands.gradient, output, options, student, teacher, student_queue, teacher_queue);
    set_target(operands.queue_gradient, of_queue, options, student_queue, teacher, teacher_queue, student);
    detail::require(detail::overlap_of(output, of_queue) == detail::overlap::none, name, "gradient",
                    "one for student and queue", "one for each");
    return kernels::distil_queue(detail::any_policy(policy), operands, options);
  }

 private:
  /// A gradient by `own`, apart from all else that is read.
  template <class T, class Storage, class Own, class Teacher, class A, class B>
  static void set_target(kernels::map_target<T>& target, feature_map<Storage> const& gradient,
                         queue_distillation_options const& options, Own const& own, Teacher const& teacher,
                         A const& a, B const& b) {
    auto const seen = [](auto const& matrix) { return detail::map_of_matrix(detail::input_view(matrix)); };
    auto const from = seen(own);
    detail::require_gradient(name, gradient, from, seen(teacher));
    detail::require_gradient(name, gradient, from, seen(a), "queue");
    detail::require_gradient(name, gradient, from, seen(b), "other embeddings");
    target = {gradient, options.accumulate, detail::overlap_of(gradient, from) == detail::overlap::none};
  }

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
    detail::require_loss_weight(name, options.weight, detail::computing_type::of<T>());
    using source = kernels::map_source<T>;
    return kernels::queue_operands<T>{source(a), source(b), source(c), source(d), {}, {}};
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
///            length |s|, to (1 + 1 / T_s + 1 / T_t) / (B T_s |s|) for the gradient, with `normalize`; B times that for
///            the queue's, |s| being an entry's length then
/// @nan       NaN in a row makes the value NaN and that row's gradient; in an entry, all. The queue's gradient is NaN then
/// @cost      2 B K D multiplications, B K D more with gradient; 2 B K exponentials; 192 K numbers of scratch a thread.
///            With the queue's gradient B K D multiplications and B K numbers of scratch more
/// @source    Fang et al. 2021 (SEED), equation 3; Abbasi Koohpayegani et al. 2020 (CompRess), equation 4; Xu et al. 2020
///            (SSKD), where the entries are other views of the batch by the network itself: this with `normalize_queues`
/// @example   distil::queue_distillation.with_grad(student, teacher, queue.view(), gradient)
inline constexpr queue_distillation_loss queue_distillation{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
