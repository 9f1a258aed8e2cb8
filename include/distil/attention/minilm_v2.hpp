#pragma once

#include "distil/attention/tokens/token_relation.hpp"
#include "distil/core/execution.hpp"
#include "distil/core/loss_weight.hpp"
#include "distil/core/map_shapes.hpp"
#include "distil/core/number_checks.hpp"
#include "distil/core/objective.hpp"

namespace distil {

/// Hidden states of one layer's self-attention, or the gradients by them.
template <class Queries, class Keys = Queries, class Values = Queries>
struct attention_states {
  Queries queries;
  Keys keys;
  Values values;
};
template <class Queries, class Keys, class Values>
attention_states(Queries, Keys, Values) -> attention_states<Queries, Keys, Values>;

struct minilm_v2_options {
  /// Of the relations of queries, of keys, and of values; finite and >= 0. Default 1/3 each, as the paper.
  std::array<double, 3> weights = {1.0 / 3, 1.0 / 3, 1.0 / 3};

  /// Of all three relations; its `weight` is that of the sum. Derivatives by temperature are those of `self_relation`: none here.
  relation_options relation = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `minilm_v2`.
struct minilm_v2_loss {
  using options_type = minilm_v2_options;
  static constexpr char const* name = "minilm_v2";
  static constexpr error_bound bound{.value = 8, .gradient = 16};

  template <class... S, class... Te>
  [[nodiscard]] objective_value<3> operator()(attention_states<S...> const& student,
                                              attention_states<Te...> const& teacher,
                                              minilm_v2_options const& options = {}) const {
    return (*this)(serial, student, teacher, options);
  }

  template <execution_policy Policy, class... S, class... Te>
  [[nodiscard]] objective_value<3> operator()(Policy policy, attention_states<S...> const& student,
                                              attention_states<Te...> const& teacher,
                                              minilm_v2_options const& options = {}) const {
    check(student, teacher, options);
    auto const of = [&](auto const& own, auto const& other, double weight) {
      return relation(policy, operands_of(own, other), options, weight);
    };
    return joined(of(student.queries, teacher.queries, options.weights[0]),
                  of(student.keys, teacher.keys, options.weights[1]),
                  of(student.values, teacher.values, options.weights[2]), options);
  }

  template <class... S, class... Te, class... G>
  objective_value<3> with_grad(attention_states<S...> const& student, attention_states<Te...> const& teacher,
                               attention_states<G...> const& gradient,
                               minilm_v2_options const& options = {}) const {
    return with_grad(serial, student, teacher, gradient, options);
  }

  template <execution_policy Policy, class... S, class... Te, class... G>
  objective_value<3> with_grad(Policy policy, attention_states<S...> const& student,
                               attention_states<Te...> const& teacher, attention_states<G...> const& gradient,
                               minilm_v2_options const& options = {}) const {
    check(student, teacher, options);
    check_gradient(gradient.queries, student.queries, student.keys, student.values, teacher);
    check_gradient(gradient.keys, student.keys, student.queries, student.values, teacher);
    check_gradient(gradient.values, student.values, student.queries, student.keys, teacher);
    require_apart(gradient.queries, gradient.keys, "of two kinds in one place");
    require_apart(gradient.queries, gradient.values, "of two kinds in one place");
    require_apart(gradient.keys, gradient.values, "of two kinds in one place");
    auto const of = [&](auto const& own, auto const& other, auto const& to, double weight) {
      auto operands = operands_of(own, other);
      auto const output = detail::output_map(to);
      bool const apart = detail::overlap_of(output, detail::input_map(own)) == detail::overlap::none;
      operands.gradient_x = {output, options.relation.accumulate, apart, options.relation.weight};
      return relation(policy, operands, options, weight);
    };
    loss_value const of_queries = of(student.queries, teacher.queries, gradient.queries, options.weights[0]);
    loss_value const of_keys = of(student.keys, teacher.keys, gradient.keys, options.weights[1]);
    loss_value const of_values = of(student.values, teacher.values, gradient.values, options.weights[2]);
    return joined(of_queries, of_keys, of_values, options);
  }

