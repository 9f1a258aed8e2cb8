#pragma once

#include <cmath>
#include <utility>

#include "distil/attention/tokens/attention_tokens.hpp"
#include "distil/attention/tokens/soft_attention.hpp"
#include "distil/core/loss_value.hpp"
#include "distil/core/map_shapes.hpp"
#include "distil/matrix/add_transpose.hpp"
#include "distil/matrix/operands.hpp"
#include "distil/matrix/products.hpp"

namespace distil {

/// Options of losses between the relations of tokens.
struct relation_options {
  /// Softens both sides' relations, on top of sqrt(d): one number, or one per relation head; within [1e-15, 1e15].
  /// Default 1.
  row_parameter temperature = 1;

  /// Multiplies each head's part by the square of its temperature. Default false.
  bool scale_by_temperature_squared = false;

  /// Relation heads into which the hidden states of student and teacher are cut, whatever heads they had; must divide
  /// both hidden sizes. Default 12; MiniLMv2 takes 48 for teachers of 1024 features, 12 for those of 768, MiniLM the
  /// model's own.
  index heads = 12;

  attention_divergence_kind kind = attention_divergence_kind::kl;

  /// Lengths, masks and weights of the tokens.
  attention_tokens tokens = {};

  /// Multiplies value and gradients, so that `accumulate` sums a whole objective; finite and >= 0. A loss of weight 0 is
  /// absent, whatever its states hold. Default 1.
  double weight = 1.0;

  /// Default: each sequence's mean over its tokens and heads, then the mean of the sequences, as the papers.
  attention_reduction reduce = attention_reduction::sequence_mean;

  /// Adds the gradient to what is there instead of overwriting it. Default false.
  bool accumulate = false;

