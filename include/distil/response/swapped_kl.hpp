#pragma once

#include "distil/response/forward_kl.hpp"
#include "distil/response/labels/labelled_loss.hpp"
#include "distil/response/labels/look_up.hpp"

namespace distil {

/// Options of forward KL to a teacher whose choice is swapped for the label: those of every divergence.
using swapped_kl_options = divergence_options;

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// Strips of a teacher in which the label and the first choice of each row have changed places: in blocks with one of the
/// two they are copies.
template <class T, class Storage, teacher_form Form>
class swapped_operands {
 public:
  template <class Term>
  swapped_operands(simd::axis way, Term const& term)
      : matrix_(term.teacher.matrix),
        labels_(term.labels),
        ignore_label_(term.rows.ignore_label),
        reader_(way, term.teacher) {}

  DISTIL_INLINE simd::strip<T> open(simd::tile const& rows, simd::block const& columns) {
    if (rows.first_row != first_row_) look_up(rows);
    simd::strip<T> const stored = reader_.open(rows, columns);
    bool copied = false;
    for (index r = 0; r < rows.rows; ++r) {
      for (change const& one : changes_[r]) {
        index const column = one.at - columns.first_column;
        if (column < 0 || column >= columns.columns) continue;
        if (!copied) copy(stored, columns);
        copied = true;
        scratch_[rows.axis.at(r, column, lanes<T>::size)] = one.value;
      }
    }
    return copied ? simd::strip<T>{scratch_, lanes<T>::size} : stored;
  }

 private:
  struct change {
    index at = -1;
    T value = T(0);
  };

  void look_up(simd::tile const& rows) {
    first_row_ = rows.first_row;
    for (index r = 0; r < rows.rows; ++r) {
      index const row = rows.first_row + r;
      changes_[r][0] = changes_[r][1] = {};
      if (labels_[row] == ignore_label_) continue;
      auto const label = static_cast<index>(labels_[row]);
      index const choice = first_maximum<T>(matrix_, row).at;
      if (choice < 0 || choice == label) continue;
      changes_[r][0] = {label, detail::widen<T>(matrix_(row, choice))};
      changes_[r][1] = {choice, detail::widen<T>(matrix_(row, label))};
    }
  }

  DISTIL_INLINE void copy(simd::strip<T> stored, simd::block const& columns) {
    for (index k = 0; k < columns.steps; ++k) {
      stored.from(k, k == columns.whole)[0].store(scratch_ + k * lanes<T>::size);
    }
  }

  detail::row_view<Storage const> matrix_;
  label_view labels_;
  std::int64_t ignore_label_;
  teacher_reader<T, Form> reader_;
  index first_row_ = -1;
  change changes_[static_cast<std::size_t>(lanes<T>::size)][2];
  alignas(64) T scratch_[simd::block_elements];
};

}  // namespace kernels

/// Forward KL to a teacher with swapped classes as a term of a sum.
template <class Storage, teacher_form Form>
struct swapped_kl_term : divergence_term<forward_kl_function, Storage, Form> {
  using base = divergence_term<forward_kl_function, Storage, Form>;

  template <class T>
  struct kernel : kernels::expectation_kernel<T, forward_kl_function, kernels::teacher_reader<T, Form>> {
    using operands = kernels::swapped_operands<T, Storage, Form>;
    using kernels::expectation_kernel<T, forward_kl_function,
                                      kernels::teacher_reader<T, Form>>::expectation_kernel;
  };

  label_view labels;

  swapped_kl_term(dense_teacher<Storage, Form> const& the_teacher, label_view the_labels,
                  swapped_kl_options const& options)
      : base({}, the_teacher, options), labels(the_labels) {
    this->labels_of_loss = the_labels;
  }

  void check(char const* where, index row_count, index columns) const {
    this->check_teacher(where, row_count, columns);
    detail::require_size(where, "labels", labels.size(), row_count);
    base::check(where, row_count, columns);
  }

  void inspect(char const* where, index row_count, index columns) const {
    base::inspect(where, row_count, columns);
    detail::require_labels(where, labels, this->rows.ignore_label, columns);
  }
};

struct swapped_kl_definition {
  static constexpr char const* name = "swapped_kl";
  static constexpr error_bound bound = forward_kl_function::bound;
  using options = swapped_kl_options;

  template <class Storage, teacher_form Form>
  static auto make_term(dense_teacher<Storage, Form> const& teacher, label_view labels,
                        options const& chosen) {
    return swapped_kl_term<Storage, Form>(teacher, labels, chosen);
  }
};

/// Forward KL to a teacher whose first choice has changed places with the label: its mistakes are corrected, and its
/// confidence stays. The teacher's own matrix is not touched. @alias probability shift, KA, knowledge adjustment
///
/// @formula   L = T^2 KL(p' || q), the mean over rows, with p' = softmax(t' / T), t' = t but t'_y = max t and t'_argmax =
///            t_y, q = softmax(z / T) [nats]. Never negative. With a teacher's temperature of its own, p' at that, times
///            the product of both
/// @param     student  [rows, classes] logits, finite or -inf (class masked: probability 0, gradient 0)
/// @param     teacher  [rows, classes] logits, or `log_probabilities(matrix)`, or `probabilities(matrix)`
/// @param     labels   one per row, 32 or 64 bits; a row with `rows.ignore_label` counts for nothing
/// @param     gradient [rows, classes] dL/dz, overwritten or added; may be the student itself, never the teacher
/// @gradient  T (q - p'), the teacher's temperature in the place of T where it has its own
/// @throws    std::invalid_argument when a shape, option, weight or label is refused; nothing is written then
/// @error     `bound`
/// @nan       a NaN or +inf logit makes the loss and gradient of its row NaN (masked classes may get 0), no other's
/// @cost      that of `forward_kl`, and a look at each teacher's row before it
/// @source    Wen et al. 2019, arXiv:1911.07471. TextBrewer's probability_shift writes into the teacher's logits; of several
///            largest classes the first one is the choice, and a label among the others is swapped for it
/// @example   distil::swapped_kl.with_grad(student, teacher, labels, gradient, {.temperature = 4.0F})
inline constexpr labelled_loss<swapped_kl_definition> swapped_kl{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