 private:
  template <class Student, class Teacher>
  static void check(Student const& student, Teacher const& teacher, minilm_v2_options const& options) {
    using of_student = std::remove_const_t<typename decltype(detail::input_map(student.queries))::element>;
    using of_teacher = std::remove_const_t<typename decltype(detail::input_map(teacher.queries))::element>;
    using T = std::common_type_t<arithmetic_t<of_student>, arithmetic_t<of_teacher>>;
    detail::require_loss_weight(name, options.relation.weight, detail::computing_type::of<T>());
    for (double const weight : options.weights)
      detail::require_factor(name, "weights", weight, detail::computing_type::of<T>());
    detail::require(options.relation.temperature_gradient.empty(), name, "temperature_gradient", "wanted",
                    "left to self_relation");
    auto const queries = detail::input_map(student.queries);
    auto const one = [&](auto const& own, auto const& other) {
      auto const s = detail::input_map(own), t = detail::input_map(other);
      detail::require_map(name, "student", s);
      detail::require_map(name, "teacher", t);
      detail::require_same_axes(name, "student", s.shape(), queries.shape(), {true, false, true, true});
      detail::require_same_axes(name, "teacher", t.shape(), s.shape(), {true, false, true, true});
      kernels::check_relation(name, s.channels, t.channels, options.relation);
    };
    one(student.queries, teacher.queries);
    one(student.keys, teacher.keys);
    one(student.values, teacher.values);
  }

  /// Over its own states or apart from them, and apart from all others.
  template <class Gradient, class Own, class Other, class Third, class Teacher>
  static void check_gradient(Gradient const& gradient, Own const& own, Other const& other, Third const& third,
                             Teacher const& teacher) {
    detail::require_gradient(name, detail::output_map(gradient), detail::input_map(own),
                             detail::input_map(teacher.queries));
    require_apart(gradient, teacher.keys, "overlapping the teacher");
    require_apart(gradient, teacher.values, "overlapping the teacher");
    require_apart(gradient, other, "overlapping other states of the student");
    require_apart(gradient, third, "overlapping other states of the student");
  }

  template <class Gradient, class Map>
  static void require_apart(Gradient const& gradient, Map const& map, char const* was) {
    detail::require(!kernels::share_elements(detail::output_map(gradient), detail::input_map(map)), name,
                    "gradient", was, "the states it belongs to, or apart from all");
  }

  template <class Student, class Teacher>
  static auto operands_of(Student const& student, Teacher const& teacher) {
    auto const s = detail::input_map(student);
    auto const t = detail::input_map(teacher);
    using T = std::common_type_t<arithmetic_t<std::remove_const_t<typename decltype(s)::element>>,
                                 arithmetic_t<std::remove_const_t<typename decltype(t)::element>>>;
    kernels::relation_operands<T> operands;
    operands.student_x = kernels::map_source<T>(s);
    operands.teacher_x = kernels::map_source<T>(t);
    return operands;
  }

  template <class Policy, class T>
  static loss_value relation(Policy policy, kernels::relation_operands<T> const& operands,
                             minilm_v2_options const& options, double weight) {
    if (options.relation.weight == 0.0) {
      operands.gradient_x.clear();
      return {};
    }
    return kernels::token_relation<T>(name, operands, options.relation, weight)
        .evaluate(detail::any_policy(policy));
  }

  static objective_value<3> joined(loss_value const& queries, loss_value const& keys,
                                   loss_value const& values, minilm_v2_options const& options) {
    objective_value<3> result{{0.0, queries.weight}, {queries, keys, values}};
    for (std::size_t kind = 0; kind < 3; ++kind) {
      if (options.weights[kind] > 0.0) result.value += options.weights[kind] * result.terms[kind].value;
    }
    result.multiply(options.relation.weight);
    return result;
  }
};

/// Tokens of one layer are related to each other as those of one of the teacher's layers: by their queries, keys and values.
/// @alias MiniLMv2, multi-head self-attention relation distillation
///
/// @formula   L = w_q L_queries + w_k L_keys + w_v L_values, each as `self_relation`; `terms` has their values
/// @param     student  hidden states of queries, keys and values, a `token_map` each
/// @param     teacher  the same of a layer of the teacher, with features of its own number
/// @param     gradient of the student's shapes, overwritten or added; each may be the states it belongs to
/// @gradient  w times that of `self_relation`, for each
/// @throws    std::invalid_argument when a shape, option, mask or weight is refused; nothing is written then
/// @error     as `self_relation`
/// @nan       as `self_relation`
/// @cost      three times `self_relation`
/// @source    Wang et al. 2021, MiniLMv2, equation 8: the student's last layer, and an upper middle one of large
///            teachers (21 of 24); 12 relation heads, 48 with 1024 features
/// @example   distil::minilm_v2.with_grad(distil::attention_states{queries, keys, values}, teacher_states, gradients,
///                                        {.relation = {.heads = 12, .tokens = {.lengths = lengths}}}).terms[2].value
inline constexpr minilm_v2_loss minilm_v2{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
