#pragma once

#include <iterator>
#include <memory>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "any_batch.hpp"
#include "cases/case.hpp"
#include "distil/core/execution.hpp"

/// The case of a row-wise loss behind virtual functions, so that what tests it is compiled once. A setting goes as its
/// base; each case knows its own.
namespace distil::testing {

/// What the suites ask of a case besides its numbers.
struct row_traits {
  char const* name;
  error_bound bound;
  bool has_teacher, has_labels, has_temperature_gradient, is_map;
  bool call_allocates, moves_with_a_constant;
  bool counts_without_teacher;  ///< a row whose teacher is masked keeps what its label says
  bool infinities_are_logits;   ///< nothing is masked
};

class row_case {
 public:
  row_traits const traits;

  explicit row_case(row_traits const& of) : traits(of) {}
  row_case(row_case const&) = delete;
  row_case& operator=(row_case const&) = delete;
  virtual ~row_case() = default;

  [[nodiscard]] virtual std::vector<std::shared_ptr<setting>> settings() const = 0;

  /// The reference.
  [[nodiscard]] virtual truth of(exact_row const& z, exact_row const& t, std::int64_t label,
                                 setting const& s) const = 0;
  /// The value at `moved` whose gradient at z the loss gives: parts of it may be constants, as they are at z.
  [[nodiscard]] virtual long double moved_value(exact_row const& z, exact_row const& moved,
                                                exact_row const& t, std::int64_t label,
                                                setting const& s) const = 0;

  /// The calls, for the element types that the case is compiled for.
  [[nodiscard]] virtual bool takes(element_types const& types) const = 0;
  virtual loss_value value(detail::any_policy policy, any_batch const& b, setting const& s,
                           row_options const& rows, std::span<double> slope = {}) const = 0;
  virtual loss_value with_grad(detail::any_policy policy, any_batch const& b, some_matrix& gradient,
                               setting const& s, row_options const& rows, bool accumulate = false,
                               std::span<double> slope = {}) const = 0;

  /// On the calling thread.
  loss_value value(any_batch const& b, setting const& s, row_options const& rows,
                   std::span<double> slope = {}) const {
    return value(detail::any_policy(serial), b, s, rows, slope);
  }
  loss_value with_grad(any_batch const& b, setting const& s, row_options const& rows, bool accumulate = false,
                       std::span<double> slope = {}) const {
    return with_grad(detail::any_policy(serial), b, b.gradient, s, rows, accumulate, slope);
  }
};

template <class Case>
concept says_call_allocates = requires {
  Case::call_allocates;
};
template <class Case>
concept says_moves_with_a_constant = requires {
  Case::moves_with_a_constant;
};
template <class Case>
concept says_counts_without_teacher = requires {
  Case::counts_without_teacher;
};

template <class Case>
concept says_infinities_are_logits = requires {
  Case::infinities_are_logits;
};

/// Everything of a case but its calls.
template <class Case>
class described_case : public row_case {
 public:
  using own_setting = typename decltype(Case::settings())::value_type;

  described_case()
      : row_case({.name = Case::name,
                  .bound = Case::bound,
                  .has_teacher = Case::has_teacher,
                  .has_labels = Case::has_labels,
                  .has_temperature_gradient = Case::has_temperature_gradient,
                  .is_map = Case::is_map,
                  .call_allocates = says_call_allocates<Case>,
                  .moves_with_a_constant = says_moves_with_a_constant<Case>,
                  .counts_without_teacher = says_counts_without_teacher<Case>,
                  .infinities_are_logits = says_infinities_are_logits<Case>}) {}

  [[nodiscard]] std::vector<std::shared_ptr<setting>> settings() const override {
    std::vector<std::shared_ptr<setting>> result;
    for (own_setting const& s : Case::settings()) result.push_back(std::make_shared<own_setting>(s));
    return result;
  }
  [[nodiscard]] truth of(exact_row const& z, exact_row const& t, std::int64_t label,
                         setting const& s) const override {
    return Case::of(z, t, label, own(s));
  }
  [[nodiscard]] long double moved_value(exact_row const& z, exact_row const& moved, exact_row const& t,
                                        std::int64_t label, setting const& s) const override {
    if constexpr (requires { Case::value_with_constants_of(z, moved, t, label, own(s)); }) {
      return Case::value_with_constants_of(z, moved, t, label, own(s));
    } else {
      return Case::of(moved, t, label, own(s)).value;
    }
  }

