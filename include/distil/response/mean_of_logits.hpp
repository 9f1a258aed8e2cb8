#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>

#include "distil/response/divergence.hpp"

namespace distil {

/// Several teachers whose logits are averaged. See `mean_of_logits`.
template <class Storage>
struct logit_ensemble {
  static constexpr std::size_t most_teachers = 8;
  static constexpr std::optional<row_parameter> captured_at = std::nullopt;
  using storage = Storage;

  struct member {
    detail::row_view<Storage const> logits;
    row_parameter weight = 1;
  };
  std::array<member, most_teachers> members = {};
  std::size_t count = 0;
  bool knows_first_classes = false;  ///< the student may have more classes, which the teachers mask

  [[nodiscard]] std::span<member const> teachers() const { return {members.data(), count}; }
  [[nodiscard]] static constexpr bool moves() { return true; }

  /// The same with a weight for each teacher: one number, or one per row; finite and >= 0. In each row they are divided by
  /// their sum. A teacher of weight 0 is absent, whatever it holds; a row without a teacher counts for nothing.
  [[nodiscard]] logit_ensemble weighted(std::initializer_list<row_parameter> weights) const {
    return weighted(std::span<row_parameter const>(weights.begin(), weights.size()));
  }
  [[nodiscard]] logit_ensemble weighted(std::span<row_parameter const> weights) const {
    detail::require(weights.size() == count, "mean_of_logits", "number of weights", weights.size(),
                    [&] { return detail::said(count, ", as there are teachers"); });
    logit_ensemble result = *this;
    for (std::size_t k = 0; k < count; ++k) result.members[k].weight = weights[k];
    return result;
  }

  [[nodiscard]] double sum_of_weights(index row) const {
    double sum = 0.0;
    for (member const& each : teachers()) sum += each.weight[row];
    return sum;
  }

