#pragma once

#include <limits>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "distil/response/coupled/batch.hpp"
#include "row_case.hpp"

/// The case of a loss that couples the rows of a batch behind virtual functions, so that what tests it is compiled once.
namespace distil::testing {

using exact_matrix = std::vector<exact_row>;

/// What the reference says of a batch, and the sizes its error bounds are relative to.
struct coupled_truth {
  long double value = 0;
  exact_matrix gradient = {};
  double value_scale = 1;
  std::vector<double> gradient_scale = {};  ///< of each row
};

struct batch_traits {
  char const* name;
  error_bound bound;
  bool call_allocates;
  index most_columns;  ///< losses of pairs of classes take no large vocabularies
};

class batch_case {
 public:
  batch_traits const traits;

  explicit batch_case(batch_traits const& of) : traits(of) {}
  batch_case(batch_case const&) = delete;
  batch_case& operator=(batch_case const&) = delete;
  virtual ~batch_case() = default;

  [[nodiscard]] virtual std::vector<std::shared_ptr<setting>> settings() const = 0;

  /// The reference; weights are 0 for rows that do not count.
  [[nodiscard]] virtual coupled_truth of(exact_matrix const& students, exact_matrix const& teachers,
                                         std::vector<long double> const& weights, setting const& s) const = 0;
  /// The value at `moved` whose gradient at `students` the loss gives: parts of it may be constants, as they are there.
  [[nodiscard]] virtual long double moved_value(exact_matrix const& moved, exact_matrix const& students,
                                                exact_matrix const& teachers,
                                                std::vector<long double> const& weights,
                                                setting const& s) const = 0;

  /// The calls, for the element types that the case is compiled for.
  [[nodiscard]] virtual bool takes(element_types const& types) const = 0;
  virtual loss_value value(detail::any_policy policy, any_batch const& b, setting const& s,
                           coupled_rows const& rows) const = 0;
  virtual loss_value with_grad(detail::any_policy policy, any_batch const& b, some_matrix& gradient,
                               setting const& s, coupled_rows const& rows, bool accumulate = false) const = 0;

  /// On the calling thread.
  loss_value value(any_batch const& b, setting const& s, coupled_rows const& rows) const {
    return value(detail::any_policy(serial), b, s, rows);
  }
  loss_value with_grad(any_batch const& b, setting const& s, coupled_rows const& rows,
                       bool accumulate = false) const {
    return with_grad(detail::any_policy(serial), b, b.gradient, s, rows, accumulate);
  }
};

/// `Case` has
///
///   name, bound, settings()
///   value(policy, batch, setting, rows), with_grad(policy, batch, gradient, setting, rows, accumulate)
///   of(students, teachers, weights, setting)     a coupled_truth
///   value_at(moved, students, teachers, weights, setting)   if part of it is a constant for the gradient
///
/// and is called in the `Mixes` of element types.
template <class Case, class... Mixes>
class batch_case_of final : public batch_case {
 public:
  using own_setting = typename decltype(Case::settings())::value_type;
  using batch_case::value;
  using batch_case::with_grad;

  batch_case_of()
      : batch_case({.name = Case::name,
                    .bound = Case::bound,
                    .call_allocates = says_call_allocates<Case>,
                    .most_columns = most_columns()}) {}

  [[nodiscard]] std::vector<std::shared_ptr<setting>> settings() const override {
    std::vector<std::shared_ptr<setting>> result;
    for (own_setting const& s : Case::settings()) result.push_back(std::make_shared<own_setting>(s));
    return result;
  }
  [[nodiscard]] coupled_truth of(exact_matrix const& students, exact_matrix const& teachers,
                                 std::vector<long double> const& weights, setting const& s) const override {
    return Case::of(students, teachers, weights, own(s));
  }
  [[nodiscard]] long double moved_value(exact_matrix const& moved, exact_matrix const& students,
                                        exact_matrix const& teachers, std::vector<long double> const& weights,
                                        setting const& s) const override {
    if constexpr (requires { Case::value_at(moved, students, teachers, weights, own(s)); }) {
      return Case::value_at(moved, students, teachers, weights, own(s));
    } else {
      return Case::of(moved, teachers, weights, own(s)).value;
    }
  }

  [[nodiscard]] bool takes(element_types const& types) const override {
    return ((types == Mixes::types) || ...);
  }
  loss_value value(detail::any_policy policy, any_batch const& b, setting const& s,
                   coupled_rows const& rows) const override {
    loss_value result;
    if (!(try_value(Mixes(), result, policy, b, s, rows) || ...)) not_compiled();
    return result;
  }
  loss_value with_grad(detail::any_policy policy, any_batch const& b, some_matrix& gradient, setting const& s,
                       coupled_rows const& rows, bool accumulate) const override {
    loss_value result;
    if (!(try_gradient(Mixes(), result, policy, b, gradient, s, rows, accumulate) || ...)) not_compiled();
    return result;
  }

 private:
  static own_setting const& own(setting const& s) { return static_cast<own_setting const&>(s); }
  static void not_compiled() { throw std::logic_error("a case is called with other types than it says"); }
  static constexpr index most_columns() {
    if constexpr (requires { Case::most_columns; }) return Case::most_columns;
    return std::numeric_limits<index>::max();
  }

  template <class S, class Te, class G>
  static bool try_value(mix<S, Te, G>, loss_value& result, detail::any_policy policy, any_batch const& b,
                        setting const& s, coupled_rows const& rows) {
    if (b.student.type() != element_of<S> || b.teacher.type() != element_of<Te>) return false;
    result = Case::value(policy, typed_batch<S, Te>(b), own(s), rows);
    return true;
  }
  template <class S, class Te, class G>
  static bool try_gradient(mix<S, Te, G>, loss_value& result, detail::any_policy policy, any_batch const& b,
                           some_matrix& gradient, setting const& s, coupled_rows const& rows,
                           bool accumulate) {
    if (element_types{b.student.type(), b.teacher.type(), gradient.type()} != mix<S, Te, G>::types)
      return false;
    result = Case::with_grad(policy, typed_batch<S, Te>(b), static_cast<owned_matrix<G>&>(gradient).pixels(),
                             own(s), rows, accumulate);
    return true;
  }
};

}  // namespace distil::testing