 protected:
  static own_setting const& own(setting const& s) { return static_cast<own_setting const&>(s); }
};

/// A matrix of any layout, for the calls of a case.
template <class T>
struct typed_matrix {
  owned_matrix<T> const& owned;
  [[nodiscard]] detail::row_view<T const> view() const { return owned.pixels(); }
  [[nodiscard]] double at(index row, index column) const { return owned.at(row, column); }
  template <class Scalar = double>
  [[nodiscard]] std::vector<Scalar> row(index r) const {
    return owned.template row<Scalar>(r);
  }
};

/// A batch with its element types, for the calls of a case.
template <class Student, class Teacher>
struct typed_batch {
  index rows, columns;
  typed_matrix<Student> student;
  typed_matrix<Teacher> teacher;
  std::vector<std::int32_t> const& labels;

  explicit typed_batch(any_batch const& b)
      : rows(b.rows),
        columns(b.columns),
        student{static_cast<owned_matrix<Student> const&>(b.student)},
        teacher{static_cast<owned_matrix<Teacher> const&>(b.teacher)},
        labels(b.labels) {}
};

/// A case with its calls in the `Mixes` of element types. The value form is there where student and gradient are of one
/// type: for the others it would only be compiled once more.
template <class Case, class... Mixes>
class case_of final : public described_case<Case> {
 public:
  using row_case::value;
  using row_case::with_grad;

  [[nodiscard]] bool takes(element_types const& types) const override {
    return ((types == Mixes::types) || ...);
  }
  loss_value value(detail::any_policy policy, any_batch const& b, setting const& s, row_options const& rows,
                   std::span<double> slope) const override {
    loss_value result;
    if (!(try_value(Mixes(), result, policy, b, s, rows, slope) || ...)) not_compiled();
    return result;
  }
  loss_value with_grad(detail::any_policy policy, any_batch const& b, some_matrix& gradient, setting const& s,
                       row_options const& rows, bool accumulate, std::span<double> slope) const override {
    loss_value result;
    if (!(try_gradient(Mixes(), result, policy, b, gradient, s, rows, accumulate, slope) || ...))
      not_compiled();
    return result;
  }

 private:
  static void not_compiled() { throw std::logic_error("a case is called with other types than it says"); }

  template <class S, class Te, class G>
  static bool try_value(mix<S, Te, G>, loss_value& result, detail::any_policy policy, any_batch const& b,
                        setting const& s, row_options const& rows, [[maybe_unused]] std::span<double> slope) {
    if constexpr (std::is_same_v<S, G>) {
      if (b.student.type() != element_of<S> || b.teacher.type() != element_of<Te>) return false;
      typed_batch<S, Te> const typed(b);
      if constexpr (Case::has_temperature_gradient) {
        result = Case::value(policy, typed, described_case<Case>::own(s), rows, slope);
      } else {
        result = Case::value(policy, typed, described_case<Case>::own(s), rows);
      }
      return true;
    }
    return false;
  }
  template <class S, class Te, class G>
  static bool try_gradient(mix<S, Te, G>, loss_value& result, detail::any_policy policy, any_batch const& b,
                           some_matrix& gradient, setting const& s, row_options const& rows, bool accumulate,
                           [[maybe_unused]] std::span<double> slope) {
    if (element_types{b.student.type(), b.teacher.type(), gradient.type()} != mix<S, Te, G>::types)
      return false;
    typed_batch<S, Te> const typed(b);
    detail::row_view<G> const to = static_cast<owned_matrix<G>&>(gradient).pixels();
    if constexpr (Case::has_temperature_gradient) {
      result = Case::with_grad(policy, typed, to, described_case<Case>::own(s), rows, accumulate, slope);
    } else {
      result = Case::with_grad(policy, typed, to, described_case<Case>::own(s), rows, accumulate);
    }
    return true;
  }
};

}  // namespace distil::testing
