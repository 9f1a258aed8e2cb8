#pragma once

#include "distil/response/teacher/dense_teacher.hpp"
#include "distil/simd/logarithm.hpp"
#include "distil/sweep/evaluate.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels {

/// The teacher's side of a tile of rows while its blocks are read.
template <class T, teacher_form Form>
class teacher_reader {
 public:
  static constexpr teacher_form form = Form;

  template <class Storage>
  teacher_reader(simd::axis way, dense_teacher<Storage, Form> const& teacher)
      : reader_(way, teacher.matrix) {}

  DISTIL_INLINE simd::strip<T> open(simd::tile const& rows, simd::block const& columns) {
    return reader_.open(rows, columns, Form == teacher_form::probabilities ? T(0) : -simd::infinity<T>);
  }

  /// From what is stored to the scale of logits. Monotone, so that maxima can be taken before it.
  static DISTIL_INLINE simd::lanes<T> logit(simd::lanes<T> stored) {
    if constexpr (Form == teacher_form::probabilities) {
      return log(stored);
    } else {
      return stored;
    }
  }

 private:
  simd::block_reader<T> reader_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::kernels
