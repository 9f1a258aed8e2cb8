#pragma once

#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "any_pair.hpp"
#include "distil/core/execution.hpp"
#include "distil/core/loss_value.hpp"

/// The case of a loss between a student's and a teacher's features behind virtual functions, so that what tests it is
/// compiled once.
namespace distil::testing {

/// A setting of a case, which alone knows its type.
struct any_setting {
  std::string label;
  std::shared_ptr<void const> own;
};

class feature_case {
 public:
  char const* const name;
  error_bound const bound;
  bool const samples_are_pairs;  ///< the teacher's are the student's; else it may have any number of its own

  feature_case(char const* its_name, error_bound const& its_bound, bool pairs)
      : name(its_name), bound(its_bound), samples_are_pairs(pairs) {}
  feature_case(feature_case const&) = delete;
  feature_case& operator=(feature_case const&) = delete;
  virtual ~feature_case() = default;

  [[nodiscard]] virtual std::vector<any_setting> settings() const = 0;
  /// A setting with another weight of the whole loss; none, `own` being null, of a loss without that option.
  [[nodiscard]] virtual any_setting with_weight(any_setting const& s, double weight) const = 0;
  /// A setting with a place for the values of samples; likewise.
  [[nodiscard]] virtual any_setting with_values(any_setting const& s, std::span<double> values) const = 0;
  /// The layers of a network that its map holds, one behind the other: 1, or 2 of losses between layers.
  [[nodiscard]] virtual index layers() const = 0;
  [[nodiscard]] virtual std::vector<pair_shape> shapes() const = 0;
  [[nodiscard]] virtual std::vector<pair_shape> large_shapes() const = 0;

  /// The reference.
  [[nodiscard]] virtual long double of(exact_map const& student, exact_map const& teacher,
                                       any_setting const& s) const = 0;
  [[nodiscard]] virtual pair_scales scales(exact_map const& student, exact_map const& teacher,
                                           any_setting const& s) const = 0;

  /// The calls, for the element types that the case is compiled for.
  [[nodiscard]] virtual bool takes(element_types const& types) const = 0;
  virtual loss_value value(detail::any_policy policy, any_pair const& b, any_setting const& s) const = 0;
  virtual loss_value with_grad(detail::any_policy policy, any_pair const& b, some_map& gradient,
                               any_setting const& s, bool accumulate = false) const = 0;

  /// On the calling thread.
  loss_value value(any_pair const& b, any_setting const& s) const {
    return value(detail::any_policy(serial), b, s);
  }
  loss_value with_grad(any_pair const& b, any_setting const& s, bool accumulate = false) const {
    return with_grad(detail::any_policy(serial), b, b.gradient, s, accumulate);
  }
};

template <class Case>
concept says_samples_are_no_pairs = requires {
  Case::samples_are_no_pairs;
};

/// Everything of a case but its calls.
template <class Case>
class described_feature_case : public feature_case {
 public:
  using own_setting = typename decltype(Case::settings())::value_type;

  described_feature_case() : feature_case(Case::name, Case::bound, !says_samples_are_no_pairs<Case>) {}

  static any_setting setting_of(own_setting const& s) { return {s.label, std::make_shared<own_setting>(s)}; }

  [[nodiscard]] std::vector<any_setting> settings() const override {
    std::vector<any_setting> result;
    for (own_setting const& s : Case::settings()) result.push_back(setting_of(s));
    return result;
  }
  [[nodiscard]] any_setting with_weight(any_setting const& s, double weight) const override {
    own_setting result = own(s);
    if constexpr (requires { result.options.weight; }) {
      result.options.weight = weight;
      return setting_of(result);
    } else {
      return {s.label, nullptr};
    }
  }
  [[nodiscard]] any_setting with_values(any_setting const& s, std::span<double> values) const override {
    own_setting result = own(s);
    if constexpr (requires { result.options.values.data(); }) {
      result.options.values = values;
      return setting_of(result);
    } else {
      return {s.label, nullptr};
    }
  }
  [[nodiscard]] index layers() const override { return Case::layers_of_a_map; }
  [[nodiscard]] std::vector<pair_shape> shapes() const override { return Case::shapes(); }
  [[nodiscard]] std::vector<pair_shape> large_shapes() const override { return Case::large_shapes(); }
  [[nodiscard]] long double of(exact_map const& student, exact_map const& teacher,
                               any_setting const& s) const override {
    return Case::of(student, teacher, own(s));
  }
  [[nodiscard]] pair_scales scales(exact_map const& student, exact_map const& teacher,
                                   any_setting const& s) const override {
    return scales_of<Case>(student, teacher, own(s));
  }

 protected:
  static own_setting const& own(any_setting const& s) {
    return *static_cast<own_setting const*>(s.own.get());
  }
};

/// Two maps with their element types, for the calls of a case.
template <class Student, class Teacher>
struct typed_pair {
  owned_map<Student> const& student;
  owned_map<Teacher> const& teacher;
};

/// A case with its calls in the `Mixes` of element types; the value form where student and gradient are of one type.
template <class Case, class... Mixes>
class feature_case_of final : public described_feature_case<Case> {
 public:
  using feature_case::value;
  using feature_case::with_grad;

  [[nodiscard]] bool takes(element_types const& types) const override {
    return ((types == Mixes::types) || ...);
  }
  loss_value value(detail::any_policy policy, any_pair const& b, any_setting const& s) const override {
    loss_value result;
    if (!(try_value(Mixes(), result, policy, b, s) || ...)) not_compiled();
    return result;
  }
  loss_value with_grad(detail::any_policy policy, any_pair const& b, some_map& gradient, any_setting const& s,
                       bool accumulate) const override {
    loss_value result;
    if (!(try_gradient(Mixes(), result, policy, b, gradient, s, accumulate) || ...)) not_compiled();
    return result;
  }

 private:
  static void not_compiled() { throw std::logic_error("a case is called with other types than it says"); }

  template <class S, class Te>
  static typed_pair<S, Te> typed(any_pair const& b) {
    return {static_cast<owned_map<S> const&>(b.student), static_cast<owned_map<Te> const&>(b.teacher)};
  }

  template <class S, class Te, class G>
  static bool try_value(mix<S, Te, G>, loss_value& result, detail::any_policy policy, any_pair const& b,
                        any_setting const& s) {
    if constexpr (std::is_same_v<S, G>) {
      if (b.student.type() != element_of<S> || b.teacher.type() != element_of<Te>) return false;
      result = Case::value(policy, typed<S, Te>(b), described_feature_case<Case>::own(s));
      return true;
    }
    return false;
  }
  template <class S, class Te, class G>
  static bool try_gradient(mix<S, Te, G>, loss_value& result, detail::any_policy policy, any_pair const& b,
                           some_map& gradient, any_setting const& s, bool accumulate) {
    if (element_types{b.student.type(), b.teacher.type(), gradient.type()} != mix<S, Te, G>::types)
      return false;
    result = Case::with_grad(policy, typed<S, Te>(b), static_cast<owned_map<G>&>(gradient),
                             described_feature_case<Case>::own(s), accumulate);
    return true;
  }
};

}  // namespace distil::testing
