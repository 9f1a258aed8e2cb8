#pragma once

#include <utility>

#include "distil/attention/tokens/attention_tokens.hpp"
#include "distil/matrix/operands.hpp"
#include "distil/matrix/pair_loss.hpp"
#include "distil/simd/chunk_sums.hpp"
#include "distil/simd/vectors.hpp"

namespace distil {

/// What of the heads is compared. All but `each` let the numbers of heads differ.
enum class attention_heads {
  each,  ///< every head with the teacher's of its number
  mean,  ///< the means of both sides' scores
  sum,   ///< their sums
};

inline namespace DISTIL_ARCH_NAMESPACE {
namespace kernels {

/// Refuses maps of attention that do not fit, as sequences x heads x queries x keys.
inline void check_attention(char const* where, std::array<index, 4> const& student,
                            std::array<index, 4> const& teacher, attention_heads heads) {
  detail::require_same_axes(where, "teacher", teacher, student,
                            {true, heads == attention_heads::each, true, true});
}

/// The scores of two sides, a query at a time, with heads brought together and -inf at masked keys.
template <class T>
class attention_maps {
 public:
  attention_maps(pair_operands<T> const& operands, attention_heads heads, detail::token_counts const& tokens)
      : operands_(operands),
        together_(heads),
        tokens_(tokens),
        queries_(operands.student.height),
        keys_(operands.student.width) {}

  /// Heads that are compared.
  [[nodiscard]] index heads() const {
    return together_ == attention_heads::each ? operands_.student.channels : 1;
  }

  /// Calls `body(head, query, student, teacher, keys, slope)` for every query that counts; `slope` becomes the derivative by
  /// the student's row. Writes the gradient where that is wanted.
  template <class Body>
  void sequence(index n, Body const& body) const {
    index const size = operands_.student.sample_size();
    T* const memory =
        simd::scratch<T, attention_maps>(2 * size + operands_.teacher.sample_size() + 3 * keys_);
    T* const rows = memory + 2 * size + operands_.teacher.sample_size();
    auto const student = operands_.student.sample(n, form, memory);
    auto const teacher = operands_.teacher.sample(n, form, memory + 2 * size);
    auto const gradient =
        operands_.gradient ? operands_.gradient.sample(n, form, memory + size) : matrix_view<T>();
    index const keys = tokens_.keys(n),
                counted_queries = tokens_.counted_keys(n) > 0 ? tokens_.queries(n) : 0;
    bool const each = together_ == attention_heads::each;
    for (index head = 0; head < heads(); ++head) {
      for (index query = 0; query < queries_; ++query) {
        index const at = query * keys_;
        bool const counts = query < counted_queries && tokens_.weight(n, query) > 0.0;
        T* const slope = each && gradient.data != nullptr ? &gradient(head, at) : rows + 2 * keys_;
        if (counts) {
          T const* const s = row_of(student, n, head, at, keys, rows);
          T const* const t = row_of(teacher, n, head, at, keys, rows + keys_);
          body(head, query, s, t, keys, slope);
        }
        if (gradient.data == nullptr) continue;
        std::fill(slope + (counts ? keys : 0), slope + keys_, T(0));
        if (!each) spread(slope, gradient, at);
      }
    }
    if (gradient.data != nullptr) operands_.gradient.finish(n, form, gradient);
  }

 private:
  static constexpr sample_form form = rows_of::channels;

  [[nodiscard]] T share(index heads) const {
    return together_ == attention_heads::mean ? T(1) / static_cast<T>(heads) : T(1);
  }

  T const* row_of(matrix_view<T const> const& scores, index n, index head, index at, index keys,
                  T* room) const {
    if (together_ == attention_heads::each) {
      if (!tokens_.masks_keys()) return &scores(head, at);
      std::copy_n(&scores(head, at), keys, room);
    } else {
      simd::lanes<T> const part(share(scores.rows));
      simd::for_each_register<T>(keys, [&](auto place) {
        simd::lanes<T> sum(0);
        for (index h = 0; h < scores.rows; ++h) sum += place.load(&scores(h, at)) * part;
        place.store(sum, room);
      });
    }
    for (index key = 0; tokens_.masks_keys() && key < keys; ++key) {
      if (!tokens_.counts_key(n, key)) room[key] = -simd::infinity<T>;
    }
    return room;
  }

  void spread(T const* slope, matrix_view<T> const& gradient, index at) const {
    simd::lanes<T> const part(share(gradient.rows));
    for (index head = 0; head < gradient.rows; ++head) {
      simd::for_each_register<T>(
          keys_, [&](auto place) { place.store(place.load(slope) * part, &gradient(head, at)); });
    }
  }

  pair_operands<T> const& operands_;
  attention_heads together_;
  detail::token_counts const& tokens_;
  index queries_, keys_;
};

}  // namespace kernels
}  // namespace DISTIL_ARCH_NAMESPACE
}  // namespace distil
