#pragma once

#include "distil/attention/tokens/token_relation.hpp"
#include "distil/core/execution.hpp"
#include "distil/core/loss_weight.hpp"
#include "distil/core/map_shapes.hpp"

namespace distil {

/// Hidden states between which a relation is: those that ask, and those that are asked.
template <class Queries, class Keys = Queries>
struct related_states {
  Queries queries;
  Keys keys;
};
template <class Queries, class Keys>
related_states(Queries, Keys) -> related_states<Queries, Keys>;

inline namespace DISTIL_ARCH_NAMESPACE {

/// See `cross_relation`.
struct cross_relation_loss {
  using options_type = relation_options;
  static constexpr char const* name = "cross_relation";
  static constexpr error_bound bound{.value = 8, .gradient = 16, .temperature_gradient = 1};

  template <class Sq, class Sk, class Tq, class Tk>
  [[nodiscard]] loss_value operator()(related_states<Sq, Sk> const& student,
                                      related_states<Tq, Tk> const& teacher,
                                      relation_options const& options = {}) const {
    return (*this)(serial, student, teacher, options);
  }

  template <execution_policy Policy, class Sq, class Sk, class Tq, class Tk>
  [[nodiscard]] loss_value operator()(Policy policy, related_states<Sq, Sk> const& student,
                                      related_states<Tq, Tk> const& teacher,
                                      relation_options const& options = {}) const {
    return run(policy, operands_of(student, teacher, options), options);
  }

  template <class Sq, class Sk, class Tq, class Tk, class Gq, class Gk>
  loss_value with_grad(related_states<Sq, Sk> const& student, related_states<Tq, Tk> const& teacher,
                       related_states<Gq, Gk> const& gradient, relation_options const& options = {}) const {
    return with_grad(serial, student, teacher, gradient, options);
  }

  template <execution_policy Policy, class Sq, class Sk, class Tq, class Tk, class Gq, class Gk>
  loss_value with_grad(Policy policy, related_states<Sq, Sk> const& student,
                       related_states<Tq, Tk> const& teacher, related_states<Gq, Gk> const& gradient,
                       relation_options const& options = {}) const {
    auto operands = operands_of(student, teacher, options);
    auto const x = detail::output_map(gradient.queries), y = detail::output_map(gradient.keys);
    auto const of_x = detail::input_map(student.queries), of_y = detail::input_map(student.keys);
    require_gradients(x, of_x, y, of_y, teacher);
    operands.gradient_x = {x, options.accumulate, detail::overlap_of(x, of_x) == detail::overlap::none,
                           options.weight};
    operands.gradient_y = {y, options.accumulate, detail::overlap_of(y, of_y) == detail::overlap::none,
                           options.weight};
    return run(policy, operands, options);
  }

 private:
  /// Each over its own states or apart, and apart from all else.
  template <class Gx, class X, class Gy, class Y, class Teacher>
  static void require_gradients(Gx const& gradient_x, X const& x, Gy const& gradient_y, Y const& y,
                                Teacher const& teacher) {
    auto const teacher_x = detail::input_map(teacher.queries), teacher_y = detail::input_map(teacher.keys);
    detail::require_gradient(name, gradient_x, x, teacher_x);
    detail::require_gradient(name, gradient_y, y, teacher_y);
    auto const apart = [](auto const& one, auto const& other, char const* was) {
      detail::require(!kernels::share_elements(one, other), name, "gradient", was,
                      "the states it belongs to, or apart from all");
    };
    apart(gradient_x, teacher_y, "overlapping the teacher");
    apart(gradient_y, teacher_x, "overlapping the teacher");
    apart(gradient_x, y, "that of the queries, overlapping the student's keys");
    apart(gradient_y, x, "that of the keys, overlapping the student's queries");
    apart(gradient_x, gradient_y, "of queries and keys in one place");
  }

  template <class Student, class Teacher>
  static auto operands_of(Student const& student, Teacher const& teacher, relation_options const& options) {
    auto const x = detail::input_map(student.queries), y = detail::input_map(student.keys);
    auto const teacher_x = detail::input_map(teacher.queries), teacher_y = detail::input_map(teacher.keys);
    detail::require_map(name, "student", x);
    detail::require_map(name, "student's keys", y);
    detail::require_map(name, "teacher", teacher_x);
    detail::require_map(name, "teacher's keys", teacher_y);
    detail::require_same_axes(name, "student's keys", y.shape(), x.shape(), {true, true, false, false});
    detail::require_same_axes(name, "teacher", teacher_x.shape(), x.shape(), {true, false, true, true});
    detail::require_same_axes(name, "teacher's keys", teacher_y.shape(), y.shape(),
                              {true, false, true, true});
    detail::require(
        teacher_y.channels == teacher_x.channels, name, "teacher's keys",
        [&] { return detail::map_text(teacher_y.shape()); },
        [&] { return "of " + std::to_string(teacher_x.channels) + " features as the teacher's queries"; });
    kernels::check_relation(name, x.channels, teacher_x.channels, options);
    using T = std::common_type_t<arithmetic_t<element_of<decltype(x)>>, arithmetic_t<element_of<decltype(y)>>,
                                 arithmetic_t<element_of<decltype(teacher_x)>>,
                                 arithmetic_t<element_of<decltype(teacher_y)>>>;
    detail::require_loss_weight(name, options.weight, detail::computing_type::of<T>());
    return kernels::relation_operands<T>{false,
                                         kernels::map_source<T>(x),
                                         kernels::map_source<T>(teacher_x),
                                         kernels::map_source<T>(y),
                                         kernels::map_source<T>(teacher_y),
                                         {},
                                         {}};
  }

  template <class Map>
  using element_of = std::remove_const_t<typename std::remove_cvref_t<Map>::element>;

  template <class Policy, class T>
  static loss_value run(Policy policy, kernels::relation_operands<T> const& operands,
                        relation_options const& options) {
    auto const clear = [&] {
      operands.gradient_x.clear();
      operands.gradient_y.clear();
    };
    return detail::weighed(
        options,
        [&] {
          return kernels::token_relation<T>(name, operands, options, 1.0)
              .evaluate(detail::any_policy(policy));
        },
        clear);
  }
};

/// Tokens ask each other as the teacher's do: attention between queries and keys, from the hidden states that make them.
/// @alias MiniLM self-attention transfer, Q-K relation
///
/// @formula   as `self_relation`, with R = softmax(X_a Y_a' / (T sqrt(d_a))) of queries X and keys Y
/// @param     student  hidden states of queries and of keys, each a `token_map`, of as many features; there may be more
///            keys than queries, and the other way round
/// @param     teacher  of as many sequences and tokens, with features of its own number
/// @param     gradient of the student's shapes, dL/dX and dL/dY, overwritten or added; each may be the states it
///            belongs to
/// @gradient  dS Y_a and dS' X_a with dS = w (R_s - R_t) / (T sqrt(d_a) n); by T see `temperature_gradient`
/// @throws    std::invalid_argument when a shape, option, mask or weight is refused; nothing is written then
/// @error     as `self_relation`
/// @nan       as `self_relation`
/// @cost      as `self_relation`, with gradient B len^2 D more
/// @source    Wang et al. 2020, MiniLM, equation 3, with the model's own heads; its loss adds `self_relation` of the
///            values, both with weight 1, of the last layer. Scores that are there already: `attention_divergence`
/// @example   distil::cross_relation.with_grad(distil::related_states{queries, keys}, distil::related_states{teacher_queries,
///                                             teacher_keys}, distil::related_states{gradient_queries, gradient_keys})
inline constexpr cross_relation_loss cross_relation{};

}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