  /// Whether some teacher of the row masks a class: then its mean is -inf, too.
  [[nodiscard]] bool masks(index row, index column) const {
    using arithmetic = arithmetic_t<Storage>;
    for (member const& each : teachers()) {
      if (!(each.weight[row] > 0.0)) continue;
      if (column >= each.logits.columns) return true;
      if (static_cast<arithmetic>(each.logits(row, column)) == -std::numeric_limits<arithmetic>::infinity()) {
        return true;
      }
    }
    return false;
  }
  [[nodiscard]] bool fully_masked(index row) const {
    index const columns = members[0].logits.columns;
    for (index column = 0; column < columns; ++column) {
      if (!masks(row, column)) return false;
    }
    return true;
  }
};

inline namespace DISTIL_ARCH_NAMESPACE {

namespace kernels {

/// The mean of the teachers while their blocks are read: no more of it exists than one block.
template <class T>
class mean_of_logits_reader {
  static constexpr index size = simd::lanes<T>::size;

 public:
  static constexpr teacher_form form = teacher_form::logits;

  template <class Storage>
  mean_of_logits_reader(simd::axis, logit_ensemble<Storage> const& teacher) : count_(teacher.count) {
    for (std::size_t k = 0; k < count_; ++k) {
      sources_[k] = simd::source_matrix<T>(teacher.members[k].logits);
      weights_[k] = teacher.members[k].weight;
    }
  }

  [[gnu::noinline]] simd::strip<T> open(simd::tile const& rows, simd::block const& columns) {
    constexpr T padding = -simd::infinity<T>;
    for (std::size_t k = 0; k < count_; ++k) {
      lanes<T> const share = rows.per_row<T>([&](index row) { return share_of(k, row); });
      read_known(sources_[k], rows, columns);
      for (index at = 0; at < columns.steps * size; at += size) {
        lanes<T> const summand = zero_safe_product(share, lanes<T>::load(scratch_ + at));
        (k == 0 ? summand : lanes<T>::load(mean_ + at) + summand).store(mean_ + at);
      }
    }
    // Where no teacher has a share, what lies past the row has become 0.
    index const rest = columns.columns - columns.whole * size;
    if (!rows.axis.across && rest > 0) {
      T* const last = mean_ + columns.whole * size;
      lanes<T>::load_first(last, rest, padding).store(last);
    }
    return {mean_, size};
  }

  static DISTIL_INLINE lanes<T> logit(lanes<T> stored) { return stored; }

 private:
  [[nodiscard]] double share_of(std::size_t teacher, index row) const {
    double sum = 0.0;
    for (std::size_t k = 0; k < count_; ++k) sum += weights_[k][row];
    return sum > 0.0 ? weights_[teacher][row] / sum : 0.0;
  }

  /// A block of which the teacher may know the first classes alone.
  void read_known(simd::source_matrix<T> const& source, simd::tile const& rows, simd::block const& columns) {
    constexpr T padding = -simd::infinity<T>;
    index const known = std::min(columns.columns, source.columns - columns.first_column);
    if (known == columns.columns) return simd::read_block(source, rows, columns, padding, scratch_);
    std::fill(scratch_, scratch_ + columns.steps * size, padding);
    if (known <= 0) return;
    index const one = columns.register_columns;
    simd::read_block(source, rows, {columns.first_column, known, (known + one - 1) / one, known / one, one},
                     padding, scratch_);
  }

  static constexpr std::size_t most = logit_ensemble<T>::most_teachers;
  std::array<simd::source_matrix<T>, most> sources_;
  std::array<row_parameter, most> weights_ = {0, 0, 0, 0, 0, 0, 0, 0};
  std::size_t count_;
  alignas(64) T scratch_[simd::window_elements];
  alignas(64) T mean_[simd::window_elements];
};

}  // namespace kernels

/// A divergence between the mean of teachers and the student as a term of a sum.
template <class Function, class Storage>
struct logit_ensemble_term : detail::softened_term {
  using arithmetic = arithmetic_t<Storage>;
  template <class T>
  using kernel = typename kernels::divergence_kernels<T, Function, kernels::mean_of_logits_reader<T>>::type;

  Function function;
  logit_ensemble<Storage> teacher;

  logit_ensemble_term(Function const& the_function, logit_ensemble<Storage> const& the_teacher,
                      divergence_options const& options)
      : softened_term(options), function(the_function), teacher(the_teacher) {}

  void check(char const* where, index row_count, index columns) const {
    for (auto const& each : teacher.teachers()) {
      detail::require_matrix(where, "teacher", each.logits);
      index const known = teacher.knows_first_classes ? std::min(each.logits.columns, columns) : columns;
      detail::require_shape(where, "teacher", each.logits, row_count, known);
      detail::require_parameter(where, "weight of a teacher", each.weight, row_count, detail::is_weight,
                                detail::must_be_weight);
    }
    check_temperature(where, row_count);
    check_derivative(where, moves_by_temperature<Function>);
    check_softening(where, true, row_count);
    check_rows(where, std::nullopt, row_count);
    if constexpr (requires { function.check(where); }) function.check(where);
  }
  void check_numbers(char const* where, detail::computing_type type) const {
    check_factors(where, type);
    if constexpr (requires { function.check_numbers(where, type); }) function.check_numbers(where, type);
  }
  void check_apart(char const* where, detail::matrix_extent const& gradient) const {
    for (auto const& each : teacher.teachers()) {
      detail::require_apart(where, gradient, "teacher", each.logits);
    }
  }
  void inspect(char const* where, index /*rows*/, index /*columns*/) const {
    for (auto const& each : teacher.teachers()) {
      detail::require_row_values(where, "weight of a teacher", each.weight, detail::is_weight,
                                 detail::must_be_weight);
    }
    inspect_temperature(where);
    inspect_softening(where);
    inspect_weights(where);
  }

  [[nodiscard]] bool alike() const {
    index const row_count = teacher.members[0].logits.rows;
    if (!term_base::alike() || some_row_is_absent(row_count)) return false;
    for (index row = 0; row < row_count; ++row) {
      if (!(teacher.sum_of_weights(row) > 0.0) || teacher.masks(row, 0)) return false;
    }
    return true;
  }
  [[nodiscard]] detail::row_weight weigh(bool student_is_masked, index row) const {
    detail::row_weight const weight = weight_of(row);
    if (student_is_masked || !(weight.multiplier > 0.0)) return {};
    if (!(teacher.sum_of_weights(row) > 0.0) || teacher.fully_masked(row)) return {};
    return with_factor(weight, row);
  }
};

template <class Function, class Storage>
struct term_of<Function, logit_ensemble<Storage>> {
  [[nodiscard]] static auto make(Function const& function, logit_ensemble<Storage> const& teacher,
                                 divergence_options const& options) {
    using of_rows = typename kernels::function_in_rows<float, Function>::type;
    static_assert(
        std::is_same_v<of_rows, Function>,
        "distil: this divergence looks at all classes of its teacher first; give it the mean of its "
        "teachers in a matrix");
    if constexpr (std::is_same_v<of_rows, Function>) return logit_ensemble_term(function, teacher, options);
  }
};

}  // namespace DISTIL_ARCH_NAMESPACE

/// The mean of the logits of several teachers, as a teacher of every divergence and its term in `fuse`; it is formed a block
/// at a time while the loss runs, and never held. @alias ensemble distillation, averaged teachers
///
///     distil::forward_kl.with_grad(student, distil::mean_of_logits(first, second), gradient, {.temperature = 4})
///     distil::forward_kl.term(distil::mean_of_logits(first, second).weighted({0.7, per_row}))
///
/// @formula   t = sum_k w_k t_k / sum_k w_k in each row; softmax(t / T) is the geometric mean of the teachers'
///            softmax(t_k / T), normalised
/// @param     teachers one to 8 matrices [rows, classes] of logits, all of one element type; also a span of views. -inf in one
///            that has a weight masks the class; NaN makes its row NaN
/// @throws    std::invalid_argument when there is none or are too many, and from the loss when a shape or weight is
///            refused
/// @cost      reads every teacher as often as the loss reads its teacher, and copies each block once
///
/// Other means: of softened probabilities, sum_k w_k softmax(t_k / T), is what `fuse` of a `soft_cross_entropy.term` for each
/// teacher descends, exactly and without a mean, with w_k for coefficients; with `forward_kl` the value is larger by what the
/// teachers disagree among themselves, and the gradient is the same.
/// @source    the mean of logits is that of TextBrewer's multi-teacher distiller; Hinton et al. 2015 name the arithmetic
///            and the geometric mean of probabilities
template <class First, class... Others>
[[nodiscard]] auto mean_of_logits(First const& first, Others const&... others) {
  auto const seen = detail::logit_rows(first);
  using element = std::remove_const_t<typename decltype(seen)::element>;
  using ensemble = logit_ensemble<element>;
  static_assert(1 + sizeof...(others) <= ensemble::most_teachers,
                "distil: mean_of_logits takes at most 8 teachers");
  static_assert((std::is_same_v<typename decltype(detail::logit_rows(others))::element,
                                typename decltype(seen)::element> &&
                 ...),
                "distil: the teachers of mean_of_logits have one element type");
  ensemble result;
  result.count = 1 + sizeof...(others);
  result.members[0].logits = seen;
  std::size_t k = 0;
  ((result.members[++k].logits = detail::logit_rows(others)), ...);
  return result;
}

/// An ensemble is one already.
template <class Storage>
[[nodiscard]] auto mean_of_logits(logit_ensemble<Storage> const& ensemble) {
  return ensemble;
}

/// The same of a vector or span of views, as many as are known at run time.
template <class Views>
requires(detail::elements<Views>&& detail::is_view<detail::element_of<Views>>)
    [[nodiscard]] auto mean_of_logits(Views const& teachers) {
  logit_ensemble<std::remove_const_t<typename detail::element_of<Views>::element>> result;
  detail::require(std::size(teachers) >= 1 && std::size(teachers) <= result.most_teachers, "mean_of_logits",
                  "number of teachers", std::size(teachers), "within [1, 8]");
  for (auto const& each : teachers) result.members[result.count++].logits = detail::logit_rows(each);
  return result;
}

}  // namespace distil