  /// Where to write the derivative by each temperature. Default: nowhere.
  std::span<double> temperature_gradient = {};
};

inline namespace DISTIL_ARCH_NAMESPACE {
namespace kernels {

/// Hidden states between which a relation is: those of queries x and those of keys y, which are the same ones where `self`.
template <class T>
struct relation_operands {
  bool self = true;
  map_source<T> student_x = {}, teacher_x = {}, student_y = {}, teacher_y = {};
  map_target<T> gradient_x = {}, gradient_y = {};
};

/// Refuses heads that do not divide the hidden sizes, and temperatures.
inline void check_relation(char const* where, index student, index teacher, relation_options const& options) {
  detail::require(options.heads >= 1 && student % options.heads == 0 && teacher % options.heads == 0, where,
                  "heads", options.heads, [&] {
                    return ">= 1 and divide the hidden sizes " + std::to_string(student) + " and " +
                           std::to_string(teacher);
                  });
  head_temperatures::check(where, options.temperature, options.temperature_gradient, options.heads);
}

/// Do two views of hidden states share elements? Those side by side in one buffer do not, as queries, keys and values are
/// left by a joint projection.
template <class A, class B>
[[nodiscard]] bool share_elements(feature_map<A> const& a, feature_map<B> const& b) {
  auto const has_one_pitch = [](auto const& map) {
    return map.height == 1 && (map.samples == 1 || map.strides.sample == map.width * map.strides.column);
  };
  auto const tokens = []<class T>(feature_map<T> const& map) {
    return matrix_view<T>(map.data, map.samples * map.width, map.channels, map.strides.column,
                          map.strides.channel);
  };
  if (has_one_pitch(a) && has_one_pitch(b))
    return detail::overlap_of(tokens(a), tokens(b)) != detail::overlap::none;
  return detail::overlap_of(a, b) != detail::overlap::none;
}

/// One sequence after the other.
template <class T>
class token_relation {
 public:
  /// @param coefficient  of the derivatives; at 0 there are none, whatever the states hold
  token_relation(char const* where, relation_operands<T> const& operands, relation_options const& options,
                 double coefficient)
      : operands_(operands),
        heads_(options.heads),
        queries_(operands.student_x.positions()),
        keys_(operands.self ? queries_ : operands.student_y.positions()),
        size_(operands.student_x.channels),
        teacher_size_(operands.teacher_x.channels),
        coefficient_(coefficient),
        tokens_(where, options.tokens, operands.student_x.samples, queries_, keys_),
        mean_(options.reduce, tokens_, operands.student_x.samples,
              [&](index n) {
                return tokens_.counted_keys(n) == 0
                           ? 0.0
                           : static_cast<double>(heads_) * tokens_.weight_of_queries(n);
              }),
        temperatures_(options.temperature, options.temperature_gradient,
                      options.scale_by_temperature_squared),
        compare_{options.kind, temperatures_.wants_gradient()} {}

  loss_value evaluate(detail::any_policy policy) const {
    index const work = heads_ * queries_ * keys_ + queries_ * size_;
    double const sum =
        simd::sum_chunks(policy, operands_.student_x.samples, simd::worth_a_chunk(work),
                         operands_.student_x.samples * work, [&](index first, index last, index chunk) {
                           [[maybe_unused]] one_thread_in_eigen const alone;
                           double total = 0.0;
                           for (index n = first; n < last; ++n) total += sequence(n, chunk);
                           return total;
                         });
    temperatures_.finish();
    return {sum, mean_.weight()};
  }

 private:
  static constexpr sample_form form = rows_of::positions;

  /// Parts of this thread's memory, one after the other.
  struct memory {
    T* next;
    T* take(index size) { return std::exchange(next, next + size); }
  };

  double sequence(index n, index chunk) const {
    index const both = queries_ + keys_;
    memory room{simd::scratch<T, token_relation>(both * (2 * size_ + teacher_size_) + 2 * queries_ * keys_ +
                                                 2 * keys_)};
    auto const g_x = operands_.gradient_x ? operands_.gradient_x.sample(n, form, room.take(queries_ * size_))
                                          : matrix_view<T>();
    auto const g_y = operands_.gradient_y ? operands_.gradient_y.sample(n, form, room.take(keys_ * size_))
                                          : matrix_view<T>();
    index const queries = tokens_.queries(n), keys = tokens_.keys(n);
    bool const counts = mean_.factor(n) > 0.0;
    clear_from(g_x, counts ? queries : 0);
    clear_from(g_y, counts ? keys : 0);
    double value = 0.0;
    if (counts) {
      auto const states = [&](map_source<T> const& source, index count, bool of_queries) {
        T* const copy = room.take(source.sample_size());
        return live(source.sample(n, form, copy), n, count, of_queries, copy);
      };
      auto const x = states(operands_.student_x, queries, true);
      auto const of_teacher_x = states(operands_.teacher_x, queries, true);
      auto const y = operands_.self ? x : states(operands_.student_y, keys, false);
      auto const of_teacher_y = operands_.self ? of_teacher_x : states(operands_.teacher_y, keys, false);
      matrix_view<T> const scores(room.take(queries * keys), queries, keys),
          of_teacher(room.take(queries * keys), queries, keys);
      for (index head = 0; head < heads_; ++head) {
        product(head, x, y, scores);
        product(head, of_teacher_x, of_teacher_y, of_teacher);
        value += compare(n, head, chunk, scores, of_teacher, room.next);
        if (operands_.self && g_x.data != nullptr) {
          add_transpose(detail::any_policy(serial), scores);
          in_eigen(part(head, g_x, queries)).noalias() = in_eigen(scores) * in_eigen(part(head, x, queries));
        }
        if (!operands_.self && g_x.data != nullptr)
          in_eigen(part(head, g_x, queries)).noalias() = in_eigen(scores) * in_eigen(part(head, y, keys));
        if (!operands_.self && g_y.data != nullptr)
          in_eigen(part(head, g_y, keys)).noalias() =
              in_eigen(scores).transpose() * in_eigen(part(head, x, queries));
      }
    }
    if (coefficient_ == 0.0) clear_from(g_x, 0), clear_from(g_y, 0);
    if (operands_.gradient_x) operands_.gradient_x.finish(n, form, g_x);
    if (operands_.gradient_y) operands_.gradient_y.finish(n, form, g_y);
    return value * mean_.factor(n);
  }

  /// Compares the rows of two matrices of products; those of the student become the derivative by them.
  double compare(index n, index head, index chunk, matrix_view<T> scores, matrix_view<T> of_teacher,
                 T* rows) const {
    index const keys = scores.columns;
    double const by_temperature = 1.0 / temperatures_[head];
    auto const scale_of = [&](index size) {
      return by_temperature / std::sqrt(static_cast<double>(size / heads_));
    };
    double const scale = scale_of(size_), factor = temperatures_.factor(head);
    T const teacher_scale = static_cast<T>(scale_of(teacher_size_));
    double value = 0.0;
    for (index i = 0; i < scores.rows; ++i) {
      T* const row = &scores(i, 0);
      double const weight = tokens_.weight(n, i);
      if (weight == 0.0) {
        std::fill(row, row + keys, T(0));
        continue;
      }
      T* const teacher_row = &of_teacher(i, 0);
      for (index key = 0; tokens_.masks_keys() && key < keys; ++key) {
        if (!tokens_.counts_key(n, key)) row[key] = teacher_row[key] = -simd::infinity<T>;
      }
      auto const found =
          compare_(row, static_cast<T>(scale), teacher_row, teacher_scale, keys, rows, rows + keys);
      value += weight * factor * static_cast<double>(found.value);
      temperatures_.add(chunk, head, coefficient_ * mean_.factor(n) * weight, found);
      lanes<T> const by_product(static_cast<T>(coefficient_ * mean_.factor(n) * weight * factor * scale));
      simd::for_each_register<T>(keys, [&](auto place) { place.store(place.load(rows) * by_product, row); });
    }
    return value;
  }

  /// A head's features of the first `rows` tokens.
  template <class Element>
  [[nodiscard]] matrix_view<Element> part(index head, matrix_view<Element> const& states, index rows) const {
    index const width = states.columns / heads_;
    return {states.data + head * width, rows, width, states.row_stride};
  }

  void product(index head, matrix_view<T const> const& x, matrix_view<T const> const& y,
               matrix_view<T> result) const {
    in_eigen(result).noalias() =
        in_eigen(part(head, x, result.rows)) * in_eigen(part(head, y, result.columns)).transpose();
  }

  static void clear_from(matrix_view<T> const& gradient, index row) {
    if (gradient.data == nullptr) return;
    for (; row < gradient.rows; ++row) std::fill_n(&gradient(row, 0), gradient.columns, T(0));
  }

  /// States with zeros for tokens that are nothing here, which might hold NaN: a product with 0 would keep it.
  [[nodiscard]] matrix_view<T const> live(matrix_view<T const> const& states, index n, index count,
                                          bool of_queries, T* room) const {
    auto const is_dead = [&](index i) {
      bool const no_query = tokens_.weight(n, i) == 0.0,
                 no_key = tokens_.masks_keys() && !tokens_.counts_key(n, i);
      return operands_.self ? no_query && no_key : (of_queries ? no_query : no_key);
    };
    index dead = 0;
    while (dead < count && !is_dead(dead)) ++dead;
    if (dead == count) return states;
    for (index i = 0; i < count; ++i) {
      T* const to = room + i * states.columns;
      if (is_dead(i)) {
        std::fill_n(to, states.columns, T(0));
      } else if (to != &states(i, 0)) {
        std::copy_n(&states(i, 0), states.columns, to);
      }
    }
    return {room, count, states.columns};
  }

  relation_operands<T> const& operands_;
  index heads_, queries_, keys_, size_, teacher_size_;
  double coefficient_;
  detail::token_counts tokens_;
  attention_mean mean_;
  head_temperatures temperatures_;
  soft_attention<T> compare_;
};

}  // namespace kernels
}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
