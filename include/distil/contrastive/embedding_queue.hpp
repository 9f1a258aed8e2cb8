#pragma once

#include <cmath>
#include <istream>
#include <ostream>
#include <span>
#include <vector>

#include "distil/contrastive/affinity/stored_rows.hpp"

namespace distil {

/// The latest embeddings of a teacher, first in, first out: what `queue_distillation` compares with (SEED, CompRess, MoCo).
///
/// T is float or double. What is pushed is copied; rows of the queue have length one unless they were zeros, or came by
/// `push_as_is` or `load`.
template <class T>
class embedding_queue {
 public:
  /// Room for `entries` embeddings of `features` numbers each. Throws std::invalid_argument unless both are at least 1.
  embedding_queue(index entries, index features)
      : rows_("embedding_queue", entries, features), room_(entries) {}

  /// Entries held: at most those there is room for.
  [[nodiscard]] index size() const { return filled_; }
  [[nodiscard]] index room() const { return room_; }

  /// The entries, in no particular order.
  [[nodiscard]] matrix_view<T const> view() const {
    matrix_view<T const> const all = rows_.view();
    return {all.data, filled_, all.columns};
  }

  /// Takes a batch in, a sample a row, over the oldest entries. Throws std::invalid_argument when its width is another.
  template <class Matrix>
  void push(Matrix const& embeddings) {
    take(embeddings, [&](auto const& element) { rows_.set_unit(next_, element); });
  }

  /// The same without the division by their lengths: of this type bit for bit.
  template <class Matrix>
  void push_as_is(Matrix const& embeddings) {
    take(embeddings, [&](auto const& element) { rows_.set(next_, element); });
  }

  /// Holds these rows and no others, as they are, the first of them the oldest: a queue of other origin. Throws
  /// std::invalid_argument when there is no room for them or their width is another, and stays as it is then.
  template <class Matrix>
  void load(Matrix const& embeddings) {
    auto const from = detail::input_view(embeddings);
    rows_.require_width("embedding_queue", "embeddings", from.columns);
    detail::require(
        from.rows <= room_, "embedding_queue", "embeddings", [&] { return detail::said(from.rows, " rows"); },
        [&] { return detail::said("at most ", room_, " rows, for which there is room"); });
    next_ = filled_ = 0;
    push_as_is(embeddings);
  }

  /// Writes the queue in this machine's byte order.
  void save(std::ostream& out) const { rows_.save(out, {next_, filled_}); }

  /// Becomes what `save` wrote of a queue of this room, width and type, bit for bit. Throws std::invalid_argument on anything else, and
  /// stays as it is then.
  void restore(std::istream& in) {
    auto const [next, filled] = rows_.restore("embedding_queue", in, [&](auto const& numbers) {
      return numbers[0] >= 0 && numbers[0] < room_ && numbers[1] >= 0 && numbers[1] <= room_;
    });
    next_ = next;
    filled_ = filled;
  }

 private:
  template <class Matrix, class Set>
  void take(Matrix const& embeddings, Set const& set) {
    auto const from = detail::input_view(embeddings);
    rows_.require_width("embedding_queue", "embeddings", from.columns);
    for (index row = 0; row < from.rows; ++row) {
      set([&](index c) { return detail::widen<T>(from(row, c)); });
      next_ = (next_ + 1) % room_;
      filled_ = std::min(filled_ + 1, room_);
    }
  }

  detail::stored_rows<T> rows_;
  index room_;
  index next_ = 0;
  index filled_ = 0;
};

/// A moving average: average = momentum * average + (1 - momentum) * values, element for element. The parameters of a
/// momentum encoder follow those of the student by it.
///
/// @param momentum  within [0, 1]; 0.999 in MoCo
/// @throws std::invalid_argument when sizes differ or the momentum is refused; nothing is written then
template <class T>
void update_moving_average(std::span<T> average, std::span<std::type_identity_t<T> const> values,
                           double momentum) {
  char const* const where = "update_moving_average";
  detail::require(
      average.size() == values.size(), where, "values",
      [&] { return "of size " + std::to_string(values.size()); },
      [&] { return "of size " + std::to_string(average.size()) + ", as the average"; });
  detail::require(detail::is_share(momentum), where, "momentum", momentum, detail::must_be_share);
  for (std::size_t i = 0; i < average.size(); ++i) {
    average[i] = static_cast<T>(momentum * static_cast<double>(average[i]) +
                                (1.0 - momentum) * static_cast<double>(values[i]));
  }
}

}  // namespace distil
