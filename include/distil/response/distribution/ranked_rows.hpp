#pragma once

#include <algorithm>
#include <limits>

#include "distil/response/distribution/sorted_row.hpp"
#include "distil/simd/vectors.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

using simd::lanes;

/// Whether some number of a row is NaN.
template <class T>
[[nodiscard]] bool has_nan(T const* values, index size) {
  lanes<T> found(0);
  simd::for_each_register<T>(size, [&](auto place) {
    lanes<T> const value = place.load(values);
    found = select(value == value, found, lanes<T>(1));
  });
  return any(found > lanes<T>(0));
}

/// Logarithms of the probabilities of two rows in descending order, the shorter row continued by those of 0. Equal ones of
/// a row are in the order of classes. In the memory of this thread, until the next pair.
template <class T>
class ranked_rows {
 public:
  /// Memory for rows of so many classes at most.
  static void reserve(index ranks) {
    (void)numbers(ranks);
    (void)entries(ranks);
  }

  ranked_rows(T const* student, index classes, T const* teacher, index teacher_classes)
      : classes_(classes),
        ranks_(std::max(classes, teacher_classes)),
        student_(numbers(ranks_)),
        teacher_(student_ + ranks_) {
    (void)rank(teacher, teacher_classes, teacher_);
    of_student_ = rank(student, classes, student_);
  }

  /// sum_r |q_(r) - p_(r)|
  [[nodiscard]] T distance() const {
    return simd::sum_of<T>(ranks_, [&](auto place) {
      return abs(exp_nonpositive(place.load(student_)) - exp_nonpositive(place.load(teacher_)));
    });
  }

  /// sum_r sign(q_(r) - p_(r)) p_(r) (log p_(r) - mean): T times the derivative by the teacher's temperature, where `mean`
  /// is E log p over the teacher's whole row.
  [[nodiscard]] double moment_of_teacher(T mean) const {
    return static_cast<double>(simd::sum_of<T>(ranks_, [&](auto place) {
      lanes<T> const log_q = place.load(student_), log_p = place.load(teacher_);
      lanes<T> const pull = zero_safe_product(exp_nonpositive(log_p), log_p - lanes<T>(mean));
      return select(log_q > log_p, pull, select(log_q < log_p, -pull, lanes<T>(0)));
    }));
  }

  /// Calls `put(class, scale * derivative by log q)` for the student's classes. The teacher's ranks are lost.
  template <class Put>
  void differentiate(T scale, Put const& put) {
    lanes<T> const by(scale);
    simd::for_each_register<T>(classes_, [&](auto place) {
      lanes<T> const log_q = place.load(student_), log_p = place.load(teacher_);
      lanes<T> const pull = by * exp_nonpositive(log_q);
      place.store(select(log_q > log_p, pull, select(log_q < log_p, -pull, lanes<T>(0))), teacher_);
    });
    for (index r = 0; r < classes_; ++r) put(static_cast<index>(of_student_[r].column), teacher_[r]);
  }

 private:
  using entry = typename sorted_row<T>::entry;

  [[nodiscard]] static T* numbers(index ranks) { return simd::scratch<T, ranked_rows>(2 * ranks); }
  [[nodiscard]] static entry* entries(index ranks) { return simd::scratch<entry>(2 * ranks); }

  [[nodiscard]] entry const* rank(T const* log_probabilities, index size, T* to) const {
    entry const* const sorted = sorted_row<T>::sort(log_probabilities, size, entries(ranks_));
    for (index r = 0; r < size; ++r) to[r] = sorted[r].log_probability();
    std::fill(to + size, to + ranks_, -simd::infinity<T>);
    return sorted;
  }

  index classes_, ranks_;
  T *student_, *teacher_;
  entry const* of_student_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
