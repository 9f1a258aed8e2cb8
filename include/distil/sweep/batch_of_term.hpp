#pragma once

#include "distil/sweep/weighed_batch.hpp"

namespace distil::inline DISTIL_ARCH_NAMESPACE::simd {

/// A copy of a term, which may take memory for itself while it is evaluated, with room for its sums.
template <class Term>
struct evaluated_term {
  Term const term_;
  terms_and_sums<1> of_batch_;

  explicit evaluated_term(Term const& term) : term_(term), of_batch_{{weighed_term::of(term_)}} {}
  evaluated_term(evaluated_term const&) = delete;
  evaluated_term& operator=(evaluated_term const&) = delete;
};

/// A batch with one term, which does not run in the sweeps of others. `Gradient` is a view, or `no_gradient`.
template <class T, class Gradient, class Term>
class batch_of_term : evaluated_term<Term>, public weighed_batch<T> {
  using term_of_batch = evaluated_term<Term>;

 public:
  template <class Student>
  batch_of_term(char const* where, detail::row_view<Student const> const& student, Gradient const& gradient,
                objective_options const& options, Term const& term)
      : term_of_batch(term),
        weighed_batch<T>(where, source_matrix<T>(student), target_matrix<T>(gradient), options,
                         term_of_batch::of_batch_.terms, term_of_batch::of_batch_.sums),
        output_(gradient) {}

 protected:
  static constexpr bool with_gradient = !std::is_same_v<Gradient, no_gradient>;
  using term_of_batch::term_;
  Gradient output_;
};

}  // namespace distil::inline DISTIL_ARCH_NAMESPACE::simd
