#include <distil/contrastive/alias_sampler.hpp>
#include <distil/contrastive/contrastive_representation.hpp>
#include <memory>
#include <optional>

#include "support/pair_loss.hpp"

namespace {

/// 4096 negatives each, of 50000 training samples.
struct with_memory {
  struct state {
    std::optional<distil::contrastive_memory<float>> memory;
    std::vector<std::int64_t> numbers, negatives;
    std::vector<float> by_teacher;
  };
  std::shared_ptr<state> shared = std::make_shared<state>();

  void prepare(std::ptrdiff_t rows) const {
    if (static_cast<std::ptrdiff_t>(shared->numbers.size()) == rows) return;
    distil::alias_sampler const sampler(50000);
    shared->memory.emplace(50000, 128);
    shared->numbers.resize(static_cast<std::size_t>(rows));
    shared->negatives.resize(static_cast<std::size_t>(rows) * 4096);
    shared->by_teacher.resize(static_cast<std::size_t>(rows) * 128);
    sampler.draw(1, 0, shared->numbers);
    sampler.draw(2, 0, shared->negatives);
  }

  template <class Policy, class Student, class Teacher>
  double operator()(Policy policy, Student const& student, Teacher const& teacher) const {
    prepare(student.rows);
    return distil::contrastive_representation(policy, student, teacher, shared->numbers, shared->negatives,
                                              *shared->memory);
  }
  template <class Policy, class Student, class Teacher, class Gradient>
  double with_grad(Policy policy, Student const& student, Teacher const& teacher, Gradient&& gradient) const {
    prepare(student.rows);
    distil::matrix_view<float> const by_teacher(shared->by_teacher.data(), student.rows, student.columns);
    return distil::contrastive_representation.with_grad(
        policy, student, teacher, shared->numbers, shared->negatives, *shared->memory, gradient, by_teacher);
  }
};

constexpr bench::shape sizes[] = {{64, 128}};
bool const registered = bench::add_relation_loss("contrastive_representation", with_memory(), sizes);

}  // namespace
