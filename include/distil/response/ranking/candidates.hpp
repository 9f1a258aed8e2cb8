#pragma once

#include <cstdint>
#include <type_traits>

#include "distil/core/shapes.hpp"

namespace distil {

/// A teacher's scores of some classes of each row, for rows too wide to rank as a whole: `scores` is
/// [rows, candidates], and `ids` says which class of the student each one is of. A candidate with the score -inf is
/// padding, whose id is not looked at. No class twice in a row.
template <class Storage, class Id>
struct candidate_scores {
  detail::row_view<Storage const> scores;
  matrix_view<Id const> ids;
};

/// `ranked_candidates(ids, scores)`: ids of 32 or 64 bits.
template <class Ids, class Scores>
[[nodiscard]] auto ranked_candidates(Ids const& ids, Scores const& scores) {
  auto const of_ids = view(ids);
  auto const of_scores = detail::logit_rows(scores);
  using id = std::remove_const_t<typename decltype(of_ids)::element>;
  using element = std::remove_const_t<typename decltype(of_scores)::element>;
  static_assert(std::is_same_v<id, std::int32_t> || std::is_same_v<id, std::int64_t>,
                "distil: ids are integers of 32 or 64 bits");
  return candidate_scores<element, id>{of_scores, matrix_view<id const>(of_ids)};
}

}  // namespace distil
