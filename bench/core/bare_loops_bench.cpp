#include <algorithm>
#include <cmath>
#include <cstddef>
#include <distil/simd/exponential.hpp>
#include <limits>
#include <vector>

#include "support/batch.hpp"
#include "support/memory_limit.hpp"
#include "support/registry.hpp"

// The loops of `hinton_kd` with its gradient and nothing around them: maxima, exponentials, sums, and the weighted sum that is
// the gradient. No masked classes, labels, row weights, layouts or checks. What this machine allows lies here, wherever
// a target asks for less.
namespace {

using lanes = distil::simd::lanes<float>;
using index = std::ptrdiff_t;

/// e^z is the `Power`-th power of e^(z/T); with 0 it is a third exponential.
template <int Power>
class bare_row {
 public:
  static constexpr index kept = Power == 0 ? 3 : 2;

  bare_row(float temperature, float* keep) : soft_sharpness_(log2e / temperature), keep_(keep) {}

  template <bench::stores Kind>
  void run(float const* z, float const* t, float* gradient, index columns) {
    for (index first = 0; first < columns; first += block) {
      index const last = std::min(columns, first + block);
      find_tops(z, t, first, last);
      add(z, t, first, last);
    }
    lanes const soft = lanes(4.0F) / sum_across(soft_), hard = lanes(0.1F) / sum_across(hard_);
    lanes const teacher = lanes(-4.0F) / sum_across(teacher_);
    value += std::log(first_of(sum_across(soft_))) - std::log(first_of(sum_across(teacher_))) +
             std::log(first_of(sum_across(hard_))) +
             first_of(sum_across(expected_)) / first_of(sum_across(teacher_));
    float const* keep = keep_;
    for (index i = 0; i < columns; i += lanes::size, keep += kept * lanes::size) {
      lanes const q = lanes::load(keep);
      lanes const of_hard = Power == 0 ? lanes::load(keep + 2 * lanes::size) : raised(q);
      lanes const p = lanes::load(keep + lanes::size);
      bench::store<Kind>(gradient + i, fma(hard, of_hard, fma(soft, q, teacher * p)));
    }
    soft_ = hard_ = teacher_ = expected_ = lanes(0);
    student_top_ = teacher_top_ = -std::numeric_limits<float>::infinity();
  }

  double value = 0;

 private:
  static constexpr index block = 1024;
  static constexpr float log2e = 1.4426950F;

  static DISTIL_INLINE lanes raised(lanes q) {
    lanes const squared = q * q;
    return Power == 2 ? squared : squared * squared;
  }

  DISTIL_INLINE void find_tops(float const* z, float const* t, index first, index last) {
    lanes student(student_top_), teacher(teacher_top_);
    for (index i = first; i < last; i += lanes::size) {
      student = max(student, lanes::load(z + i));
      teacher = max(teacher, lanes::load(t + i));
    }
    float const student_top = first_of(max_across(student)), teacher_top = first_of(max_across(teacher));
    if (first > 0) {
      lanes const fall((student_top_ - student_top) * soft_sharpness_);
      lanes const teacher_fall((teacher_top_ - teacher_top) * soft_sharpness_);
      lanes const decay = exp2_nonpositive(fall), teacher_decay = exp2_nonpositive(teacher_fall);
      soft_ *= decay;
      hard_ *= Power == 0 ? exp2_nonpositive(lanes((student_top_ - student_top) * log2e)) : raised(decay);
      expected_ = teacher_decay * (expected_ + teacher_ * (fall - teacher_fall));
      teacher_ *= teacher_decay;
    }
    student_top_ = student_top;
    teacher_top_ = teacher_top;
  }

  DISTIL_INLINE void add(float const* z, float const* t, index first, index last) {
    lanes const student_top(student_top_), teacher_top(teacher_top_), sharpness(soft_sharpness_);
    lanes soft = soft_, hard = hard_, teacher = teacher_, expected = expected_;
    float* keep = keep_ + first * kept;
    for (index i = first; i < last; i += lanes::size, keep += kept * lanes::size) {
#if defined(__GNUC__)
      __builtin_prefetch(z + i + block);
      __builtin_prefetch(t + i + block);
#endif
      lanes const centred = lanes::load(z + i) - student_top;
      lanes const u = centred * sharpness;
      lanes const v = (lanes::load(t + i) - teacher_top) * sharpness;
      lanes const q = exp2_nonpositive(u), p = exp2_nonpositive(v);
      lanes const of_hard = Power == 0 ? exp2_nonpositive(centred * lanes(log2e)) : raised(q);
      soft += q;
      hard += of_hard;
      teacher += p;
      expected = fma(p, v - u, expected);
      q.store(keep);
      p.store(keep + lanes::size);
      if constexpr (Power == 0) of_hard.store(keep + 2 * lanes::size);
    }
    soft_ = soft, hard_ = hard, teacher_ = teacher, expected_ = expected;
  }

  float soft_sharpness_;
  float* keep_;
  lanes soft_{0}, hard_{0}, teacher_{0}, expected_{0};
  float student_top_ = -std::numeric_limits<float>::infinity(), teacher_top_ = student_top_;
};

template <int Power>
double bare_loops(bench::batch<float> const& batch, float temperature, float* scratch, int threads) {
  index const rows = batch.size.rows, classes = batch.size.classes,
              columns = classes / lanes::size * lanes::size;
  bool const streams = batch.size.elements() * index{sizeof(float)} >= index{64} << 20;
  auto const part = [=, &batch](int i) {
    bare_row<Power> row(temperature, scratch + i * bare_row<Power>::kept * classes);
    for (index r = rows * i / threads; r < rows * (i + 1) / threads; ++r) {
      float const *const z = batch.student.data() + r * classes, *const t =
                                                                     batch.teacher.data() + r * classes;
      float* const gradient = batch.gradient.data() + r * classes;
      if (streams) {
        row.template run<bench::stores::streamed>(z, t, gradient, columns);
      } else {
        row.template run<bench::stores::plain>(z, t, gradient, columns);
      }
    }
    return row.value;
  };
  if (threads == 1) return part(0);
  double sum = 0;
#pragma omp parallel for schedule(static) num_threads(threads) reduction(+ : sum)
  for (int i = 0; i < threads; ++i) sum += part(i);
  return sum;
}

template <int Power>
void add(char const* operation, float temperature, int threads) {
  for (bench::shape const size : bench::shapes) {
    if (size.classes < 1000) continue;
    bench::add({"limit", operation, "float", size.name(), "gradient", threads},
               {size.elements(), 3 * sizeof(float), Power == 0 ? 3 : 2}, [=]() -> bench::call {
                 auto& batch = bench::batch_of<float>(size);
                 auto const scratch =
                     std::make_shared<bench::array<float>>(threads * bare_row<Power>::kept * size.classes);
                 return
                     [=, &batch] { return bare_loops<Power>(batch, temperature, scratch->data(), threads); };
               });
  }
}

bool const registered = [] {
  add<2>("bare_loops_at_2", 2.0F, 1);
  add<0>("bare_loops_at_3.5", 3.5F, 1);
  add<4>("bare_loops", 4.0F, 1);
  add<4>("bare_loops", 4.0F, 2);
  return true;
}();

}  // namespace
